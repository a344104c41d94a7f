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

// hostVariable is the environment variable that makes this program, when it is executed
// again, a worker host. It holds a hostSpec as JSON.
const hostVariable = "SLICETRACE_WORKER_HOST"

// sharedMemoryFD is the descriptor of the shared memory in a host, after the standard
// three. The workers' own descriptors follow it.
const sharedMemoryFD = 3

// hostSpec tells a host what to do.
type hostSpec struct {
	Trial Trial
	// First is the index of the host's first worker.
	First int
	// FDs are the numbers that each worker's descriptors have in the host.
	FDs [][]int
	// Parent is the tool's pid.
	Parent int
}

// HostMain must be called first in main, and in TestMain of tests that run
// trials. In an ordinary process it returns hosted false at once. In a process that was
// started as a worker host, it calls prepare and then runs the workers until the tool
// kills the process. It returns only if one of these fails: then the process must exit
// with the status.
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
// it fails.
func host(text string) error {
	var spec hostSpec
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&spec); err != nil {
		return fmt.Errorf("read %s: %w", hostVariable, err)
	}
	// The tool asked for this signal when it started the host, but executing a
	// file with capabilities drops the request.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("set the signal for the tool's death: %w", err)
	}
	if os.Getppid() != spec.Parent {
		return fmt.Errorf("set the signal for the tool's death: process %d has ended", spec.Parent)
	}
	workload, variant, err := spec.Trial.resolve()
	if err != nil {
		return err
	}
	m, err := mapSharedMemory(sharedMemoryFD, spec.Trial.Workers)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for i, fds := range spec.FDs {
		index := spec.First + i
		w := &worker{
			shared: m, slot: &m.slots[index], workload: workload, variant: variant, index: index, fds: fds,
			cpus: workload.placement(variant, index, spec.Trial.CPUs),
			nice: variant.niceOf(index), body: workload.body, limit: spec.Trial.Operations,
		}
		if workload.paired {
			w.peer = &m.slots[index^1]
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
		go func() { failed <- w.run() }()
	}
	return <-failed
}
