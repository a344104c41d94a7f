package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// A recording is written and read as a stream of frames.
func Example() {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{Tool: "example", CPUs: []sched.CPU{0}})
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		w.Tasks([]recording.Task{{TID: 7, TGID: 7, Comm: "make"}, {TID: 8, TGID: 8, Comm: "cc"}}),
		w.Block(recording.Block{CPU: 0, Events: []recording.Event{
			{TimeNS: 1000, Kind: recording.Wakeup, Next: 8},
			{TimeNS: 1500, Prev: 7, Next: 8, SliceNS: 900, PickNS: 300, SwitchNS: 400, State: 'S'},
		}}),
		w.Close(recording.End{Switches: 1, Wakeups: 1, Counted: 1}),
	)
	if err != nil {
		log.Fatal(err)
	}

	r, err := recording.NewReader(&file)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	var names recording.Names
	for {
		frame, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		switch f := frame.(type) {
		case []recording.Task:
			names.Learn(f)
		case *recording.Block:
			for _, e := range f.Events {
				if e.Kind == recording.Switch {
					fmt.Printf("core %d switches from %s to %s after %d ns\n",
						f.CPU, names.At(e.Prev, e.TimeNS), names.At(e.Next, e.TimeNS), e.SliceNS)
				}
			}
		}
	}
	// Output: core 0 switches from make to cc after 900 ns
}
