package render_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// parquetFiles are the files whose metadata are checked: every table, and cases that are easy to
// get wrong.
func parquetFiles(t *testing.T) map[string]*parquet.File {
	t.Helper()
	files := map[string]*parquet.File{}
	for what, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(3, 2), "full": reporttest.WithoutPick(reporttest.Full(2, 2)),
		"hostile": reporttest.Hostile(reporttest.Command()), "empty": {},
	} {
		for _, name := range table.Names() {
			tab, err := table.Of(r, name)
			if err != nil {
				t.Fatal(err)
			}
			files[what+" "+name] = parquetOf(t, tab.With(table.IdentityColumns(), table.Identity(r)))
		}
	}
	for what, data := range map[string][]byte{"small": smallRecording(t), "recorded": reporttest.Recording()} {
		for _, name := range render.RecordingTableNames() {
			files[what+" "+name] = openParquet(t, recordingTable(t, parquetTo, data, name))
		}
	}
	for what, column := range awkwardColumns() {
		files[what] = parquetOf(t, table.Table{
			Name: "awkward", Columns: []table.Column{{Name: "c", Kind: column.kind}, {Name: "n", Required: true}},
			Rows: func(yield func([]table.Field) bool) {
				for i, text := range column.texts {
					if !yield([]table.Field{fieldOf(t, column.kind, text), table.Whole(i)}) {
						return
					}
				}
			},
		})
	}
	return files
}

// fieldOf is the field of a column of some kind, absent if the text is empty.
func fieldOf(t *testing.T, kind table.Kind, text string) table.Field {
	t.Helper()
	var err error
	field := table.FreeText(text)
	switch {
	case text == "":
	case kind == table.Integer:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		field = table.Whole(n)
	case kind == table.Decimal:
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		field = table.Fraction(x)
	case kind == table.Time:
		var at time.Time
		at, err = time.Parse(time.RFC3339Nano, text)
		field = table.Moment(at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return field
}

// awkwardColumn has the fields of a column; "" is absent.
type awkwardColumn struct {
	kind  table.Kind
	texts []string
}

func awkwardColumns() map[string]awkwardColumn {
	long := strings.Repeat("a", 15)
	some := make([]string, 200_000) // several pages, of which some hold no value
	for i := range some {
		if i < 70_000 || i > 140_000 {
			some[i] = fmt.Sprint(i)
		}
	}
	return map[string]awkwardColumn{
		"decimals that are no numbers": {table.Decimal, []string{"1.5", "NaN", "-0.000000", "", "-2"}},
		"decimals, none a number":      {table.Decimal, []string{"NaN", "NaN"}},
		"decimals without end":         {table.Decimal, []string{"+Inf", "-Inf", "0"}},
		"zero from below":              {table.Decimal, []string{"-0.000000"}},
		"nothing":                      {table.Text, []string{"", "", ""}},
		"no integer":                   {table.Integer, []string{"", ""}},
		"pages of nothing":             {table.Integer, some},
		"texts and pages of nothing":   {table.Text, some},
		"the largest": {table.Integer, []string{fmt.Sprint(math.MaxInt64),
			fmt.Sprint(math.MinInt64 + 1), "0"}},
		"times": {table.Time, []string{"1969-12-31T23:59:59.999999Z",
			"2026-11-22T20:11:00.1234567+02:00", ""}},
		"a text that is cut within a rune": {table.Text, []string{long + "é", long + "\U0010ffff",
			long + "\u007f\u007f"}},
		"texts without end": {table.Text, []string{strings.Repeat("\U0010ffff", 30_000),
			strings.Repeat("\x7f", 70_000), "b"}},
		"what is not UTF-8": {table.Text, []string{"\xff\xff\xff", long + "\xc3", "a\x00",
			"\xed\xa0\x80"}},
		"upper case, marks, no ASCII": {table.Text, []string{"Z", "a", "_", "ß", "日本", "~", " "}},
	}
}

// The metadata of a file describe its data correctly. Readers skip parts that, according to the
// metadata, cannot contain what they look for.
func TestParquetMetadataAreOfTheData(t *testing.T) {
	for what, f := range parquetFiles(t) {
		t.Run(what, func(t *testing.T) { checkMetadata(t, f) })
	}
}

// The metadata of the first of several row groups describe that group, not the last one.
func TestParquetMetadataOfSeveralRowGroups(t *testing.T) {
	rows := 1_100_000
	if testing.Short() {
		rows = 530_000 // still two
	}
	f := parquetOf(t, table.Table{
		Name: "long", Columns: []table.Column{{Name: "n", Required: true}, {Name: "text",
			Kind: table.Text}, {Name: "some"}},
		Rows: func(yield func([]table.Field) bool) {
			for i := range rows {
				row := []table.Field{table.Whole(i), table.FreeText(fmt.Sprintf("%07d", i/1000)), {}}
				if i%3 == 0 {
					row[2] = table.Whole(-i)
				}
				if !yield(row) {
					return
				}
			}
		},
	})
	if got := len(f.RowGroups()); got < 2 {
		t.Fatalf("%d row groups", got)
	}
	checkMetadata(t, f)
}

func checkMetadata(t *testing.T, f *parquet.File) {
	t.Helper()
	meta := f.Metadata()
	if !regexp.MustCompile(`^slicetrace version`).MatchString(meta.CreatedBy) || len(meta.KeyValueMetadata) != 0 {
		t.Errorf("created by %q, and the tool writes no keys: %v", meta.CreatedBy, meta.KeyValueMetadata)
	}
	var rows int64
	columns := len(f.Schema().Columns())
	for i, group := range f.RowGroups() {
		m := meta.RowGroups[i]
		rows += m.NumRows
		if len(m.SortingColumns) != 0 {
			t.Errorf("row group %d is said to be sorted, which nothing sees to: %v", i, m.SortingColumns)
		}
		var size, compressed int64
		for j, chunk := range group.ColumnChunks() {
			column := m.Columns[j].MetaData
			size, compressed = size+column.TotalUncompressedSize, compressed+column.TotalCompressedSize
			at := fmt.Sprintf("row group %d, column %s", i, strings.Join(column.PathInSchema, "."))
			checkColumn(t, at, chunk, &column, m.NumRows, &f.ColumnIndexes()[i*columns+j],
				&f.OffsetIndexes()[i*columns+j])
		}
		if m.TotalByteSize != size || m.TotalCompressedSize != compressed {
			t.Errorf("row group %d is of %d bytes, %d compressed, want %d and %d", i, m.TotalByteSize,
				m.TotalCompressedSize, size, compressed)
		}
	}
	if got := int64(len(texts(t, f))); meta.NumRows != rows || got != rows {
		t.Errorf("the file says %d rows, its groups %d, and holds %d", meta.NumRows, rows, got)
	}
}

// checkColumn compares the page index and the statistics with the pages' values.
func checkColumn(
	t *testing.T, at string, chunk parquet.ColumnChunk, m *format.ColumnMetaData, rows int64,
	index *format.ColumnIndex, offsets *format.OffsetIndex,
) {
	t.Helper()
	var all []parquet.Value
	pages := chunk.Pages()
	defer pages.Close()
	n := 0
	for ; ; n++ {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		values := make([]parquet.Value, page.NumValues())
		if got, err := page.Values().ReadValues(values); got != len(values) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(got, err)
		}
		if n == len(index.MinValues) || n == len(offsets.PageLocations) {
			t.Fatalf("%s: the index ends before page %d", at, n)
		}
		where := fmt.Sprintf("%s, page %d", at, n)
		if got := offsets.PageLocations[n].FirstRowIndex; got != int64(len(all)) {
			t.Errorf("%s begins with row %d, want %d", where, got, len(all))
		}
		checkBounds(t, where, chunk.Type(), values, index.MinValues[n], index.MaxValues[n], index.NullCounts[n])
		nulls := nullsOf(values)
		if want := nulls == int64(len(values)); index.NullPages[n] != want {
			t.Errorf("%s is said to be of nulls alone: %v, want %v", where, index.NullPages[n], want)
		}
		h, defined := index.DefinitionLevelHistogram, int64(len(values))-nulls
		if len(h) > 0 && (h[2*n] != nulls || h[2*n+1] != defined) {
			t.Errorf("%s: definition levels %v, want %d of %d absent", where, h[2*n:2*n+2], nulls, len(values))
		}
		for i := range values {
			all = append(all, values[i].Clone())
		}
		parquet.Release(page)
	}
	if n != len(index.MinValues) || n != len(offsets.PageLocations) {
		t.Errorf("%s has %d pages, and %d and %d in its indexes", at, n, len(index.MinValues),
			len(offsets.PageLocations))
	}
	checkOrder(t, at, chunk.Type(), index)
	checkBounds(t, at, chunk.Type(), all, m.Statistics.MinValue, m.Statistics.MaxValue, m.Statistics.NullCount)
	if m.NumValues != rows || int64(len(all)) != rows || m.Statistics.DistinctCount != 0 {
		t.Errorf("%s: %d values, %d distinct, of %d in %d rows", at, m.NumValues, m.Statistics.DistinctCount,
			len(all), rows)
	}
	if h := m.SizeStatistics.DefinitionLevelHistogram; len(h) > 0 && (h[0] != nullsOf(all) || h[0]+h[1] != rows) {
		t.Errorf("%s: definition levels %v, of which %d are absent", at, h, nullsOf(all))
	}
	var bytes int64
	for _, v := range all {
		if v.Kind() == parquet.ByteArray {
			bytes += int64(len(v.ByteArray()))
		}
	}
	// 0 is not written.
	if got := m.SizeStatistics.UnencodedByteArrayDataBytes; got != 0 && got != bytes {
		t.Errorf("%s: %d bytes of text, want %d", at, got, bytes)
	}
}

func nullsOf(values []parquet.Value) (n int64) {
	for _, v := range values {
		if v.IsNull() {
			n++
		}
	}
	return n
}

// checkBounds checks that lower and upper are exactly the smallest and the largest value, since no
// column has texts that have to be shortened. Without values there are no bounds.
func checkBounds(t *testing.T, at string, typ parquet.Type, values []parquet.Value, lower, upper []byte, nulls int64) {
	t.Helper()
	if want := nullsOf(values); nulls != want {
		t.Errorf("%s: %d nulls, want %d", at, nulls, want)
	}
	values = slices.DeleteFunc(slices.Clone(values), parquet.Value.IsNull)
	if len(values) == 0 {
		return
	}
	for _, v := range values {
		if v.Kind() == parquet.Double && (math.IsNaN(v.Double()) || v.Double() == 0 && math.Signbit(v.Double())) {
			t.Errorf("%s: %v has no place in any order", at, v)
		}
	}
	for which, pair := range map[string][2][]byte{
		"lower": {lower, slices.MinFunc(values, typ.Compare).Bytes()}, "upper": {upper, slices.MaxFunc(values,
			typ.Compare).Bytes()},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s: the %s bound is %.40q, want %.40q", at, which, pair[0], pair[1])
		}
		if typ.Kind() == parquet.ByteArray && !utf8.Valid(pair[0]) {
			t.Errorf("%s: the %s bound is not UTF-8", at, which)
		}
	}
}

// checkOrder checks that the bounds of the pages are in the order that the file declares.
func checkOrder(t *testing.T, at string, typ parquet.Type, index *format.ColumnIndex) {
	t.Helper()
	order := func(a, b []byte) int {
		if typ.Kind() == parquet.ByteArray {
			return bytes.Compare(a, b)
		}
		return typ.Compare(numberValue(typ, a), numberValue(typ, b))
	}
	for _, bounds := range [][][]byte{index.MinValues, index.MaxValues} {
		var known [][]byte
		for i, b := range bounds {
			if !index.NullPages[i] {
				known = append(known, b)
			}
		}
		backwards := func(a, b []byte) int { return order(b, a) }
		if index.BoundaryOrder == format.Ascending && !slices.IsSortedFunc(known, order) ||
			index.BoundaryOrder == format.Descending && !slices.IsSortedFunc(known, backwards) {
			t.Errorf("%s: the pages' bounds are not %v: %x", at, index.BoundaryOrder, known)
		}
	}
}

func numberValue(typ parquet.Type, b []byte) parquet.Value {
	n := binary.LittleEndian.Uint64(b)
	if typ.Kind() == parquet.Double {
		return parquet.DoubleValue(math.Float64frombits(n))
	}
	return parquet.Int64Value(int64(n))
}
