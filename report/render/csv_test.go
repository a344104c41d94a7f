package render_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func csvOf(t *testing.T, r *report.Report, name string) []byte {
	t.Helper()
	table, err := r.Table(name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := render.CSV(&out, table); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCSVGoldens(t *testing.T) {
	for _, name := range report.TableNames() {
		golden(t, name+".csv", csvOf(t, reporttest.Bundled(1, 1), name))
	}
	golden(t, "cores-kernel-no-pick.csv", csvOf(t, reporttest.WithoutPick(reporttest.Bundled(1, 1)), "cores"))
	golden(t, "workers-hostile-names.csv", csvOf(t, reporttest.Hostile(reporttest.Command()), "workers"))
}

func TestCSVFollowsRFC4180(t *testing.T) {
	table := report.Table{
		Name: "t", Columns: []string{"a", "b"},
		Rows: [][]report.Field{
			{{Text: `say "hi", you`, Free: true}, {Text: "-5"}},
			{{Text: "-5", Free: true}, {}},
		},
	}
	var out bytes.Buffer
	if err := render.CSV(&out, table); err != nil {
		t.Fatal(err)
	}
	want := "a,b\r\n\"say \"\"hi\"\", you\",-5\r\n'-5,\r\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
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
	if diff := cmp.Diff(want, got); diff != "" {
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

// full is a writer without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReturned(t *testing.T) {
	r := reporttest.Command()
	table, err := r.Table("workers")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"text": render.Text(full{}, r, render.TextOptions{}),
		"JSON": render.JSON(full{}, r),
		"CSV":  render.CSV(full{}, table),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
