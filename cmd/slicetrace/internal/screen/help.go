package screen

import (
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// helpIndent is where the text of help begins.
const helpIndent = 17

// helpLines are the keys, the columns and what this machine does not tell.
func (s *screen) helpLines() []string {
	lines := []string{s.paint(fit("Keys (Esc: back)", s.width), heading)}
	entry := func(name, text string) {
		indent := min(helpIndent, s.width/4)
		if textWidth(name) > indent-3 {
			lines = append(lines, fit("  "+name, s.width))
			name = ""
		}
		for i, line := range wrap(text, max(1, s.width-indent), 0) {
			if i > 0 {
				name = ""
			}
			lines = append(lines, fit(left("  "+name, indent)+line, s.width))
		}
	}
	title := func(text string) { lines = append(lines, "", s.paint(fit(text, s.width), heading)) }
	for _, b := range s.table {
		entry(b.shown, b.help)
	}
	columns := func(t *live.Table) {
		for _, c := range t.Columns {
			text := c.Help
			if c.Absent != "" {
				text += " (–: " + c.Absent + ")"
			}
			entry(c.Name, text)
		}
	}
	title("Columns of cores")
	columns(s.data.Cores(s.cores))
	title("Columns of rows by " + s.tasks.By.String())
	columns(s.taskTable())
	title("What is not shown")
	notes := []string{
		"– means that a figure was not measured, which is not zero. A narrow terminal leaves out columns: " +
			"Enter shows all figures of a row, and with top --why also its stacks, who took its core and who woke it.",
		"Since the start, " + lossText(s.data.Headline().Losses) + ".",
	}
	for _, note := range append(notes, s.options.Notes...) {
		for _, line := range wrap(render.Printable(note), max(1, s.width-2), 0) {
			lines = append(lines, fit("  "+line, s.width))
		}
	}
	return lines
}

// sortPage is the choice of a column to sort by.
func (s *screen) sortPage(room int) []string {
	t := s.sorted()
	lines := []string{s.paint(fit("Sort by (Enter: choose, Esc: back)", s.width), heading)}
	first := max(0, min(s.sortRow-room/2, len(t.Columns)-room+1))
	for i := first; i < min(len(t.Columns), first+room-1); i++ {
		mark, as := blanks(len(marker)), usual
		if i == s.sortRow {
			mark, as = marker, chosen
		}
		line := fit(mark+left(t.Columns[i].Name, helpIndent-len(marker))+t.Columns[i].Help, s.width)
		lines = append(lines, s.paint(line, as))
	}
	return lines
}
