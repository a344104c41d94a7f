//go:build linux

package workloads

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Workload is a named, bundled load. Its body is one function, the same in
// both modes.
type Workload struct {
	// Name is what users type.
	Name string
	// Summary describes in one line what the workload does.
	Summary string

	// variants lists the variants that the workload has on that many cores. It is nil
	// if there is only the plain one.
	variants func(cores int) []Variant
	// missing reports which variants this machine cannot have, and why. It is nil if it
	// has all of them.
	missing func(cores int) []string
	// duration is how long a trial lasts if the plan does not set it.
	duration time.Duration
	// perCore is the default number of workers for each core. If inGroups is not 0, the
	// number is rounded up to a multiple of it.
	perCore, inGroups int
	// paired workloads need an even number of workers; 2i and 2i+1 are a pair.
	paired bool
	// pinned workloads keep each worker on one core, and both workers of a pair on the
	// same one. Workers of other workloads may use every core of the trial.
	pinned bool
	// fixedWork workloads end when a fixed number of chunks is done: one for each
	// microsecond of the trial's duration, times the variant's stretch, by all workers
	// together.
	fixedWork bool
	// version counts the changes after which figures no longer mean what they
	// meant before; the first version is 0.
	version int
	// fatal workloads end worker 0 by SIGSEGV on purpose, and with it the workers that
	// are threads of the same process.
	fatal bool
	// figures names what bodies put into their slot's figures, in that order. A figure
	// whose sum over the workers is negative is absent.
	figures []string
	// fds is how many descriptors each worker is given.
	fds int
	// open creates, in the tool, the descriptors that workers share: at most fds of
	// them for each worker, in worker order, all close-on-exec, none twice. The tool
	// closes its own copies once the hosts hold theirs. To share memory, hand out a
	// memfd and map it in prepare. It is nil if the workload needs no descriptors.
	open func(workers int) ([][]int, error)
	// prepare is ordinary Go that runs in the worker before the start gate:
	// allocate, map, and touch memory here. It is nil if there is nothing to do.
	prepare func(*worker) error
	// rehearse runs in the worker before the start gate too, but after the worker has
	// left Go's scheduler. It is for work whose first run costs more than later ones,
	// where that cost is not to be measured. It is nil if there is nothing to do. It
	// must obey the rule for body.
	rehearse func(*worker) syscall.Errno
	// send hands a token to the other worker of the pair, and receive waits for a token
	// from it. They are nil unless the body is pingPong. They must obey the rule for body.
	send    func(w *worker, token byte) syscall.Errno
	receive func(w *worker) (token byte, errno syscall.Errno)
	// body does the work: it calls begin exactly once (or stampStart, if a peer's first
	// message starts it), works until over returns true, stores w.operations and
	// returns. It runs inside what Go believes to be a system call. So it and all
	// functions that it calls must be marked go:nosplit and go:norace, must not
	// allocate, and may block in raw system calls only. A function without go:nosplit
	// crashes at once with "stack split at bad time".
	body func(*worker) syscall.Errno
}

// Catalogue returns the bundled workloads in the order in which they run.
func Catalogue() []Workload {
	return []Workload{
		pipe(), socket(), futex(), messaging(), spin(), yield(), spawn(), workingset(),
		sleep(), interactive(), counter(), scale(), crash(),
	}
}

// Find returns the workload of that name. For an unknown name the error lists them all.
func Find(name string) (Workload, error) {
	var names []string
	for _, w := range Catalogue() {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fmt.Errorf("find workload: no workload is called %q (there are: %s)",
		name, strings.Join(names, ", "))
}

// workers returns the default number of workers on that many cores.
func (w Workload) workers(cores int) int {
	n := w.perCore * cores
	if w.inGroups > 0 {
		n = (n + w.inGroups - 1) / w.inGroups * w.inGroups
	}
	return n
}

// Version returns the workload's version, from 1. Figures of different versions do not
// mean the same and must not be compared.
func (w Workload) Version() int { return w.version + 1 }
