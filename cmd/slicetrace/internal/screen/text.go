package screen

import (
	"strconv"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// figure writes a quantity as short as a table needs it. Rates are without their unit, which the
// heading has.
func figure(q report.Quantity) string {
	if q.Known && (q.Unit == report.PerSecond || q.Unit == report.Count) {
		return scaled(q)
	}
	return q.String()
}

// scaled writes a count with three digits and k, M or G from 10 000 on.
func scaled(q report.Quantity) string {
	x := q.Value
	switch {
	case x == 0:
		return "0"
	case x < 0.05:
		return "<0.1"
	case x < 9.95 && q.Unit == report.PerSecond:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x < 9999.5:
		return report.Of(x, report.Count).String()
	}
	for _, unit := range []string{" k", " M"} {
		if x /= 1000; x < 999.5 {
			return report.Of(x, report.Ratio).String() + unit
		}
	}
	return report.Of(x/1000, report.Ratio).String() + " G"
}

// cellText writes an entry of a table. Names cannot control the terminal.
func cellText(c live.Cell) string {
	if c.Text != "" {
		return render.Printable(c.Text)
	}
	return figure(c.Value)
}

// textWidth is how many columns of a terminal a text takes.
func textWidth(s string) int { return displaywidth.String(s) }

// fit shortens a text that is wider than a width, with … at its end.
func fit(s string, width int) string {
	switch {
	case width <= 0:
		return ""
	case textWidth(s) <= width:
		return s
	}
	return displaywidth.TruncateString(s, width, "…")
}

// left and right fit a text and fill it with blanks.
func left(s string, width int) string {
	s = fit(s, width)
	return s + blanks(width-textWidth(s))
}

func right(s string, width int) string {
	s = fit(s, width)
	return blanks(width-textWidth(s)) + s
}

func blanks(n int) string { return strings.Repeat(" ", max(0, n)) }

// wrap breaks a text into lines of a width, all but the first one indented.
func wrap(s string, width, indent int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case textWidth(line)+1+textWidth(word) <= width:
			line += " " + word
			continue
		default:
			lines = append(lines, fit(line, width))
			line = blanks(indent) + word
		}
	}
	return append(lines, fit(line, width))
}

// tidy removes zeros after the point of a time: "1.00 s" is "1 s".
func tidy(s string) string {
	number, unit, _ := strings.Cut(s, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + unit
}

// style is how a line is set off from others, besides its text.
type style uint8

const (
	usual style = iota
	heading
	chosen
	alarm
)

// paint sets a line in a style, unless the terminal is to be left plain.
func (s *screen) paint(line string, as style) string {
	if s.options.Plain || as == usual {
		return line
	}
	return [...]string{heading: "\x1b[1m", chosen: "\x1b[7m", alarm: "\x1b[1;33m"}[as] + line + "\x1b[m"
}
