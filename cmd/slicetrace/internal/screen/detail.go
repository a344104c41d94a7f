package screen

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// Widths of the parts of details.
const (
	nameWidth   = 14
	valueWidth  = 9
	figureGap   = 3
	besideWidth = 110 // from which distributions are side by side
	widestBar   = 40
)

// detailLines are all that is known of one task or sum.
func (s *screen) detailLines() []string {
	d := s.data.Detail(s.detail)
	lines := []string{s.paint(fit(render.Printable(d.Title), s.width), heading)}
	if !d.Present {
		lines = append(lines, fit("  did nothing in this interval, or has ended", s.width))
	}
	for _, f := range d.Facts {
		lines = append(lines, fit("  "+left(f.Name, nameWidth)+render.Printable(f.Text), s.width))
	}
	lines = append(append(lines, ""), s.figureLines(d.Figures)...)
	lines = append(lines, s.reasonLines(&d)...)
	lines = append(append(lines, ""), s.historyLines(&d)...)
	if !d.Present {
		return lines
	}
	lines = append(lines, "")
	if s.width < besideWidth {
		lines = append(lines, s.plot(&d.Waits, s.width)...)
		return append(append(lines, ""), s.plot(&d.Slices, s.width)...)
	}
	half := (s.width - figureGap) / 2
	a, b := s.plot(&d.Waits, half), s.plot(&d.Slices, half)
	for i := range max(len(a), len(b)) {
		line := ""
		if i < len(a) {
			line = a[i]
		}
		line = left(line, half)
		if i < len(b) {
			line += blanks(figureGap) + b[i]
		}
		lines = append(lines, line)
	}
	return lines
}

// figureLines writes figures with their names, as many in a line as fit.
func (s *screen) figureLines(figures []live.Fact) (lines []string) {
	each := nameWidth + valueWidth + figureGap
	perLine := max(1, (s.width-2)/each)
	for len(figures) > 0 {
		n := min(perLine, len(figures))
		line := " "
		for _, f := range figures[:n] {
			line += " " + left(f.Name, nameWidth) + right(cellText(f.Cell), valueWidth) + blanks(figureGap-1)
		}
		lines = append(lines, fit(strings.TrimRight(line, " "), s.width))
		figures = figures[n:]
	}
	return lines
}

// historyLines draw the last intervals, the newest at the right, with the greatest and the newest
// figure beside them.
func (s *screen) historyLines(d *live.Detail) (lines []string) {
	title := fmt.Sprintf("the last %d intervals, the newest at the right", d.Intervals)
	lines = append(lines, fit("  "+title, s.width))
	const figures = len("  most 99.9 %, now 99.9 %")
	room := max(1, s.width-2-nameWidth-figures-4)
	for _, h := range d.History {
		n := len(h.Values)
		from := max(0, n-room)
		var line strings.Builder
		for i := from; i < n; i++ {
			line.WriteString(spark(h.Values[i].Known, h.Heights[i]))
		}
		text := "  most " + figure(h.Most)
		if n > 0 {
			text += ", now " + figure(h.Values[n-1])
		}
		lines = append(lines, fit("  "+left(h.Name, nameWidth)+line.String()+text, s.width))
	}
	return lines
}

// spark is one interval: a blank if the figure is absent, otherwise a block as high as the figure.
func spark(known bool, height float64) string {
	if !known {
		return " "
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	return string(blocks[min(len(blocks)-1, int(height*float64(len(blocks))))])
}

// plot draws a distribution, a line for each step, with its count and share beside it.
func (s *screen) plot(d *live.Distribution, width int) []string {
	lines := []string{
		fit("  "+d.Name+": "+figure(d.Count), width),
		fit(fmt.Sprintf("  p50 %s, p99 %s, longest %s", figure(d.P50), figure(d.P99), figure(d.Max)), width),
	}
	for _, step := range d.Steps {
		line := fmt.Sprintf("  %s %s %s ", right(step.Low.String()+" – "+step.High.String(), 19),
			right(figure(step.Count), 7), right(figure(step.Share), 6))
		room := min(widestBar, width-textWidth(line))
		if n := int(step.Height*float64(room) + 0.5); room > 0 && step.Count.Value > 0 {
			line += strings.Repeat("█", max(1, n))
		}
		lines = append(lines, fit(line, width))
	}
	return lines
}
