package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// The schema that the tool prints takes a report that it saves, and not any JSON.
func TestExportOfTheSchema(t *testing.T) {
	got := call(t, "export", "--schema")
	if got.status != exitDone || got.err != "" {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(got.out))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	id, _ := schema.(map[string]any)["$id"].(string)
	if err := c.AddResource(id, schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(saveReport(t, "r.json", reporttest.Full(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	saved, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(saved); err != nil {
		t.Error(err)
	}
	if err := compiled.Validate(map[string]any{"schema": 1}); err == nil {
		t.Error("it takes what is no report")
	}
	file := call(t, "export", "--schema", "-o", "schema.json")
	data, err = os.ReadFile(filepath.Join(file.dir, "schema.json"))
	if err != nil || string(data) != got.out || file.out != "" {
		t.Errorf("-o: %v, %d bytes", err, len(data))
	}
}

// A table's schema names the columns that its CSV has.
func TestExportOfATablesSchema(t *testing.T) {
	saved, recorded := saveReport(t, "r.json", reporttest.Bundled(1, 1)), saveRecording(t, 23)
	for _, name := range slices.Concat(table.Names(), render.RecordingTableNames()) {
		source := saved
		if slices.Contains(render.RecordingTableNames(), name) {
			source = recorded
		}
		rows, err := csv.NewReader(strings.NewReader(call(t, "export", source, "--table", name).out)).ReadAll()
		if err != nil || len(rows) == 0 {
			t.Fatalf("table %s: %v", name, err)
		}
		var schema struct{ Fields []struct{ Name string } }
		got := call(t, "export", "--schema", "--table", name)
		if err := json.Unmarshal([]byte(got.out), &schema); err != nil {
			t.Fatalf("table %s: %v, %s", name, err, got.err)
		}
		var columns []string
		for _, f := range schema.Fields {
			columns = append(columns, f.Name)
		}
		if diff := cmp.Diff(rows[0], columns); diff != "" {
			t.Errorf("table %s (-CSV +schema):\n%s", name, diff)
		}
	}
}
