package live

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// Column is one column of a table.
type Column struct {
	// Name is the heading, by which the table can be sorted.
	Name string
	// Help says what the figure is, and Absent why it can be missing, "" if it never is.
	Help, Absent string
	// Text columns are aligned to the left, others to the right.
	Text bool
	// Rank says which columns are left out where there is no room: those with the highest first. The
	// column of rank 0 is never left out.
	Rank int
	// Width is how much room the usual texts need.
	Width int
}

// Cell is one entry of a table.
type Cell struct {
	// Text is free text, and may be hostile. It is "" for a figure.
	Text  string
	Value report.Quantity
}

// Table is a table whose cells are computed when they are asked for.
type Table struct {
	Columns []Column
	// Sort is the index of the column by which rows are sorted, -1 if they have an order of their
	// own, and Ascending is true if the least is first.
	Sort      int
	Ascending bool
	// Idle is how many tasks are watched that did nothing in the interval, and Hidden how many rows a
	// filter leaves out.
	Idle, Hidden int
	order        []int32
	cell         func(row, column int) Cell
	key          func(row int) Key
	matcher      func(text string) func(row int) bool
}

// Rows is the number of rows.
func (t *Table) Rows() int { return len(t.order) }

// Cell returns one entry.
func (t *Table) Cell(row, column int) Cell { return t.cell(int(t.order[row]), column) }

// Key tells a row's task or sum apart from others, now and in other intervals.
func (t *Table) Key(row int) Key { return t.key(int(t.order[row])) }

// Find returns the row of a task or sum, -1 if it has none.
func (t *Table) Find(k Key) int {
	for i := range t.order {
		if t.Key(i) == k {
			return i
		}
	}
	return -1
}

// Search returns the next row that contains a text in any of its names or numbers, as for a filter,
// after the row from or before it if back is true. It goes on at the other end, and returns -1 if there
// is none.
func (t *Table) Search(text string, from int, back bool) int {
	n := len(t.order)
	if n == 0 || text == "" || t.matcher == nil {
		return -1
	}
	matches, step := t.matcher(text), 1
	if back {
		step = n - 1
	}
	for i, row := 0, from; i < n; i++ {
		row = (row + step + n) % n
		if matches(int(t.order[row])) {
			return row
		}
	}
	return -1
}

// column returns the index of a column, -1 if there is none of that name.
func column(columns []Column, name string) int {
	return slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
}

// sort puts the rows from index first on into the order of the column with a name. Absent figures are
// last, whatever the direction.
func (t *Table) sort(name string, ascending bool, first int) {
	t.Sort, t.Ascending = column(t.Columns, name), ascending
	if t.Sort < 0 {
		return
	}
	type textKey struct {
		text string
		row  int32
	}
	type valueKey struct {
		value float64
		row   int32
	}
	var texts []textKey
	var absent []int32
	values := make([]valueKey, 0, len(t.order)-first)
	for _, row := range t.order[first:] {
		switch c := t.cell(int(row), t.Sort); {
		case c.Value.Known: // also of numbered things, such as cores
			values = append(values, valueKey{c.Value.Value, row})
		case c.Text != "":
			texts = append(texts, textKey{c.Text, row})
		default:
			absent = append(absent, row)
		}
	}
	sign := -1
	if ascending {
		sign = 1
	}
	slices.SortFunc(values, func(a, b valueKey) int {
		switch {
		case a.value < b.value:
			return -sign
		case a.value > b.value:
			return sign
		}
		return cmp.Compare(a.row, b.row)
	})
	slices.SortFunc(texts, func(a, b textKey) int {
		return cmp.Or(sign*strings.Compare(a.text, b.text), cmp.Compare(a.row, b.row))
	})
	order := t.order[:first]
	for _, k := range values {
		order = append(order, k.row)
	}
	for _, k := range texts {
		order = append(order, k.row)
	}
	t.order = append(order, absent...)
}

func ofValue(q report.Quantity) Cell { return Cell{Value: q} }

func ofText(s string) Cell { return Cell{Text: s} }
