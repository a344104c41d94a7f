// Slicetrace measures what a context switch costs on this machine, with the
// kernel's own events, and what processes or threads would change.
//
// Each file but main.go and app.go is one command, or one concern of run. The
// package only composes: workloads runs the load, collector measures it,
// report gives it meaning and render shows it.
package main

import (
	"context"
	"os"

	"github.com/slicetrace/slicetrace/workloads"
)

func main() {
	if status, hosted := workloads.HostMain(dropUnlessRoot); hosted {
		os.Exit(status)
	}
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
