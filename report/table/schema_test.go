package table_test

import (
	"encoding/json"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/table"
)

// Types in a table's schema are those of Table Schema, and flags are integers or booleans there.
func TestTableSchema(t *testing.T) {
	for _, name := range table.Names() {
		columns := tableOf(t, new(report.Report), name).Columns
		var schema struct {
			Name   string
			Fields []struct{ Name, Type string }
		}
		if err := json.Unmarshal(table.Schema(name, columns), &schema); err != nil {
			t.Fatal(err)
		}
		if schema.Name != name || len(schema.Fields) != len(columns) {
			t.Errorf("table %s: %q with %d fields", name, schema.Name, len(schema.Fields))
		}
		for i, f := range schema.Fields {
			want := map[table.Kind]string{
				table.Integer: "integer", table.Decimal: "number", table.Text: "string",
				table.Time: "datetime", table.Boolean: "boolean",
			}[columns[i].Kind]
			if f.Name != columns[i].Name || f.Type != want {
				t.Errorf("table %s: %s is of type %s, want %s of type %s", name, f.Name, f.Type, columns[i].Name, want)
			}
			if clean := f.Name == "clean" || f.Name == "recorded"; clean && f.Type != "boolean" {
				t.Errorf("table %s: %s is of type %s", name, f.Name, f.Type)
			}
		}
	}
}
