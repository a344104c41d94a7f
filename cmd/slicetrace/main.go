// Slicetrace measures what context switches cost on this machine, by the kernel's own
// events, and what processes or threads change about it.
//
// Each file except main.go and app.go is one command or, with the prefix run_, export_ or
// report_, one part of a command. The package only composes: workloads runs the load,
// collector measures it, report computes what it means and render shows it.
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
