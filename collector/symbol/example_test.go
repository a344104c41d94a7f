package symbol_test

import (
	"fmt"
	"os"

	"github.com/slicetrace/slicetrace/collector/symbol"
	"github.com/slicetrace/slicetrace/report/sched"
)

func Example() {
	files := symbol.NewFiles()
	defer files.Close()
	process := files.ReadMaps(sched.PID(os.Getpid()), 0) // when it is first seen
	defer process.Close()

	for _, frame := range process.Frames([]uint64{16}) { // a stack, when it is shown
		if frame.Reason != symbol.Named {
			fmt.Printf("%#x: %s\n", frame.Address, frame.Reason)
			continue
		}
		fmt.Println(frame.Function, frame.Module)
	}
	// Output: 0x10: no mapping of the process holds the address
}
