package timeline_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/timeline"
)

// A window is a short part of a recording: which task had which core when.
func ExampleRead() {
	file := bytes.NewReader(reporttest.Recording())
	windows, err := timeline.Read(file, timeline.Options{Length: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range windows {
		fmt.Printf("%s as %s: %d tasks in %v\n", w.Mark.Workload, w.Mark.Mode, len(w.Tasks),
			time.Duration(w.EndNS-w.StartNS))
	}
	// Output:
	// pipe as processes: 6 tasks in 1ms
	// spin as processes: 2 tasks in 1ms
	// spin as threads: 2 tasks in 1ms
}
