//go:build linux

package workloads

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// hostVariable makes this program, executed again, a worker host. It holds a hostSpec.
const hostVariable = "SLICETRACE_WORKER_HOST"

// hostBoardFD is the descriptor of the board in a host, after the standard
// three. The workers' own descriptors follow it.
const hostBoardFD = 3

// hostSpec tells a host what to do.
type hostSpec struct {
	Trial Trial
	// First is the index of the host's first worker.
	First int
	// FDs are each worker's descriptors, by their numbers in the host.
	FDs [][]int
	// Parent is the tool's pid.
	Parent int
}

// HostMain must be called first in main, and in TestMain of tests that run
// trials. If this process was executed to be a worker host, it does that job, which
// ends only if it fails: then the process has to exit with the status. Else hosted is
// false, at once. Before the job each of prepare is called, and if one fails the job
// is not done.
func HostMain(prepare ...func() error) (status int, hosted bool) {
	spec, ok := os.LookupEnv(hostVariable)
	if !ok {
		return 0, false
	}
	var errs []error
	for _, f := range prepare {
		errs = append(errs, f())
	}
	err := errors.Join(errs...)
	if err == nil {
		err = host(spec)
	}
	// The tool shows a host's standard error when the host fails.
	fmt.Fprintln(os.Stderr, err)
	return 1, true
}

// host runs a host's workers until the tool kills it. It returns only if
// that cannot be done.
func host(text string) error {
	var spec hostSpec
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&spec); err != nil {
		return fmt.Errorf("read %s: %w", hostVariable, err)
	}
	// The tool asked for this signal when it started the host, but executing a
	// file with capabilities drops the request.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("ask to die with the tool: %w", err)
	}
	if os.Getppid() != spec.Parent {
		return fmt.Errorf("ask to die with the tool: process %d is gone", spec.Parent)
	}
	workload, variant, err := spec.Trial.resolve()
	if err != nil {
		return err
	}
	b, err := mapBoard(hostBoardFD, spec.Trial.Workers)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for i, fds := range spec.FDs {
		index := spec.First + i
		w := &worker{
			board: b, slot: &b.slots[index], workload: workload, variant: variant, index: index, fds: fds,
			cpus: workload.placement(variant, index, spec.Trial.CPUs),
			nice: variant.niceOf(index), body: workload.body, limit: spec.Trial.Operations,
		}
		if workload.paired {
			w.peer = &b.slots[index^1]
		}
		if variant.body != nil {
			w.body = variant.body
		}
		if workload.fixedWork {
			w.limit = spec.Trial.share(variant, index)
		} else if w.limit == 0 {
			w.limit = -1
		}
		if spec.Trial.Mode == Threads {
			w.futexScope = futexPrivate
		}
		go func() { failed <- w.live() }()
	}
	return <-failed
}
