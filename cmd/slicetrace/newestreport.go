package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/slicetrace/slicetrace/report"
)

// Bounds of the search for a report that nobody has named.
const (
	reportsTried      = 8
	mostReportToTry   = 64 << 20 // bytes
	savedByThemselves = "slicetrace-[0-9]*Z.json"
)

// newestReport returns the newest report of bundled work in the current folder that run has named and that fits, and
// its name; nil if there is none. Files that cannot be read are left out.
func newestReport(fits func(*report.Report) bool) (*report.Report, string) {
	names, err := filepath.Glob(savedByThemselves) // in the order of their times
	if err != nil {
		return nil, "" // only for a malformed pattern
	}
	slices.Reverse(names)
	for _, name := range names[:min(len(names), reportsTried)] {
		// A pipe would wait for a writer.
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || info.Size() > mostReportToTry {
			continue
		}
		r, err := readReport(name)
		if err == nil && len(r.Setup.Workloads) > 0 && fits(r) {
			return r, name
		}
	}
	return nil, ""
}
