package screen

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// reasonLines say why what the details are of was off its cores.
func (s *screen) reasonLines(d *live.Detail) (lines []string) {
	switch {
	case !s.data.Explains():
		return []string{"", fit("  why off its cores, because of whom: top --why shows it", s.width)}
	case !d.Present:
		return nil
	case len(d.Reasons) == 0:
		return []string{"", fit("  nobody took its core or woke it, and no stack was taken", s.width)}
	}
	for i := range d.Reasons {
		r := &d.Reasons[i]
		lines = append(lines, "", fit("  "+r.Title, s.width))
		for j := range r.Rows {
			lines = append(lines, s.reasonRow(&r.Rows[j])...)
		}
		if r.More > 0 {
			lines = append(lines, fit(fmt.Sprintf("  and %d more", r.More), s.width))
		}
	}
	return lines
}

// reasonRow has a line for a partner, and for a stack more lines with its functions.
func (s *screen) reasonRow(r *live.ReasonRow) []string {
	const share, figureWidth = 6, 8
	line := "  " + right(figure(r.Share), share) + " " + right(figure(r.Time), figureWidth)
	if r.Rate.Known {
		line += " " + right(figure(r.Rate)+"/s", figureWidth)
	}
	lines := []string{fit(line+"  "+render.Printable(r.Text), s.width)}
	for _, stack := range [][]string{r.Kernel, r.Program} {
		if len(stack) > 0 {
			text := render.Printable(strings.Join(stack, " ← "))
			lines = append(lines, fit(blanks(share+3)+text, s.width))
		}
	}
	return lines
}
