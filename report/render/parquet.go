package render

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/slicetrace/slicetrace/report/table"
)

// Parquet writes tables as one Parquet file, compressed with zstd. It uses types that every reader
// supports: INT64, DOUBLE, BOOLEAN, STRING, and for times TIMESTAMP in microseconds of UTC. An
// absent figure is NULL.
type Parquet struct {
	to      io.Writer
	out     *parquet.GenericWriter[any]
	columns []table.Column
	writers []*parquet.ColumnWriter
	values  []parquet.Value // of one column; the memory is reused
	rows    [][]table.Field
	group   int // rows in the row group
	texts   map[string]parquet.Value
}

const (
	// tableRows is how many rows of a report's table are converted to columns at once.
	tableRows = 1024
	// groupRows limits the memory that is needed, since a row group is written as a whole.
	groupRows = 512 << 10
	// mostTexts limits how many texts are kept.
	mostTexts = 10_000
)

// NewParquet returns a writer of tables that have the same columns.
func NewParquet(w io.Writer) *Parquet { return &Parquet{to: w} }

// Table writes a table's rows after those that were written before.
func (p *Parquet) Table(t table.Table) error {
	if err := p.begin(t.Name, t.Columns); err != nil {
		return err
	}
	for row := range t.Rows {
		if p.rows = append(p.rows, row); len(p.rows) < tableRows {
			continue
		}
		if err := p.fields(); err != nil {
			return fmt.Errorf("write table %s: %w", t.Name, err)
		}
	}
	if err := p.fields(); err != nil {
		return fmt.Errorf("write table %s: %w", t.Name, err)
	}
	return nil
}

// Close completes the file. It does not close the underlying writer.
func (p *Parquet) Close() error {
	if p.out == nil {
		return nil
	}
	if err := p.out.Close(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// begin starts the file, with the first table.
func (p *Parquet) begin(name string, columns []table.Column) error {
	if p.out != nil {
		return nil
	}
	p.columns = columns
	p.out = parquet.NewGenericWriter[any](
		p.to, parquetSchema(name, columns), parquet.CreatedBy("slicetrace", "", ""),
		parquet.DataPageVersion(1), // which every reader supports
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		// Bounds of pages are not shortened: the library would cut within characters, and some
		// readers require valid UTF-8.
		parquet.ColumnIndexSizeLimit(func([]string) int { return 0 }),
	)
	p.writers = p.out.ColumnWriters()
	return nil
}

func parquetSchema(name string, columns []table.Column) *parquet.Schema {
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		typ, options := reflect.TypeFor[int64](), "delta"
		switch c.Kind {
		case table.Decimal:
			typ, options = reflect.TypeFor[float64](), "plain"
		case table.Text:
			typ, options = reflect.TypeFor[string](), "dict"
		case table.Time:
			options = "timestamp(microsecond)"
		case table.Boolean:
			typ, options = reflect.TypeFor[bool](), "plain"
		}
		if !c.Required {
			options += ",optional"
		}
		fields[i] = reflect.StructField{
			Name: "C" + strconv.Itoa(i), Type: typ,
			Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", c.Name+","+options)),
		}
	}
	return parquet.NewSchema(name, parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface()))
}

// fields writes the rows that have been collected.
func (p *Parquet) fields() error {
	if len(p.rows) == 0 { // the library cannot write an empty slice
		return nil
	}
	for i, column := range p.columns {
		values := p.values[:0]
		for _, row := range p.rows {
			v, ok := p.field(column, row[i])
			if !ok {
				return fmt.Errorf("column %s cannot hold %q", column.Name, row[i])
			}
			defined := 1
			if v.IsNull() {
				defined = 0
			}
			values = append(values, v.Level(0, defined, i))
		}
		p.values = values
		if _, err := p.writers[i].WriteRowValues(values); err != nil {
			return err
		}
	}
	n := len(p.rows)
	p.rows = p.rows[:0]
	return p.wrote(n)
}

// chunk writes rows of a recording.
func (p *Parquet) chunk(columns []table.Column, rows *chunk) error {
	if rows.rows == 0 {
		return nil
	}
	p.values = slices.Grow(p.values[:0], rows.rows)[:rows.rows]
	for i, column := range columns {
		switch {
		case column.Kind == table.Text:
			p.chunkTexts(i, rows.texts[i], column.KeepEmpty)
		case column.Required:
			for j, n := range rows.numbers[i] {
				p.values[j] = parquet.Int64Value(n)
			}
		default:
			null := parquet.NullValue().Level(0, 0, i)
			for j, n := range rows.numbers[i] {
				if n == absentNumber {
					p.values[j] = null
				} else {
					p.values[j] = parquet.Int64Value(n).Level(0, 1, i)
				}
			}
		}
		if _, err := p.writers[i].WriteRowValues(p.values); err != nil {
			return err
		}
	}
	return p.wrote(rows.rows)
}

// chunkTexts converts texts to values. Most texts are the same as one or two rows before.
func (p *Parquet) chunkTexts(column int, texts []string, keepEmpty bool) {
	var last [2]string
	null := parquet.NullValue().Level(0, 0, column)
	if keepEmpty {
		null = p.text("").Level(0, 1, column)
	}
	var value [2]parquet.Value
	for j, s := range texts {
		switch s {
		case "":
			p.values[j] = null
			continue
		case last[0]:
		case last[1]:
			last[0], last[1] = last[1], last[0]
			value[0], value[1] = value[1], value[0]
		default:
			last[0], last[1] = s, last[0]
			value[0], value[1] = p.text(s).Level(0, 1, column), value[0]
		}
		p.values[j] = value[0]
	}
}

// wrote ends the row group if it is large enough.
func (p *Parquet) wrote(rows int) error {
	if p.group += rows; p.group < groupRows {
		return nil
	}
	p.group = 0
	return p.out.Flush()
}

// field returns the value of a field. ok is false if the field does not fit the column.
func (p *Parquet) field(column table.Column, f table.Field) (v parquet.Value, ok bool) {
	if f.Absent() && !column.KeepEmpty {
		return parquet.NullValue(), true
	}
	switch column.Kind {
	case table.Integer:
		n, ok := f.Int64()
		return parquet.Int64Value(n), ok
	case table.Decimal:
		x, ok := f.Float64()
		if math.IsNaN(x) { // which cannot be in the bounds of a column
			return parquet.NullValue(), ok
		}
		return parquet.DoubleValue(x), ok
	case table.Boolean:
		is, ok := f.Bool()
		return parquet.BooleanValue(is), ok
	case table.Time:
		us, ok := f.UnixMicro()
		return parquet.Int64Value(us), ok
	}
	return p.text(f.String()), true
}

// text returns a text's value, made valid UTF-8. The same names occur again and again, so values
// are kept.
func (p *Parquet) text(s string) parquet.Value {
	v, ok := p.texts[s]
	if !ok {
		if p.texts == nil || len(p.texts) == mostTexts {
			p.texts = make(map[string]parquet.Value)
		}
		v = parquet.ByteArrayValue([]byte(strings.ToValidUTF8(s, "\uFFFD")))
		p.texts[s] = v
	}
	return v
}
