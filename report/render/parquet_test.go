package render_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

func parquetOf(t *testing.T, tables ...table.Table) *parquet.File {
	t.Helper()
	var out bytes.Buffer
	w := render.NewParquet(&out)
	for _, tab := range tables {
		if err := w.Table(tab); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return openParquet(t, out.Bytes())
}

func openParquet(t *testing.T, data []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// isName reports whether rows are grouped and joined by a column, which must then never be NULL.
func isName(table, column string) bool {
	return column == "variant" || column == "load" ||
		table == "histograms" && (column == "class" || column == "ended_by")
}

// texts returns all rows as CSV would show them, without making them safe.
func texts(t *testing.T, f *parquet.File) [][]string {
	t.Helper()
	var out [][]string
	reader := parquet.NewGenericReader[any](f)
	rows := make([]parquet.Row, 64)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			var line []string
			for i, v := range row {
				column := f.Schema().Columns()[i][0]
				name := isName(f.Schema().Name(), column)
				switch {
				case v.IsNull() && name:
					t.Fatalf("row %d of %s has NULL as %s", len(out), f.Schema().Name(), column)
				case v.IsNull():
					line = append(line, "")
				case v.Kind() == parquet.ByteArray && len(v.ByteArray()) == 0 && !name:
					t.Fatalf("row %d of %s has an empty text instead of NULL as %s",
						len(out), f.Schema().Name(), column)
				case v.Kind() == parquet.Double && column == "p":
					line = append(line, strconv.FormatFloat(v.Double(), 'g', 6, 64))
				case v.Kind() == parquet.Double:
					line = append(line, strconv.FormatFloat(v.Double(), 'f', 6, 64))
				case v.Kind() == parquet.Int64 &&
					strings.HasPrefix(f.Schema().Fields()[i].Type().String(), "TIMESTAMP"):
					line = append(line, time.UnixMicro(v.Int64()).UTC().Format(time.RFC3339Nano))
				default:
					line = append(line, v.String())
				}
			}
			out = append(out, line)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The types of every column of every table, which readers of many files depend on.
func TestParquetSchemas(t *testing.T) {
	var got strings.Builder
	empty := new(report.Report)
	for _, name := range table.Names() {
		tab, err := table.Of(empty, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&got, parquetOf(t, table.InFleet(empty, tab, "")).Schema())
	}
	for _, name := range render.RecordingTableNames() {
		fmt.Fprintln(&got, openParquet(t, recordingTable(t, parquetTo, smallRecording(t), name)).Schema())
	}
	golden(t, "parquet-schemas.txt", []byte(got.String()))
}

// There is no type or encoding that Spark, Trino or ClickHouse might not support.
func TestParquetIsPlain(t *testing.T) {
	r := reporttest.Bundled(2, 2)
	for _, name := range table.Names() {
		tab, err := table.Of(r, name)
		if err != nil {
			t.Fatal(err)
		}
		f := parquetOf(t, table.InFleet(r, tab, "r.json"))
		for _, e := range f.Metadata().Schema[1:] {
			logical := e.LogicalType.String()
			plain := []string{"", "INT(64,true)", "STRING", "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)"}
			if !slices.Contains(plain, logical) {
				t.Errorf("%s.%s is of logical type %q", name, e.Name, logical)
			}
		}
		for _, g := range f.Metadata().RowGroups {
			for _, c := range g.Columns {
				if c.MetaData.Codec.String() != "ZSTD" {
					t.Errorf("%s %v is compressed with %v", name, c.MetaData.PathInSchema, c.MetaData.Codec)
				}
			}
		}
	}
}

// Parquet has the same values as CSV.
func TestParquetHoldsTheTables(t *testing.T) {
	for what, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(13, 7), "command": reporttest.Command(),
		"no pick": reporttest.WithoutPick(reporttest.Bundled(1, 1)), "system": watched(),
	} {
		for _, name := range table.Names() {
			tab, err := table.Of(r, name)
			if err != nil {
				t.Fatal(err)
			}
			var want [][]string
			for range 2 {
				for row := range tab.Rows {
					var line []string
					for _, f := range row {
						line = append(line, f.String())
					}
					want = append(want, line)
				}
			}
			if diff := cmp.Diff(want, texts(t, parquetOf(t, tab, tab))); diff != "" {
				t.Errorf("%s, table %s (-want +got):\n%s", what, name, diff)
			}
		}
	}
}

func TestParquetMakesHostileNamesValid(t *testing.T) {
	r := reporttest.Hostile(reporttest.Command())
	tab, err := table.Of(r, "workers")
	if err != nil {
		t.Fatal(err)
	}
	const comm = 6
	rows := texts(t, parquetOf(t, tab))
	for i, name := range reporttest.HostileNames() {
		want := strings.ToValidUTF8(name, "\uFFFD")
		if got := rows[i][comm]; got != want || !utf8.ValidString(got) {
			t.Errorf("name is %q, want %q", got, want)
		}
	}
}

func TestParquetRefusesWhatDoesNotFitTheColumn(t *testing.T) {
	tab := table.Table{
		Name: "t", Columns: []table.Column{{Name: "n"}},
		Rows: slices.Values([][]table.Field{{table.Whole(uint64(math.MaxUint64))}}),
	}
	if err := render.NewParquet(io.Discard).Table(tab); err == nil || !strings.Contains(err.Error(), "column n") {
		t.Errorf("error is %v", err)
	}
}
