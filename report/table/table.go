package table

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// Table is one of the tidy tables that export writes: one row per observation, integers in the unit
// that the column's name ends with, in a stable order. A table has the same columns for every
// report.
type Table struct {
	Name    string
	Columns []Column
	// Rows computes the rows each time, one by one.
	Rows iter.Seq[[]Field]
}

// With returns the table with constant columns before its own, such as the report's name if tables
// of several reports follow one another. Columns whose names the table already has are left out.
func (t Table) With(columns []Column, fields []Field) Table {
	columns, fields = t.lacking(columns, fields)
	rows := t.Rows
	t.Columns = slices.Concat(columns, t.Columns)
	t.Rows = func(yield func([]Field) bool) {
		for row := range rows {
			if !yield(slices.Concat(fields, row)) {
				return
			}
		}
	}
	return t
}

// And returns the table with constant columns after its own, without those whose names it already
// has.
func (t Table) And(columns []Column, fields []Field) Table {
	columns, fields = t.lacking(columns, fields)
	rows := t.Rows
	t.Columns = slices.Concat(t.Columns, columns)
	t.Rows = func(yield func([]Field) bool) {
		for row := range rows {
			if !yield(slices.Concat(row, fields)) {
				return
			}
		}
	}
	return t
}

// lacking returns the columns that the table does not have yet, and their values.
func (t Table) lacking(columns []Column, fields []Field) (fresh []Column, values []Field) {
	for i, c := range columns {
		if !slices.ContainsFunc(t.Columns, func(own Column) bool { return own.Name == c.Name }) {
			fresh, values = append(fresh, c), append(values, fields[i])
		}
	}
	return fresh, values
}

// Field is one entry of a Table. If Text is empty, the figure is absent.
type Field struct {
	Text string
	// Free is true if the text is not a number but comes from outside, and may be hostile:
	// renderers must make it safe.
	Free bool
}

// Names returns the names of the tables, in the order in which they are listed.
func Names() []string {
	return []string{
		"trials", "cores", "slices", "workers", "quality", "host", "findings",
		"runs", "core_times", "figures", "histograms",
	}
}

// Of returns the table with a name. The error for an unknown name lists the tables and suggests the
// nearest name.
func Of(r *report.Report, name string) (Table, error) {
	switch name {
	case "trials":
		return trialTable(r), nil
	case "cores":
		return coreTable(r), nil
	case "slices":
		return sliceTable(r), nil
	case "workers":
		return workerTable(r), nil
	case "quality":
		return qualityTable(r), nil
	case "host":
		return hostTable(r), nil
	case "findings":
		return findingTable(r), nil
	case "runs":
		return runTable(r), nil
	case "core_times":
		return coreTimeTable(r), nil
	case "figures":
		return figureTable(r), nil
	case "histograms":
		return histogramTable(r), nil
	}
	hint := ""
	if near := words.Nearest(name, Names()); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return Table{}, fmt.Errorf("find table %q: the tables are %s%s", name, strings.Join(Names(), ", "), hint)
}

// absent is the field of a figure that was not measured.
func absent() Field { return Field{} }

func integer[T ~int | int64 | uint64](n T) Field { return Field{Text: fmt.Sprint(n)} }

// decimal keeps six digits after the point, enough for a ratio of two measured times. NaN and
// infinite values are absent, and values that round to zero have no sign.
func decimal(x float64, ok bool) Field {
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
		return absent()
	}
	text := strconv.FormatFloat(x, 'f', 6, 64)
	if unsigned, negative := strings.CutPrefix(text, "-"); negative && strings.Trim(unsigned, "0.") == "" {
		text = unsigned
	}
	return Field{Text: text}
}

// boolean is a field of a Boolean column.
func boolean(is bool) Field { return Field{Text: strconv.FormatBool(is)} }

// moment is a field of a Time column.
func moment(t time.Time) Field { return Field{Text: t.UTC().Format(time.RFC3339Nano)} }

// optional is a decimal, absent if x is nil.
func optional(x *float64) Field {
	if x == nil {
		return absent()
	}
	return decimal(*x, true)
}

func free(s string) Field { return Field{Text: s, Free: true} }

// known is an integer, absent if n is nil.
func known[T ~int | int64 | uint64](n *T) Field {
	if n == nil {
		return absent()
	}
	return integer(*n)
}

// quantileField rounds a quantile to whole nanoseconds.
func quantileField(h histogram.Histogram, q float64) Field {
	ns, ok := h.Quantile(q)
	if !ok {
		return absent()
	}
	return Field{Text: strconv.FormatFloat(ns, 'f', 0, 64)}
}

func sumField(h histogram.Histogram) Field {
	if h.Count == 0 {
		return absent()
	}
	return integer(h.SumNS)
}

func maxField(h histogram.Histogram) Field {
	if h.Count == 0 {
		return absent()
	}
	return integer(h.MaxNS)
}
