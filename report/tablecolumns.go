package report

import "strings"

// ColumnKind is what a column of a Table holds. It never depends on the data.
type ColumnKind uint8

// The kinds of columns.
const (
	// ColumnInteger is a whole number of 64 bits, in the unit that the name ends with.
	ColumnInteger ColumnKind = iota
	// ColumnDecimal is a number with a point.
	ColumnDecimal
	// ColumnText is a text, or a value whose kind differs from row to row.
	ColumnText
	// ColumnTime is a moment, as RFC 3339 writes it in UTC.
	ColumnTime
)

// TableColumn is a column of a Table.
type TableColumn struct {
	Name string
	Kind ColumnKind
	// Required says that no field of it may be absent.
	Required bool
}

// columnList reads names, each with ":text" or ":decimal" if it is not of integers.
func columnList(list string) []TableColumn {
	var columns []TableColumn
	for _, word := range strings.Fields(list) {
		name, kind, _ := strings.Cut(word, ":")
		c := TableColumn{Name: name}
		switch kind {
		case "text":
			c.Kind = ColumnText
		case "decimal":
			c.Kind = ColumnDecimal
		}
		columns = append(columns, c)
	}
	return columns
}
