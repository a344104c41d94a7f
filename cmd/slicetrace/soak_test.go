package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// soakVariable is how long TestSoak takes, as .ci/soak sets it.
const soakVariable = "SLICETRACE_SOAK"

// holding is what the tool holds at one moment.
type holding struct {
	trial       string // the worker hosts of it
	rss         int    // bytes
	descriptors int
	watched     int // slots of tasks
}

// messaging and spawn at full rate: all counts equal the kernel's, no phase is
// lost, and the tool holds no more at the end of a trial than at its beginning.
func TestSoak(t *testing.T) {
	bpftest.Require(t)
	length := 5 * time.Second
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakVariable, err)
		}
	}
	const trials = 5 // messaging and spawn in two modes each, and spawn's exec
	cmd := tool(t, "run", "messaging", "spawn", "--rounds", "1", "--duration", (length / trials).String())
	var held []holding
	got := finish(t, cmd, func() {
		held = watchHoldings(t, cmd.Process.Pid, length, func() string { return fmt.Sprint(workersAlive(t, cmd)) })
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	checkHoldings(t, held, trials)

	r := got.saved(t)
	if len(r.Trials) != trials {
		t.Errorf("%d trials, want %d", len(r.Trials), trials)
	}
	q := r.Quality
	t.Logf("%d switches, %d created tasks, lost %+v, accounting error %d ppm", q.Switches, q.CreatedTasks, q.Lost, q.AccountingErrorPPM)
	if q.ReconciledWorkers != q.Workers || q.ComparedWorkers != q.Workers {
		t.Errorf("%d of %d workers have the kernel's counts, %d were compared", q.ReconciledWorkers, q.Workers, q.ComparedWorkers)
	}
	if q.CreatedTasks == 0 || q.ReconciledCreated != q.CreatedTasks {
		t.Errorf("%d of %d created tasks have the kernel's counts", q.ReconciledCreated, q.CreatedTasks)
	}
	lost := q.Lost
	lost.Unseen = 0 // what this kernel hides, and is made up for
	if lost.Total() != 0 || q.RecursionMisses != 0 {
		t.Errorf("lost %+v, %d hooks skipped", q.Lost, q.RecursionMisses)
	}
	if q.AccountingErrorPPM > 1000 {
		t.Errorf("the accounting is %d ppm off", q.AccountingErrorPPM)
	}
}

// watchHoldings looks at the tool some 200 times until it ends.
func watchHoldings(t *testing.T, pid int, length time.Duration, trial func() string) []holding {
	t.Helper()
	var held []holding
	for {
		time.Sleep(max(length/200, 20*time.Millisecond))
		h := holding{trial: trial()}
		var err error
		if h.rss, err = residentBytes(pid); err != nil {
			return held // it has ended
		}
		if fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
			h.descriptors = len(fds)
		}
		if h.watched, err = bpftest.Entries(pid, "st_workers", isWatched); err == nil && h.trial != "[]" {
			held = append(held, h)
		}
	}
}

// isWatched says whether a slot of st_workers has a task.
func isWatched(slot []byte) bool {
	var w bpf.Worker
	return binary.NativeEndian.Uint32(slot[unsafe.Offsetof(w.Tid):]) != 0
}

// checkHoldings compares the beginning of each trial with its end. Its very first
// and last moments, in which workers come and go, are left out.
func checkHoldings(t *testing.T, held []holding, trials int) {
	t.Helper()
	const (
		edge  = 3
		inAll = 2 << 20 // what Go's heap may come to hold in a trial
	)
	of := make(map[string][]holding)
	for _, h := range held {
		of[h.trial] = append(of[h.trial], h)
	}
	compared := 0
	for _, samples := range of {
		if len(samples) < 2*edge+2 {
			continue
		}
		compared++
		first, last := samples[edge], samples[len(samples)-1-edge]
		t.Logf("resident %d to %d KiB, descriptors %d to %d, watched tasks %d to %d, in %d samples",
			first.rss>>10, last.rss>>10, first.descriptors, last.descriptors, first.watched, last.watched, len(samples))
		if last.rss > first.rss+inAll {
			t.Errorf("resident memory grew from %d to %d bytes", first.rss, last.rss)
		}
		if last.descriptors > first.descriptors {
			t.Errorf("descriptors grew from %d to %d", first.descriptors, last.descriptors)
		}
		// Tasks that were just created can be among them.
		if last.watched > first.watched+4 {
			t.Errorf("watched tasks grew from %d to %d", first.watched, last.watched)
		}
	}
	if compared < trials {
		t.Errorf("only %d of %d trials were seen long enough", compared, trials)
	}
}

// residentBytes of a process that has not ended.
func residentBytes(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 || string(fields[1]) == "0" { // a zombie has none
		return 0, os.ErrProcessDone
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}
