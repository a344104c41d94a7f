package table_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// A table has a row for each observation. An absent figure is an empty field.
func ExampleOf() {
	t, err := table.Of(reporttest.Bundled(1, 1), "trials")
	if err != nil {
		log.Fatal(err)
	}
	for row := range t.Rows {
		var line []string
		for i, field := range row {
			switch t.Columns[i].Name {
			case "workload", "mode", "round", "operations":
				line = append(line, field.String())
			}
		}
		fmt.Println(strings.Join(line, ","))
	}
	// Output:
	// pipe,processes,1,66150
	// spin,processes,1,834500
	// pipe,threads,1,133650
	// spin,threads,1,839721
}
