package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// WriteBlock writes the interval that a model shows as plain text: the machine in a line, the cores, and
// at most so many rows of tasks; of many cores, only the first are there. If width is not 0, lines are
// that wide at most, and columns that do not fit are left out. A screen reader and a log can take it.
func WriteBlock(w io.Writer, m *live.Model, by live.Grouping, rows, width int) error {
	var text strings.Builder
	forms := headlineForms(m.Headline(), "")
	for width > 0 && len(forms) > 1 && textWidth(forms[0]) > width {
		forms = forms[1:]
	}
	text.WriteString(forms[0] + "\n")
	if width == 0 {
		width = unbounded
	}
	writeTable(&text, m.Cores(live.CoreOptions{}), blockCores+1, width, "cores") // the first row is of all cores
	tasks := m.Tasks(live.TaskOptions{By: by})
	if tasks.Rows() == 0 {
		fmt.Fprintf(&text, "no %s that is asked for has run or waited in this interval\n", nounOf(by))
	} else {
		writeTable(&text, tasks, rows, width, "rows")
	}
	text.WriteByte('\n')
	_, err := io.WriteString(w, text.String())
	return err
}

const (
	// unbounded is wider than any line.
	unbounded = 1 << 20
	// blockCores is how many cores a block of text shows.
	blockCores = 64
)

// writeTable writes at most so many rows, and how many more there are of what.
func writeTable(text *strings.Builder, t *live.Table, most, width int, what string) {
	rows := min(most, t.Rows())
	g := newGrid(t, width+len(marker), 0, rows, -1)
	line := func(cell func(int) string) {
		text.WriteString(strings.TrimRight(fit(g.line("", cell), width), " ") + "\n")
	}
	line(func(column int) string { return t.Columns[column].Name })
	for _, texts := range g.texts {
		line(func(column int) string { return texts[column] })
	}
	if more := t.Rows() - rows; more > 0 {
		fmt.Fprintf(text, "%d more %s\n", more, what)
	}
}
