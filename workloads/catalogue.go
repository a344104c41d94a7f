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
	// Summary says in one line what the workload does.
	Summary string

	// variants lists the forms that the workload has on that many cores. Nil if
	// it has one.
	variants func(cores int) []Variant
	// missing says which forms this machine cannot have, and why. Nil if it has all.
	missing func(cores int) []string
	// duration is how long a trial lasts if the user does not say.
	duration time.Duration
	// perCore is the default number of workers for each core, and inGroups, if it is
	// not 0, what their number is rounded up to a multiple of.
	perCore, inGroups int
	// paired workloads need an even number of workers; 2i and 2i+1 are a pair.
	paired bool
	// pinned workloads keep each worker on one core, and pairs together; the
	// others may use every core of the trial.
	pinned bool
	// fixedWork workloads do a chunk for each microsecond of the trial's
	// duration, all workers together, times the form's stretch, and end when they
	// are done.
	fixedWork bool
	// version counts the changes after which figures no longer mean what they
	// meant; 0 is the first.
	version int
	// fatal workloads end worker 0 by SIGSEGV on purpose, and with it whoever
	// cannot live without it.
	fatal bool
	// figures names what bodies put into their slot's figures, in that order. One
	// whose sum is negative is absent.
	figures []string
	// fds is how many descriptors each worker is given.
	fds int
	// open makes the descriptors that workers share, in the tool: at most fds of
	// them for each worker, in worker order, all close-on-exec, none twice. The tool closes its
	// own copies once the hosts hold theirs. To share memory, hand out a memfd
	// and map it in prepare. Nil if the workload needs none.
	open func(workers int) ([][]int, error)
	// prepare is ordinary Go that runs in the worker before the start gate:
	// allocate, map, and touch memory here. Nil if there is nothing to do.
	prepare func(*worker) error
	// rehearse runs in the worker before it comes to the start gate, once Go has let
	// go of it: what the first of many rounds of work costs need not be measured
	// with them. Nil if there is nothing to do. The rule for body holds for it.
	rehearse func(*worker) syscall.Errno
	// send and receive hand a token to a pair's other worker and wait for its
	// own. Nil unless the body is pingPong. The rule for body holds for them.
	send    func(w *worker, token byte) syscall.Errno
	receive func(w *worker) (token byte, errno syscall.Errno)
	// body does the work: it calls begin exactly once (or began, if its start is
	// a peer's first message), works until over, stores w.operations and
	// returns. It runs inside what Go believes to be a system call, so it and
	// all it calls must be marked go:nosplit and go:norace, must not allocate,
	// and may block in raw system calls only. A function without go:nosplit
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

// Find returns the workload of that name. For an unknown name the error
// suggests the nearest one and lists them all.
func Find(name string) (Workload, error) {
	var names []string
	nearest, best := "", len(name)
	for _, w := range Catalogue() {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
		if d := editDistance(name, w.Name); d < best {
			nearest, best = w.Name, d
		}
	}
	hint := ""
	if nearest != "" {
		hint = fmt.Sprintf(": did you mean %q?", nearest)
	}
	return Workload{}, fmt.Errorf("find workload: no workload is called %q%s (there are: %s)", name, hint, strings.Join(names, ", "))
}

// editDistance is Levenshtein's: the fewest insertions, deletions and
// substitutions of bytes that turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// workers returns the default number of workers on that many cores.
func (w Workload) workers(cores int) int {
	n := w.perCore * cores
	if w.inGroups > 0 {
		n = (n + w.inGroups - 1) / w.inGroups * w.inGroups
	}
	return n
}

// Version counts from 1. Figures of the same workload in unlike versions do not
// mean the same.
func (w Workload) Version() int { return w.version + 1 }
