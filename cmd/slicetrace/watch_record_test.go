package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// shortLived is what a recording has of a task that began and ended in it.
type shortLived struct {
	tid            sched.TID
	bornNS, diedNS int64
	causes         [8]uint64
	waitNS, since  int64
	waits          int
}

// coreRecord is what a recording has of the cores, and of the tasks whose names begin with a prefix.
type coreRecord struct {
	marks    []recording.Mark
	end      recording.End
	switches map[sched.CPU][]int64 // when
	tasks    map[string]*shortLived
}

func readCores(t *testing.T, name, prefix string) *coreRecord {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := recording.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := &coreRecord{switches: map[sched.CPU][]int64{}, tasks: map[string]*shortLived{}}
	born, events := map[sched.TID]int64{}, []recording.Event{}
	for {
		frame, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case recording.Mark:
			got.marks = append(got.marks, f)
		case recording.End:
			got.end = f
		case []recording.Task:
			for _, task := range f {
				if task.Parent != 0 {
					born[task.TID] = task.TimeNS
				}
				if strings.HasPrefix(task.Comm, prefix) && task.Parent == 0 && born[task.TID] > 0 {
					got.tasks[task.Comm] = &shortLived{tid: task.TID, bornNS: born[task.TID]}
				}
			}
		case *recording.Block:
			events = append(events, f.Events...)
			for _, e := range f.Events {
				if e.Kind == recording.Switch {
					got.switches[f.CPU] = append(got.switches[f.CPU], e.TimeNS)
				}
			}
		}
	}
	slices.SortStableFunc(events, func(a, b recording.Event) int { return int(a.TimeNS - b.TimeNS) })
	got.follow(events)
	return got
}

// follow adds to each task what it did, by the events of all cores in the order of time.
func (c *coreRecord) follow(events []recording.Event) {
	byTID := map[sched.TID]*shortLived{}
	for _, task := range c.tasks {
		byTID[task.tid] = task
	}
	of := func(tid sched.TID, at int64) *shortLived {
		if task := byTID[tid]; task != nil && at >= task.bornNS && task.diedNS == 0 {
			return task
		}
		return nil
	}
	for _, e := range events {
		if e.Kind == recording.Wakeup {
			if task := of(e.Next, e.TimeNS); task != nil && task.since == 0 {
				task.since = e.TimeNS
			}
			continue
		}
		if task := of(e.Prev, e.TimeNS); task != nil {
			task.causes[e.EndedBy]++
			if task.since = 0; e.State == 'R' {
				task.since = e.TimeNS
			}
			if e.State == 'X' {
				task.diedNS = e.TimeNS
			}
		}
		if task := of(e.Next, e.TimeNS); task != nil && task.since > 0 {
			task.waitNS += e.TimeNS - task.since
			task.waits++
			task.since = 0
		}
	}
}

// activityOf adds up what a report has of a task.
func activityOf(r *report.Report, name string, tid sched.TID) (sum report.Activity) {
	for _, trial := range r.Trials {
		for i := range trial.System.Tasks {
			if row := &trial.System.Tasks[i]; row.TID == tid && (row.Comm == name || row.Comm == "sh") {
				sum.Add(&row.Activity)
			}
		}
		for i := range trial.System.Ended {
			if row := &trial.System.Ended[i]; row.Comm == name {
				sum.Add(&row.Activity)
			}
		}
	}
	return sum
}

// manyShortLived starts programs with names of their own one after the other, beside others that never sleep.
// These give way to slicetrace, so that it keeps up with what it records.
func manyShortLived(t *testing.T, prefix string) {
	t.Helper()
	perl, err := exec.LookPath("perl")
	if err != nil {
		bpftest.Unavailable(t, "needs perl, for a program that sleeps often")
	}
	dir := t.TempDir()
	for i := range 400 {
		if err := os.Symlink(perl, filepath.Join(dir, fmt.Sprint(prefix, i))); err != nil {
			t.Fatal(err)
		}
	}
	const one = `i=0; while [ $i -lt 400 ]; do
		"./$0$i" -e 'select(undef, undef, undef, 0.001) for 1..15'; i=$((i+1))
	done`
	commands := []*exec.Cmd{exec.Command("sh", "-c", one, prefix)}
	for range runtime.NumCPU() {
		commands = append(commands, exec.Command("nice", "-n", "10", "sh", "-c", "while :; do :; done"))
	}
	for _, cmd := range commands {
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // the error says that it was killed
		})
	}
}

// A recording of a running system has every switch that its report counts, and the waits of the kernel's account.
func TestRecordingOfARunningSystem(t *testing.T) {
	bpftest.Require(t)
	const prefix = "st-short-"
	manyShortLived(t, prefix)
	got := call(t, "run", "--all", "--duration", "2500ms", "--every", "500ms", "--record", "r.rec", "-o", "r.json")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	rec := readCores(t, filepath.Join(got.dir, "r.rec"), prefix)
	if rec.end.Lost > 0 || rec.end.Switches != rec.end.Counted || r.Recording == nil ||
		r.Recording.Switches != rec.end.Switches {
		t.Errorf("the recording ends with %+v, and the report says %+v", rec.end, r.Recording)
	}
	n := len(r.Trials)
	if len(rec.marks) != n || n < 3 {
		t.Fatalf("%d intervals, and %d marks: %+v", n, len(rec.marks), rec.marks)
	}
	// The counters were read before the first interval and after the last but one ended.
	from, to := rec.marks[0].StartNS, rec.marks[n-2].EndNS
	checkCores(t, r, rec, from, to)
	tasks, waits, recorded, accounted := 0, 0, int64(0), int64(0)
	for name, task := range rec.tasks {
		if task.bornNS < from || task.diedNS == 0 || task.diedNS > to {
			continue
		}
		tasks++
		a := activityOf(r, name, task.tid)
		voluntary, all := task.causes[0]+task.causes[1], uint64(0)
		for _, c := range task.causes {
			all += c
		}
		if a.Voluntary() != voluntary || a.Involuntary() != all-voluntary {
			t.Errorf("%s made %d voluntary switches and %d others by the recording, %d and %d by the report",
				name, voluntary, all-voluntary, a.Voluntary(), a.Involuntary())
		}
		waits += task.waits
		recorded, accounted = recorded+task.waitNS, accounted+a.WaitNS
	}
	if tasks < 5 || waits < 50 {
		t.Errorf("%d tasks with %d waits are too few to prove much", tasks, waits)
	}
	// A wait begins and ends a little earlier in the kernel's account than in the recording, and an interrupt can
	// come in between.
	if most := accounted/20 + int64(waits)*20_000; recorded < accounted-most || recorded > accounted+most {
		t.Errorf("%d waits took %d ns by the recording, and %d ns by the report", waits, recorded, accounted)
	}
}

// checkCores checks that each core's switches are those that the report counts.
func checkCores(t *testing.T, r *report.Report, rec *coreRecord, from, to int64) {
	t.Helper()
	counted := map[sched.CPU]uint64{}
	for _, trial := range r.Trials {
		for i := range trial.Cores {
			for _, class := range trial.Cores[i].Classes {
				counted[trial.Cores[i].CPU] += class.Switches
			}
		}
	}
	for cpu, n := range counted {
		within := uint64(0)
		for _, at := range rec.switches[cpu] {
			if at >= from && at <= to {
				within++
			}
		}
		if n < within || n > uint64(len(rec.switches[cpu])) || within == 0 {
			t.Errorf("core %d made %d switches by the report; by the recording it made %d in all and %d within",
				cpu, n, len(rec.switches[cpu]), within)
		}
	}
}
