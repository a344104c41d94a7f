package view

import (
	"encoding/json"
	"fmt"
)

// tableSchema is a Table Schema (Frictionless Data): what a CSV file's columns hold.
type tableSchema struct {
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

// TableSchema returns the Table Schema of a table with these columns. What is absent is
// an empty cell.
func TableSchema(name string, columns []TableColumn) []byte {
	s := tableSchema{
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
	// Texts and booleans can always be encoded.
	text, _ := json.MarshalIndent(s, "", "  ")
	return append(text, '\n')
}

// String names the kind as a Table Schema does.
func (k ColumnKind) String() string {
	switch k {
	case ColumnInteger:
		return "integer"
	case ColumnDecimal:
		return "number"
	case ColumnText:
		return "string"
	case ColumnTime:
		return "datetime"
	case ColumnBoolean:
		return "boolean"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
