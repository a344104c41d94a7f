package screen

import (
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// marker stands before the chosen row, and before others are as many blanks.
const marker = "> "

// widestText is how wide a column of texts, other than the first one, becomes at most.
const widestText = 30

// grid is the visible part of a table, as text.
type grid struct {
	table *live.Table
	// first is the first visible row, and chosen the chosen one, -1 for none.
	first, chosen int
	texts         [][]string
	widths        []int
	shown         []int // the columns that fit
	gap           int
}

// newGrid writes the visible rows and chooses the columns.
func newGrid(t *live.Table, width, first, rows, chosen int) *grid {
	g := &grid{table: t, first: first, chosen: chosen, gap: 1}
	for row := first; row < min(first+rows, t.Rows()); row++ {
		texts := make([]string, len(t.Columns))
		for column := range t.Columns {
			texts[column] = cellText(t.Cell(row, column))
		}
		g.texts = append(g.texts, texts)
	}
	g.widths = make([]int, len(t.Columns))
	for column := range t.Columns {
		g.widths[column] = g.needs(column)
		g.shown = append(g.shown, column)
	}
	g.choose(width)
	return g
}

// needs is how wide a column would be, the first one with its usual width.
func (g *grid) needs(column int) int {
	c := &g.table.Columns[column]
	width := max(c.Width, textWidth(g.title(column)))
	if c.Rank == 0 {
		return width
	}
	for _, texts := range g.texts {
		width = max(width, textWidth(texts[column]))
	}
	if c.Text {
		width = min(width, widestText)
	}
	return width
}

// widest is how wide the longest text of a column is.
func (g *grid) widest(column int) (width int) {
	for _, texts := range g.texts {
		width = max(width, textWidth(texts[column]))
	}
	return width
}

// title is a column's heading. An arrow marks the column by which rows are sorted.
func (g *grid) title(column int) string {
	name := g.table.Columns[column].Name
	switch {
	case column != g.table.Sort:
		return name
	case g.table.Ascending:
		return name + "↑"
	}
	return name + "↓"
}

// choose leaves out columns, those of the highest rank first, until the others fit. The first column
// gets what is left, as far as it needs it.
func (g *grid) choose(width int) {
	room := width - len(marker)
	total := func() int {
		sum := g.gap * (len(g.shown) - 1)
		for _, column := range g.shown {
			sum += g.widths[column]
		}
		return sum
	}
	for len(g.shown) > 1 && total() > room {
		least := slices.MaxFunc(g.shown, func(a, b int) int { return g.rank(a) - g.rank(b) })
		g.shown = slices.DeleteFunc(g.shown, func(c int) bool { return c == least })
	}
	name := g.shown[0]
	if over := total() - room; over > 0 {
		g.widths[name] -= over
	}
	if left := room - total(); left > 0 {
		g.widths[name] += max(0, min(left, g.widest(name)-g.widths[name]))
	}
	if left := room - total(); left >= len(g.shown)-1 {
		g.gap = 2
	}
}

// rank is a column's rank. The one by which rows are sorted stays as long as possible.
func (g *grid) rank(column int) int {
	rank := g.table.Columns[column].Rank
	if column == g.table.Sort {
		return min(rank, 1)
	}
	return rank
}

// line writes one row, or the headings.
func (g *grid) line(mark string, text func(column int) string) string {
	var b strings.Builder
	b.WriteString(mark)
	for i, column := range g.shown {
		if i > 0 {
			b.WriteString(blanks(g.gap))
		}
		if g.table.Columns[column].Text {
			b.WriteString(left(text(column), g.widths[column]))
		} else {
			b.WriteString(right(text(column), g.widths[column]))
		}
	}
	return b.String()
}

// lines writes the headings and the rows.
func (s *screen) lines(g *grid) []string {
	lines := []string{s.paint(fit(g.line(blanks(len(marker)), g.title), s.width), heading)}
	for i, texts := range g.texts {
		mark, as := blanks(len(marker)), usual
		if g.first+i == g.chosen {
			mark, as = marker, chosen
		}
		line := fit(g.line(mark, func(column int) string { return texts[column] }), s.width)
		lines = append(lines, s.paint(line, as))
	}
	return lines
}
