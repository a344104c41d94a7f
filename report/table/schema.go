package table

import (
	"encoding/json"
	"fmt"
)

// fileSchema is a Table Schema (Frictionless Data), which describes the columns of a CSV file.
type fileSchema struct {
	Schema        string        `json:"$schema"`
	Name          string        `json:"name"`
	Fields        []columnField `json:"fields"`
	MissingValues []string      `json:"missingValues"`
}

type columnField struct {
	Name        string             `json:"name"`
	Type        string             `json:"type"`
	Constraints *columnConstraints `json:"constraints,omitempty"`
}

type columnConstraints struct {
	Required bool `json:"required"`
}

// Schema returns the Table Schema of a table with these columns. Absent figures are empty cells.
func Schema(name string, columns []Column) []byte {
	s := fileSchema{
		Schema: "https://datapackage.org/profiles/2.0/tableschema.json", Name: name,
		Fields: []columnField{}, MissingValues: []string{""},
	}
	for _, c := range columns {
		f := columnField{Name: c.Name, Type: c.Kind.String()}
		if c.Required {
			f.Constraints = &columnConstraints{true}
		}
		s.Fields = append(s.Fields, f)
	}
	// Encoding texts and booleans cannot fail.
	text, _ := json.MarshalIndent(s, "", "  ")
	return append(text, '\n')
}

// String returns the name that a Table Schema has for the kind.
func (k Kind) String() string {
	switch k {
	case Integer:
		return "integer"
	case Decimal:
		return "number"
	case Text:
		return "string"
	case Time:
		return "datetime"
	case Boolean:
		return "boolean"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
