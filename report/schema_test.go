package report_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

func TestReportsFollowTheSchema(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(1, 2),
		"command": reporttest.Command(), "commands": reporttest.Commands(2),
		"no pick": reporttest.WithoutPick(reporttest.Bundled(1, 1)),
		"dirty":   reporttest.Dirty(reporttest.Bundled(1, 1)),
		"system":  watched(),
		"watch of": {Schema: report.SchemaVersion, Created: time.Unix(0, 0).UTC(), Setup: report.Setup{
			Watch: &report.Watch{
				PIDs: []sched.PID{1}, Cgroups: []string{"a"}, Comms: []string{"b*"}, UIDs: []uint32{0},
			},
		}},
		"empty": {Schema: report.SchemaVersion, Created: time.Unix(0, 0).UTC()},
	} {
		if err := reporttest.CheckSchema(encode(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Descriptions are for readers of the file: they use its names, not Go's. The bounds of a
// histogram's buckets can be computed from them.
func TestSchemaSpeaksOfTheFile(t *testing.T) {
	var schema any
	if err := json.Unmarshal(report.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	ofGo := regexp.MustCompile(`\bnil\b|\b[A-Z][a-z]+[A-Z]\w*|\b[a-z]+[A-Z]\w*|[A-Za-z]NS\b|\bzero value\b`)
	described := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if text, ok := v["description"].(string); ok {
				described++
				if word := ofGo.FindString(strings.ReplaceAll(text, "VmPTE", "")); word != "" {
					t.Errorf("%s: %q is a word of Go: %s", at, word, text)
				}
			}
			if kinds, ok := v["type"].([]any); ok {
				t.Errorf("%s is of several kinds: %v", at, kinds)
			}
			for name, part := range v {
				walk(at+"/"+name, part)
			}
		case []any:
			for _, part := range v {
				walk(at, part)
			}
		}
	}
	walk("", schema)
	if id, _ := schema.(map[string]any)["$id"].(string); described < 100 || !strings.HasPrefix(id, "https://") {
		t.Errorf("%d parts are described, the schema is called %q", described, id)
	}
	text := string(report.JSONSchema())
	for _, formula := range []string{
		"(16 + i mod 16) × 2^(floor(i / 16) - 1)", "(17 + i mod 16) × 2^(floor(i / 16) - 1)", "the last, 975",
	} {
		if !strings.Contains(text, formula) {
			t.Errorf("it lacks %s", formula)
		}
	}
	for i := 16; i < 975; i++ {
		low, high := histogram.BucketBounds(i)
		if shift := i/16 - 1; low != uint64(16+i%16)<<shift || i < 974 && high != uint64(17+i%16)<<shift {
			t.Fatalf("bucket %d is %d to %d", i, low, high)
		}
	}
}

func TestSchemaRefusesWhatDecodeRefuses(t *testing.T) {
	good := string(encode(t, reporttest.Bundled(1, 1)))
	for _, change := range [][2]string{
		{`"schema":1`, `"schema":2`},
		{`"mode":"threads"`, `"mode":"fibers"`},
		{`"wall_ns":`, `"wall_ns":-`},
		{`"on_cpu_ns":`, `"nice":20,"on_cpu_ns":`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("the example has no %s", change[0])
		}
		if err := reporttest.CheckSchema([]byte(bad)); err == nil {
			t.Errorf("the schema takes %s", change[1])
		}
		if _, err := report.Decode(strings.NewReader(bad)); err == nil {
			t.Errorf("Decode takes %s", change[1])
		}
	}
}

// object is the part of a JSON Schema that lists fields.
type object struct {
	Required   []string                   `json:"required"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// fieldsOf returns the names in a struct's JSON, which of them are always present, and the types of
// fields that are structs.
func fieldsOf(t *testing.T, typ reflect.Type) (fields, required []string, types []reflect.Type) {
	t.Helper()
	if typ == reflect.TypeFor[histogram.Histogram]() { // which writes itself
		return namesOf(t, reporttest.HistogramOf(1, 1)), namesOf(t, histogram.Histogram{}), nil
	}
	for _, f := range reflect.VisibleFields(typ) {
		if f.Anonymous { // its own fields are written in its place
			continue
		}
		tag := strings.Split(f.Tag.Get("json"), ",")
		fields = append(fields, tag[0])
		if len(tag) == 1 {
			required = append(required, tag[0])
		}
		elem := f.Type
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice || elem.Kind() == reflect.Map {
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Struct && elem != reflect.TypeFor[time.Time]() {
			types = append(types, elem)
		}
	}
	return fields, required, types
}

// namesOf returns the names in v's JSON in order.
func namesOf(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, found := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, found[1])
	}
	return names
}

// TestSchemaListsEveryField walks the Go types, so that they and the schema always agree.
func TestSchemaListsEveryField(t *testing.T) {
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(report.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type, object)
	walk = func(typ reflect.Type, got object) {
		seen[typ] = true
		fields, required, types := fieldsOf(t, typ)
		for _, field := range types {
			if !seen[field] {
				walk(field, schema.Defs[field.Name()])
			}
		}
		var listed []string
		for name := range got.Properties {
			listed = append(listed, name)
		}
		slices.Sort(fields)
		slices.Sort(listed)
		if diff := cmp.Diff(fields, listed); diff != "" {
			t.Errorf("%s: fields (-Go +schema):\n%s", typ.Name(), diff)
		}
		if diff := cmp.Diff(required, got.Required); diff != "" {
			t.Errorf("%s: required (-Go +schema):\n%s", typ.Name(), diff)
		}
	}
	walk(reflect.TypeFor[report.Report](), schema.object)
	if want := len(seen) - 1; len(schema.Defs) != want {
		t.Errorf("the schema defines %d types, Go has %d", len(schema.Defs), want)
	}
}
