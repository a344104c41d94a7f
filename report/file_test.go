package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

func encode(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.Encode(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// watched is a report of a watched system.
func watched() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 3, Tasks: 20, Groups: 5, Intervals: 2})
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(2, 3), "command": reporttest.Command(),
		"no pick": reporttest.WithoutPick(reporttest.Command()), "system": watched(),
	} {
		got, err := report.Decode(bytes.NewReader(encode(t, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, got, cmpopts.EquateComparable(histogram.Histogram{})); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

// alikeInAnyLayout checks that a text means the same with white space. Encode does not write any,
// and Decode then takes a slower path.
func alikeInAnyLayout(t *testing.T, text []byte) {
	t.Helper()
	var spaced bytes.Buffer
	if json.Indent(&spaced, text, "", " ") != nil {
		return
	}
	got, gotErr := report.Decode(bytes.NewReader(text))
	want, wantErr := report.Decode(bytes.NewReader(spaced.Bytes()))
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("%.300s: error %v, with spaces %v", text, gotErr, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%.300s: is %+v, with spaces %+v", text, got, want)
	}
}

func TestDecodeReadsAnyLayout(t *testing.T) {
	for _, r := range []*report.Report{
		reporttest.Bundled(2, 3), reporttest.Command(), reporttest.Dirty(reporttest.Bundled(1, 1)), watched(),
		{Schema: 1},
	} {
		alikeInAnyLayout(t, encode(t, r))
	}
	const one, two = `{"workload":"a","mode":"threads"}`, `{"workload":"b","mode":"processes"}`
	for _, text := range []string{
		`{"schema":1,"trials":[` + one + `,` + two + `],"quality":{}}`,
		`{"schema":1,"trials":[` + one + `,` + two + `,{"mode":"threads"}],"quality":{}}`,
		`{"schema":1,"trials":[` + one + `,0],"quality":{}}`,
		`{"schema":1,"trials":[],"quality":{},"x":[` + one + `,` + two + `]}`,
		`{"schema":1,"trials":[{"workload":"a","mode":"threads","x":[` + one + `,` + two + `]}],"quality":{}}`,
		`{"schema":1,"trials":[{"workload":"a","mode":"threads","x":[0],"quality":1}],"quality":{}}`,
		`{"schema":1,"x":{"trials":[` + one + `],"quality":{}}}`,
		`{"schema":1,"x":{"trials":[` + one + `],"quality":{}},"trials":[0]}`,
		`{"schema":1,"x":{"trials":[` + one + `],"quality":{}},"trials":[` + two + `],"quality":{}}`,
		`{"schema":1,"trials":[` + one + `],"quality":{},"trials":[` + two + `],"quality":{}}`,
		`{"schema":1,"trials":[` + one + `],"quality":{},"trials":null}`,
		`{"schema":1,"trials":[` + one + `],"quality":{}}{}`,
		`{"schema":1,"warnings":["\"trials\":[","],\"quality\":"],"trials":[` + one + `],"quality":{}}`,
		`{"schema":1,"trials":[{"workload":"},{\"workload\":","mode":"threads"}],"quality":{}}`,
	} {
		if !json.Valid([]byte(text)) && !strings.HasSuffix(text, "}{}") {
			t.Fatalf("no JSON: %s", text)
		}
		alikeInAnyLayout(t, []byte(text))
	}
	r, err := report.Decode(strings.NewReader(`{"schema":1,"trials":[` + one + `,` + two + `],"quality":{}}`))
	if err != nil || len(r.Trials) != 2 || r.Trials[1].Workload != "b" {
		t.Errorf("two trials are %+v, %v", r, err)
	}
}

func TestDecodeTakesTheFuzzerSeeds(t *testing.T) {
	seeds := reporttest.Tiny()
	for i, seed := range seeds {
		_, err := report.Decode(strings.NewReader(seed))
		if other := i == len(seeds)-1; errors.Is(err, report.ErrSchema) != other || !other && err != nil {
			t.Errorf("seed %d: %v", i, err)
		}
	}
}

func TestDecodeRefusesAnotherSchema(t *testing.T) {
	_, err := report.Decode(strings.NewReader(`{"schema": 99, "trials": "of another shape"}`))
	if !errors.Is(err, report.ErrSchema) {
		t.Fatalf("error is %v, want ErrSchema", err)
	}
	for _, want := range []string{"99", "reads 1", "measure again"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
}

func TestDecodeRefusesTruncation(t *testing.T) {
	data := encode(t, reporttest.Bundled(1, 1))
	for cut := 0; cut < len(data)-1; cut += 1 + len(data)/97 {
		if _, err := report.Decode(bytes.NewReader(data[:cut])); err == nil {
			t.Fatalf("%d of %d bytes are taken as a report", cut, len(data))
		}
	}
}

func TestDecodeRefusesHostileInput(t *testing.T) {
	trial := func(s string) string {
		return `{"schema":1,"trials":[{"mode":"threads",` + s + `}]}`
	}
	system := func(s string) string {
		return `{"schema":1,"trials":[{"mode":"system","system":{` + s + `}}]}`
	}
	if _, err := report.Decode(strings.NewReader(system(`"watched":3`))); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"not JSON":        "\x7fELF",
		"no schema":       `{}`,
		"array":           `[]`,
		"null":            `null`,
		"two reports":     `{"schema":1}{"schema":1}`,
		"unknown mode":    `{"schema":1,"trials":[{"mode":"fibers"}]}`,
		"negative time":   trial(`"duration_ns":-1`),
		"negative wall":   trial(`"cores":[{"wall_ns":-1}]`),
		"negative worker": trial(`"workers":[{"on_cpu_ns":-5}]`),
		"bad buckets":     trial(`"cores":[{"wait":{"count":1,"index":[9999999],"counts":[1]}}]`),
		"bad slices":      trial(`"cores":[{"slices":[{"ended_by":"tick","length":{"count":1}}]}]`),
		"bad phase": trial(
			`"cores":[{"classes":[{"class":"thread","switches":1,"pick":{"count":2,"index":[1],"counts":[1]}}]}]`),
		"class twice":             trial(`"cores":[{"classes":[{},{},{},{},{},{}]}]`),
		"system without tasks":    `{"schema":1,"trials":[{"mode":"system"}]}`,
		"tasks of threads":        trial(`"system":{}`),
		"system with workers":     system(`}, "workers":[{}`),
		"negative time of a task": system(`"tasks":[{"on_cpu_ns":-1}]`),
		"negative throttling":     system(`"groups":[{"throttling":{"ns":-1}}]`),
		"negative pressure":       system(`"groups":[{"pressure":{"full_ns":-1}}]`),
		"negative queue":          system(`"queues":[{"task_ns":-1}]`),
		"negative own time":       system(`"phase_ns":-1`),
		"bad waits":               system(`"tasks":[{"waits":{"count":1}}]`),
		"bad ended":               system(`"ended":[{"slices":{"count":1}}]`),
		"negative watch":          `{"schema":1,"setup":{"watch":{"every_ns":-1}}}`,
		"negative user":           `{"schema":1,"setup":{"watch":{"uids":[-1]}}}`,
		"overflow":                trial(`"operations":1e400`),
		"deep":                    strings.Repeat("[", 100_000),
	} {
		if r, err := report.Decode(strings.NewReader(in)); err == nil {
			t.Errorf("%s is taken as a report: %+v", name, r)
		}
	}
}

// FuzzDecode checks that any report that Decode accepts can be summarised, tabulated and written
// again without a panic.
func FuzzDecode(f *testing.F) {
	for _, seed := range reporttest.Tiny() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		alikeInAnyLayout(t, data)
		r, err := report.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		view.Summarize(r)
		r.ComputeQuality()
		findings.Compute(r)
		view.Overview(r)
		for _, name := range table.Names() {
			table, err := table.Of(r, name)
			if err != nil {
				t.Fatal(err)
			}
			for row := range table.Rows {
				if len(row) != len(table.Columns) {
					t.Fatalf("table %s: %d fields in %d columns", name, len(row), len(table.Columns))
				}
			}
		}
		if _, err := report.Decode(bytes.NewReader(encode(t, r))); err != nil {
			t.Fatalf("what was decoded once is refused: %v", err)
		}
	})
}

// Errors describe the file, not the program that reads it.
func TestDecodeSaysWhatIsWrongWithTheFile(t *testing.T) {
	var whole bytes.Buffer
	if err := report.Encode(&whole, reporttest.Command()); err != nil {
		t.Fatal(err)
	}
	text := whole.String()
	for _, c := range []struct{ file, says string }{
		{"", "is empty"},
		{" \n", "is empty"},
		{text[:len(text)/2], "ends too early"},
		{`{"schema":1,`, "ends too early"},
		{`{"schema":1,}`, "not valid JSON"},
		{text + text, "not a single report"},
		{"\x7fELF\xff", "not text"},
		{"\xff\xfe{\x00}\x00", "not text"},
		{string(reporttest.Recording()), "not text"},
		{"\xef\xbb\xbf" + text, "does not begin with {"},
		{"[]", "does not begin with {"},
		{"hello", "does not begin with {"},
		{`{"schema":"x"}`, `"schema"`},
		{`{"schema":1,"trials":{}}`, `"trials"`},
		{`{"schema":1,"trials":[{"workload":7}]}`, `"workload"`},
	} {
		_, err := report.Decode(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.says) ||
			!strings.Contains(err.Error(), "slicetrace run saved") {
			t.Errorf("%.40q: %v, want %q", c.file, err, c.says)
			continue
		}
		for _, word := range []string{"Go ", "struct", "unmarshal", "json:", "object from", "0x"} {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%.40q: %v", c.file, err)
			}
		}
	}
}

// A run keeps all its trials in memory until the report is made, and must disturb the measurement
// little. The trials of a default run on two cores fit into a few MiB.
func TestTrialsAreSmall(t *testing.T) {
	r := reporttest.Full(12, 2)
	text, err := json.Marshal(r.Trials)
	if err != nil {
		t.Fatal(err)
	}
	r = nil
	var before, after runtime.MemStats
	collect := func() { runtime.GC(); runtime.GC() } // what pools hold goes with the second
	collect()
	runtime.ReadMemStats(&before)
	var trials []report.Trial
	if err := json.Unmarshal(text, &trials); err != nil {
		t.Fatal(err)
	}
	collect()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d trials take %d KiB, and %d as text", len(trials), held>>10, len(text)>>10)
	if limit := int64(5 << 20); held > limit {
		t.Errorf("%d trials take %d bytes, allowed are %d", len(trials), held, limit)
	}
	runtime.KeepAlive(text)
	runtime.KeepAlive(trials)
}
