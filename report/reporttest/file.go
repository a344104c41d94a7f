package reporttest

import (
	"errors"
	"os"

	"github.com/slicetrace/slicetrace/report"
)

// WriteFile writes a report to a file for a test.
func WriteFile(name string, r *report.Report) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(report.Encode(f, r), f.Close())
}
