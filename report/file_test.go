package report_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func encode(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.Encode(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(2, 3), "command": reporttest.Command(), "no pick": reporttest.WithoutPick(reporttest.Command()),
	} {
		got, err := report.Decode(bytes.NewReader(encode(t, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, got, cmpopts.EquateComparable(report.Histogram{})); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
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
		"bad phase":       trial(`"cores":[{"classes":[{"class":"thread","switches":1,"pick":{"count":2,"index":[1],"counts":[1]}}]}]`),
		"class twice":     trial(`"cores":[{"classes":[{},{},{},{},{},{}]}]`),
		"overflow":        trial(`"operations":1e400`),
		"deep":            strings.Repeat("[", 100_000),
	} {
		if r, err := report.Decode(strings.NewReader(in)); err == nil {
			t.Errorf("%s is taken as a report: %+v", name, r)
		}
	}
}

// FuzzDecode holds that whatever Decode takes can be summarized, tabulated and
// written again without a panic.
func FuzzDecode(f *testing.F) {
	for _, seed := range reporttest.Tiny() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		r.Summarize()
		r.ComputeQuality()
		r.ComputeFindings()
		r.Overview()
		for _, name := range report.TableNames() {
			table, err := r.Table(name)
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
