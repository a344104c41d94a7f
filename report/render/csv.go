package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// CSV writes one table as RFC 4180 says, with a header line. Numbers are never
// scaled or grouped; an absent figure is an empty cell.
func CSV(w io.Writer, t report.Table) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	record := make([]string, 0, len(t.Columns))
	write := func(cells []string) error {
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write table %s: %w", t.Name, err)
		}
		return nil
	}
	if err := write(t.Columns); err != nil {
		return err
	}
	for _, row := range t.Rows {
		record = record[:0]
		for _, f := range row {
			text := f.Text
			if f.Free {
				text = csvSafe(text)
			}
			record = append(record, text)
		}
		if err := write(record); err != nil {
			return err
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write table %s: %w", t.Name, err)
	}
	return nil
}

// csvSafe keeps a text from being run as a formula by a spreadsheet, with a
// leading apostrophe, and from steering a terminal.
func csvSafe(s string) string {
	formula := s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0]))
	s = printable(s)
	if formula {
		return "'" + s
	}
	return s
}
