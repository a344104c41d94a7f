package render

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report/table"
)

// CSV writes tables as in RFC 4180, with one header line. Numbers are never scaled or grouped; an
// absent figure is an empty cell.
type CSV struct {
	out    *bufio.Writer
	line   []byte
	header bool
}

// NewCSV returns a writer of tables that have the same columns.
func NewCSV(w io.Writer) *CSV {
	return &CSV{out: bufio.NewWriterSize(w, 64<<10)}
}

// Table writes a table's rows after those that were written before.
func (c *CSV) Table(t table.Table) error {
	err := c.begin(t.Name, t.Columns)
	for row := range t.Rows {
		if err != nil {
			break
		}
		line := c.line[:0]
		for _, f := range row {
			if f.Free() {
				line = appendText(line, f.String())
			} else {
				line = append(line, f.String()...)
			}
			line = append(line, ',')
		}
		err = c.end(line)
	}
	if err != nil {
		return fmt.Errorf("write table %s: %w", t.Name, err)
	}
	return nil
}

// chunk writes rows of a recording.
func (c *CSV) chunk(columns []table.Column, rows *chunk) error {
	for row := range rows.rows {
		line := c.line[:0]
		for i := range columns {
			if columns[i].Kind == table.Text {
				line = appendText(line, rows.texts[i][row])
			} else if n := rows.numbers[i][row]; n != absentNumber {
				line = strconv.AppendInt(line, n, 10)
			}
			line = append(line, ',')
		}
		if err := c.end(line); err != nil {
			return err
		}
	}
	return nil
}

// begin writes the header line, unless it has been written.
func (c *CSV) begin(_ string, columns []table.Column) error {
	if c.header {
		return nil
	}
	c.header = true
	line := c.line[:0]
	for _, column := range columns {
		line = append(append(line, column.Name...), ',')
	}
	return c.end(line)
}

// end writes a line without its last comma.
func (c *CSV) end(line []byte) error {
	line = append(line[:len(line)-1], "\r\n"...)
	c.line = line
	_, err := c.out.Write(line)
	return err
}

// Close writes what is still buffered. It does not close the underlying writer.
func (c *CSV) Close() error {
	if err := c.out.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// appendText appends a text from outside, made safe and quoted if necessary.
func appendText(line []byte, s string) []byte {
	if plain(s) {
		return append(line, s...)
	}
	s = csvSafe(s)
	if !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' {
		return append(line, s...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(s, `"`, `""`)...)
	return append(line, '"')
}

// plain reports whether a text is safe as it is, since it has only letters and the like.
func plain(s string) bool {
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '_', b == '/', b == '.':
		case (b == '-' || b == ':') && i > 0:
		default:
			return false
		}
	}
	return true
}

// csvSafe keeps a text from being run as a formula by a spreadsheet, by a leading apostrophe, and
// from controlling a terminal.
func csvSafe(s string) string {
	formula := s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0]))
	s = Printable(s)
	if formula {
		return "'" + s
	}
	return s
}
