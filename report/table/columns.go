package table

import "strings"

// Kind is the type of a column of a Table. It does not depend on the data.
type Kind uint8

// The kinds of columns.
const (
	// Integer is a 64-bit integer, in the unit that the column's name ends with.
	Integer Kind = iota
	// Decimal is a decimal fraction.
	Decimal
	// Text is a text, or a value whose type differs from row to row.
	Text
	// Time is a time in UTC, as in RFC 3339.
	Time
	// Boolean is true or false.
	Boolean
)

// Column is a column of a Table.
type Column struct {
	Name string
	Kind Kind
	// Required is true if no field of the column may be absent.
	Required bool
	// KeepEmpty is true if "" is a valid text, such as the name of a workload's only variant, and
	// does not mean that the text is absent. In formats that have NULL it is not NULL: rows are
	// grouped and joined by such a column, and NULLs would be left out.
	KeepEmpty bool
}

// columnList parses names, each followed by its kind unless it is Integer: ":text", ":name" for a
// text that is never absent, ":decimal", ":time" or ":boolean".
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
