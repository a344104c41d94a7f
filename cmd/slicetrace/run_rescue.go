package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/report"
)

// rescue saves a report that could not be saved under its name in a new temporary directory
// that only its owner may enter, and adds the new place to the error.
func rescue(name string, r *report.Report, owner *outfile.Owner, unsaved error) (rescued bool, err error) {
	dir, err := os.MkdirTemp("", "slicetrace-")
	if err != nil {
		return false, unsaved
	}
	elsewhere := filepath.Join(dir, filepath.Base(name))
	if owner != nil {
		err = os.Chown(dir, owner.UID, owner.GID)
	}
	if err == nil {
		err = outfile.Write(elsewhere, owner, encoded(r))
	}
	if err != nil {
		// The directory can hold only that file, which has not been created.
		_ = os.Remove(dir)
		return false, unsaved
	}
	return true, fmt.Errorf("%w; the report is %s instead", unsaved, elsewhere)
}
