package view

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
	// ColumnBoolean is true or false.
	ColumnBoolean
)

// TableColumn is a column of a Table.
type TableColumn struct {
	Name string
	Kind ColumnKind
	// Required says that no field of it may be absent.
	Required bool
	// KeepEmpty says of a text that "" is a name like any other, such as that of a
	// workload's plain form, and no absent one: where absent is NULL, it is not. Rows are
	// grouped and joined by such a column, and a NULL would drop out there.
	KeepEmpty bool
}

// columnList reads names, each with its kind if it is not of integers: ":text",
// ":name" for a text that is never absent, ":decimal", ":time" or ":boolean".
func columnList(list string) []TableColumn {
	var columns []TableColumn
	for _, word := range strings.Fields(list) {
		name, kind, _ := strings.Cut(word, ":")
		c := TableColumn{Name: name}
		switch kind {
		case "text":
			c.Kind = ColumnText
		case "name":
			c.Kind, c.KeepEmpty = ColumnText, true
		case "time":
			c.Kind = ColumnTime
		case "boolean":
			c.Kind = ColumnBoolean
		case "decimal":
			c.Kind = ColumnDecimal
		}
		columns = append(columns, c)
	}
	return columns
}
