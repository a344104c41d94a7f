package table

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
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

// Names returns the names of the tables, in the order in which they are listed.
func Names() []string {
	return []string{
		"trials", "cores", "slices", "workers", "quality", "host", "findings",
		"runs", "core_times", "figures", "histograms", "groups", "processes", "tasks",
		"stacks", "pairs",
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
	case "groups":
		return groupTable(r), nil
	case "processes":
		return processTable(r), nil
	case "tasks":
		return taskTable(r), nil
	case "stacks":
		return stackTable(r), nil
	case "pairs":
		return pairTable(r), nil
	}
	hint := ""
	if near := words.Nearest(name, Names()); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return Table{}, fmt.Errorf("find table %q: the tables are %s%s", name, strings.Join(Names(), ", "), hint)
}
