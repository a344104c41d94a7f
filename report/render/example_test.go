package render_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
)

// small returns a report of which little is known.
func small() *report.Report {
	return &report.Report{
		Schema:  report.SchemaVersion,
		Created: time.Date(2026, 11, 22, 20, 11, 0, 0, time.UTC),
		Trials: []report.Trial{{
			Workload: "crash", Mode: report.Threads, Round: 1, Figures: []report.Figure{{Name: "chunks", Value: 7}},
		}},
	}
}

// A table of a report, here of the figures that a workload measured itself, becomes CSV.
func ExampleCSV() {
	t, err := table.Of(small(), "figures")
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	w := render.NewCSV(&file)
	if err := w.Table(t); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Print(strings.ReplaceAll(file.String(), "\r\n", "\n")) // lines end as RFC 4180 has it
	// Output:
	// trial,load,mode,round,name,value,started_ns,workload,variant
	// 1,crash,threads,1,chunks,7,,crash,
}
