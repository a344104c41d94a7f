package collector

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// pairWay is a way of watching pairs of the threads of this process.
type pairWay interface {
	// watch watches the thread of a name, where threads must be told.
	watch(comm string)
	// read tells what each thread has done since the last reading, and returns the pairs.
	read(of func(comm string, did *report.Activity)) []report.Pair
	// records tells what the kernel side held of each thread at the last reading, or holds now.
	records(of func(comm string, record *bpf.WatchedTask))
}

type lightPairs struct {
	t *testing.T
	l *Live
}

func (*lightPairs) watch(string) {}

func (w *lightPairs) read(of func(comm string, did *report.Activity)) []report.Pair {
	w.t.Helper()
	r := nextReading(w.t, w.l)
	for i := range r.System.Tasks {
		if task := &r.System.Tasks[i]; task.PID == sched.PID(os.Getpid()) {
			of(task.Comm, &task.Activity)
		}
	}
	return r.Why.Pairs
}

func (w *lightPairs) records(of func(comm string, record *bpf.WatchedTask)) {
	for slot := range w.l.tasks.seen {
		if s := &w.l.tasks.seen[slot].record; s.Tgid == uint32(os.Getpid()) {
			of(commText(&w.l.tasks.facts[slot].Comm), s)
		}
	}
}

type fullPairs struct {
	t    *testing.T
	c    *Collector
	last *Snapshot
}

func openFullPairs(t *testing.T, why *WhyOptions) *fullPairs {
	t.Helper()
	bpftest.Require(t)
	c, err := Open(Options{Why: why})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &fullPairs{t: t, c: c}
	w.last = w.snapshot()
	return w
}

func (w *fullPairs) snapshot() *Snapshot {
	w.t.Helper()
	s, err := w.c.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *fullPairs) watch(comm string) {
	w.t.Helper()
	tid := threadID(w.t, comm)
	for ; tid == 0; tid = threadID(w.t, comm) {
		time.Sleep(time.Millisecond)
	}
	if err := w.c.Watch(Task{PID: sched.PID(os.Getpid()), TID: tid}); err != nil {
		w.t.Fatal(err)
	}
}

// threadID returns the ID of the thread of this process that has a name, 0 if there is none.
func threadID(t *testing.T, comm string) sched.TID {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) == comm {
			tid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			return sched.TID(tid)
		}
	}
	return 0
}

func (w *fullPairs) read(of func(comm string, did *report.Activity)) []report.Pair {
	w.t.Helper()
	if _, err := w.c.AwaitExits(time.Second); err != nil {
		w.t.Fatal(err)
	}
	now := w.snapshot()
	in, err := now.Since(w.last)
	if err != nil {
		w.t.Fatal(err)
	}
	w.last = now
	for i := range in.Tasks {
		task := &in.Tasks[i]
		of(task.Comm, &report.Activity{OnCPUNS: task.OnCPUNS, WaitNS: task.WaitNS, EndedBy: task.EndedBy})
	}
	return in.Why.Pairs
}

func (w *fullPairs) records(of func(comm string, record *bpf.WatchedTask)) {
	for _, record := range w.last.alive {
		of(readComm(sched.PID(record.Tgid), sched.TID(record.Tid)), &record)
	}
}
