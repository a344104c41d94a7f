package render_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

func csvOf(t *testing.T, r *report.Report, name string) []byte {
	t.Helper()
	tab, err := table.Of(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return csvOfTables(t, tab)
}

func csvOfTables(t *testing.T, tables ...table.Table) []byte {
	t.Helper()
	var out bytes.Buffer
	w := render.NewCSV(&out)
	for _, tab := range tables {
		if err := w.Table(tab); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// systemTables are the tables that only a watched system fills.
func systemTables() []string { return []string{"groups", "processes", "tasks"} }

// watched is a report of a watched system.
func watched() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 24, Groups: 5, Intervals: 6})
}

func TestCSVGoldens(t *testing.T) {
	for _, name := range table.Names() {
		if !slices.Contains(systemTables(), name) && name != "stacks" && name != "pairs" {
			golden(t, name+".csv", csvOf(t, reporttest.Bundled(1, 1), name))
		}
	}
	for _, name := range append(systemTables(), "trials", "core_times", "runs") {
		golden(t, "system-"+name+".csv", csvOf(t, watched(), name))
	}
	golden(t, "cores-kernel-no-pick.csv", csvOf(t, reporttest.WithoutPick(reporttest.Bundled(1, 1)), "cores"))
	golden(t, "workers-hostile-names.csv", csvOf(t, reporttest.Hostile(reporttest.Command()), "workers"))
}

func TestCSVFollowsRFC4180(t *testing.T) {
	tab := table.Table{
		Name: "t", Columns: []table.Column{{Name: "a", Kind: table.Text}, {Name: "b"}},
		Rows: slices.Values([][]table.Field{
			{table.FreeText(`say "hi", you`), table.Whole(-5)},
			{table.FreeText("-5"), {}},
			{table.FreeText(" a"), table.Whole(1)},
		}),
	}
	want := "a,b\r\n\"say \"\"hi\"\", you\",-5\r\n'-5,\r\n\" a\",1\r\n"
	if diff := cmp.Diff(want, string(csvOfTables(t, tab))); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

func TestCSVMakesHostileNamesSafe(t *testing.T) {
	r := reporttest.Hostile(reporttest.Command())
	records, err := csv.NewReader(bytes.NewReader(csvOf(t, r, "workers"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const comm = 6
	if records[0][comm] != "comm" {
		t.Fatalf("column %d is %s", comm, records[0][comm])
	}
	want := []string{
		`'=cmd|' /C calc'!A0`, `<script>`, `\x1b[31mred\x1b[0m`, `bad\xff\xfeutf`, `a\u202egpj.exe`, `z\u200bw`,
		`'+1`, `'-1`, `'@x`, `'\x09t`, `'\x0dr`, `a\x0ab`, `c\u0085d`, `\u3164`,
	}
	var got []string
	for _, rec := range records[1 : len(want)+1] {
		got = append(got, rec[comm])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestJSONIsWhatDecodeReads(t *testing.T) {
	var out bytes.Buffer
	want := reporttest.Bundled(1, 1)
	if err := render.JSON(&out, want); err != nil {
		t.Fatal(err)
	}
	got, err := report.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(histogram.Histogram{})); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestJSONMakesHostileNamesSafe(t *testing.T) {
	var out bytes.Buffer
	if err := render.JSON(&out, reporttest.Hostile(reporttest.Command())); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Contains(text, "<script>") || strings.ContainsRune(text, 0x1b) || strings.ToValidUTF8(text, "") != text {
		t.Error("a hostile name is in the JSON as it is")
	}
	if _, err := report.Decode(&out); err != nil {
		t.Error(err)
	}
}

// full is a writer that has no space left.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReturned(t *testing.T) {
	r := reporttest.Command()
	tab, err := table.Of(r, "workers")
	if err != nil {
		t.Fatal(err)
	}
	csvOut, parquetOut := render.NewCSV(full{}), render.NewParquet(full{})
	for name, err := range map[string]error{
		"text":    render.Text(full{}, r, render.TextOptions{}),
		"JSON":    render.JSON(full{}, r),
		"CSV":     errors.Join(csvOut.Table(tab), csvOut.Close()),
		"Parquet": errors.Join(parquetOut.Table(tab), parquetOut.Close()),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
