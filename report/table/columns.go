package table

import "strings"

// Kind is what a column of a Table holds. It never depends on the data.
type Kind uint8

// The kinds of columns.
const (
	// Integer is a whole number of 64 bits, in the unit that the name ends with.
	Integer Kind = iota
	// Decimal is a number with a point.
	Decimal
	// Text is a text, or a value whose kind differs from row to row.
	Text
	// Time is a moment, as RFC 3339 writes it in UTC.
	Time
	// Boolean is true or false.
	Boolean
)

// Column is a column of a Table.
type Column struct {
	Name string
	Kind Kind
	// Required says that no field of it may be absent.
	Required bool
	// KeepEmpty says of a text that "" is a name like any other, such as that of a
	// workload's plain form, and no absent one: where absent is NULL, it is not. Rows are
	// grouped and joined by such a column, and a NULL would drop out there.
	KeepEmpty bool
}

// columnList reads names, each with its kind if it is not of integers: ":text",
// ":name" for a text that is never absent, ":decimal", ":time" or ":boolean".
func columnList(list string) []Column {
	var columns []Column
	for _, word := range strings.Fields(list) {
		name, kind, _ := strings.Cut(word, ":")
		c := Column{Name: name}
		switch kind {
		case "text":
			c.Kind = Text
		case "name":
			c.Kind, c.KeepEmpty = Text, true
		case "time":
			c.Kind = Time
		case "boolean":
			c.Kind = Boolean
		case "decimal":
			c.Kind = Decimal
		}
		columns = append(columns, c)
	}
	return columns
}
