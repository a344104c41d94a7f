package collector_test

import (
	"fmt"
	"log"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// How often each core switches while a program runs, and how long the program's tasks wait for a
// core. The output is not checked, since this needs root.
func Example() {
	c, err := collector.Open(collector.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	// The program waits at its gate until it is watched.
	program, err := workloads.StartCommand(workloads.Command{Argv: []string{"make", "-j2"}})
	if err != nil {
		log.Fatal(err)
	}
	pid := sched.PID(program.PID())
	first := collector.Task{PID: pid, TID: pid.Leader(), Children: collector.Listed}
	if err := c.Watch(first); err != nil {
		log.Fatal(err)
	}
	before, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	if err := program.Release(); err != nil {
		log.Fatal(err)
	}
	if _, _, err := program.Wait(); err != nil {
		log.Fatal(err)
	}
	after, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	interval, err := after.Since(before)
	if err != nil {
		log.Fatal(err)
	}
	for _, core := range interval.Cores {
		for _, class := range core.Classes {
			fmt.Printf("core %d, %s: %d switches\n", core.CPU, class.Class, class.Switches)
		}
	}
	for _, task := range interval.Tasks {
		fmt.Printf("%s waited for %d ns\n", task.Comm, task.WaitNS)
	}
}
