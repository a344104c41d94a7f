package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// WriteBlock writes the interval that a model shows as plain text: the machine in a line, the cores, and
// at most so many rows of tasks. The columns do not depend on a terminal's width. A screen reader and a
// log can take it.
func WriteBlock(w io.Writer, m *live.Model, by live.Grouping, rows int) error {
	var text strings.Builder
	h := m.Headline()
	fmt.Fprintln(&text, headlineForms(h, false)[0])
	writeTable(&text, m.Cores(live.CoreOptions{}), rows)
	tasks := m.Tasks(live.TaskOptions{By: by})
	writeTable(&text, tasks, rows)
	if more := tasks.Rows() - rows; more > 0 {
		fmt.Fprintf(&text, "%d more\n", more)
	}
	text.WriteByte('\n')
	_, err := io.WriteString(w, text.String())
	return err
}

func writeTable(text *strings.Builder, t *live.Table, rows int) {
	rows = min(rows, t.Rows())
	cells := make([][]string, rows+1)
	widths := make([]int, len(t.Columns))
	for c, column := range t.Columns {
		cells[0] = append(cells[0], column.Name)
		for r := range rows {
			cells[r+1] = append(cells[r+1], cellText(t.Cell(r, c)))
		}
	}
	for _, line := range cells {
		for c, cell := range line {
			widths[c] = max(widths[c], textWidth(cell))
		}
	}
	for _, line := range cells {
		var out strings.Builder
		for c, cell := range line {
			if t.Columns[c].Text {
				out.WriteString(left(cell, widths[c]))
			} else {
				out.WriteString(right(cell, widths[c]))
			}
			out.WriteString("  ")
		}
		text.WriteString(strings.TrimRight(out.String(), " "))
		text.WriteByte('\n')
	}
}
