package render_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// perfettoThread is a row of Perfetto's thread table.
type perfettoThread struct {
	tid     int64
	names   []string
	process *perfettoProcess
	from    int64
	to      int64
}

type perfettoProcess struct {
	pid, parent int64
	ended       bool
}

// perfettoThreads tracks threads like ProcessTracker in Perfetto's trace processor: all events of a
// tid belong to its last living thread. A task without CLONE_THREAD begins a process, and a process
// ends with its leader.
type perfettoThreads struct {
	all       []*perfettoThread
	processes map[int64]*perfettoProcess
}

func (p *perfettoThreads) alive(t *perfettoThread) bool {
	return t.to == 0 && (t.process == nil || !t.process.ended && p.processes[t.process.pid] == t.process)
}

// thread returns the living thread of a tid, in a process if that is not 0, or else a new one.
func (p *perfettoThreads) thread(tid, pid int64) *perfettoThread {
	for _, t := range slices.Backward(p.all) {
		if t.tid == tid && p.alive(t) && (pid == 0 || t.process == nil || t.process.pid == pid) {
			return t
		}
	}
	t := &perfettoThread{tid: tid}
	p.all = append(p.all, t)
	return t
}

func (p *perfettoThreads) process(pid int64) *perfettoProcess {
	if p.processes[pid] == nil {
		p.processes[pid] = &perfettoProcess{pid: pid}
		if main := p.thread(pid, pid); main.process == nil {
			main.process = p.processes[pid]
		}
	}
	return p.processes[pid]
}

func (t *perfettoThread) name(name string) {
	if len(t.names) == 0 || t.names[len(t.names)-1] != name {
		t.names = append(t.names, name)
	}
}

func (p *perfettoThreads) newTask(ns, parent, tid int64, thread bool, name string) {
	source := p.thread(parent, 0)
	if !thread {
		delete(p.processes, tid)
	}
	t := &perfettoThread{tid: tid, from: ns, names: []string{name}}
	p.all = append(p.all, t)
	if thread {
		t.process = source.process
		return
	}
	t.process = p.process(tid)
	if source.process != nil {
		t.process.parent = source.process.pid
	}
}

func (p *perfettoThreads) free(ns, tid int64) {
	for _, t := range slices.Backward(p.all) {
		if t.tid != tid || !p.alive(t) {
			continue
		}
		t.to = ns
		if t.process != nil && t.process.pid == tid {
			t.process.ended = true
			delete(p.processes, tid)
		}
		return
	}
}

// threadsOf returns what Perfetto makes of a trace: tid, names, process and its parent, start and
// end of each thread.
func threadsOf(t *testing.T, trace message) []string {
	t.Helper()
	type step struct {
		ns int64
		do func(*perfettoThreads)
	}
	var steps []step
	add := func(ns int64, do func(*perfettoThreads)) { steps = append(steps, step{ns, do}) }
	for _, packet := range trace.all("packet") {
		ns := packet.int(t, "timestamp", 0)
		for _, tree := range packet.all("process_tree") {
			add(ns, func(p *perfettoThreads) {
				for _, m := range tree.all("processes") {
					process := p.process(m.int(t, "pid", 0))
					if parent := m.int(t, "ppid", 0); parent != 0 {
						process.parent = parent
					}
				}
				for _, m := range tree.all("threads") {
					thread := p.thread(m.int(t, "tid", 0), m.int(t, "tgid", 0))
					if thread.process == nil {
						thread.process = p.process(m.int(t, "tgid", 0))
					}
					thread.name(m.text("name"))
				}
			})
		}
		for _, e := range packet.all("ftrace_events.event") {
			ns := e.int(t, "timestamp", 0)
			for _, m := range e.all("task_newtask") {
				add(ns, func(p *perfettoThreads) {
					p.newTask(ns, e.int(t, "pid", 0), m.int(t, "pid", 0), m.int(t, "clone_flags", 0) != 0,
						m.text("comm"))
				})
			}
			for _, m := range e.all("sched_process_free") {
				add(ns, func(p *perfettoThreads) { p.free(ns, m.int(t, "pid", 0)) })
			}
		}
	}
	for _, events := range ftraceEvents(t, trace) {
		for _, e := range events {
			add(e.ns, func(p *perfettoThreads) {
				if e.tid != 0 {
					p.thread(e.tid, 0)
				}
				if e.running > 0 {
					p.thread(e.running, 0)
				}
			})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.ns, b.ns) })
	p := &perfettoThreads{processes: map[int64]*perfettoProcess{}}
	for _, s := range steps {
		s.do(p)
	}
	var lines []string
	for _, thread := range p.all {
		line := fmt.Sprintf("%d %s", thread.tid, strings.Join(thread.names, ">"))
		if thread.process != nil {
			line += fmt.Sprintf(" of %d (%d)", thread.process.pid, thread.process.parent)
		}
		lines = append(lines, fmt.Sprintf("%s %d-%d", line, thread.from, thread.to))
	}
	return lines
}

// shell is a process that exists when the recording begins.
func shell() recording.Task { return recording.Task{TID: 5, TGID: 5, Comm: "sh"} }

// born is a task that the shell creates.
func born(ns int64, tid sched.TID, tgid sched.PID, comm string) recording.Task {
	return recording.Task{TimeNS: ns, TID: tid, TGID: tgid, Parent: 5, Comm: comm}
}

func on(cpu sched.CPU, events ...recording.Event) recording.Block {
	return recording.Block{CPU: cpu, Events: events}
}

// threadCase is a recording, and the threads that Perfetto shows of it, as threadsOf describes them.
type threadCase struct {
	name   string
	frames []any
	want   []string
}

func checkThreads(t *testing.T, cases []threadCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := gocmp.Diff(c.want, threadsOf(t, decoded(t, c.frames...))); diff != "" {
				t.Errorf("threads (-want +got):\n%s", diff)
			}
		})
	}
}

// Each task is a separate thread in Perfetto, also if its tid was used before.
func TestPerfettoTellsTasksOfOneTIDApart(t *testing.T) {
	checkThreads(t, []threadCase{
		{"a process after a process, each with an execution", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "sh"), {TimeNS: 2050, TID: 7, TGID: 7, Comm: "true"}},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited)),
			[]recording.Task{born(3000, 7, 7, "sh"), {TimeNS: 3050, TID: 7, TGID: 7, Comm: "false"}},
			on(0, wakeup(3001, 7, 0), slice(3010, 5, 7, 'S', causeBlocked), slice(3100, 7, 5, 'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 sh>true of 7 (5) 2000-2101", "7 sh>false of 7 (5) 3000-3101"}},
		{"the first one's end is read when the second has begun", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "first"), born(3000, 7, 7, "second")},
			on(1, wakeup(3001, 7, 1)),
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited)),
			on(1, slice(3010, 0, 7, 'R', causeOther), slice(3100, 7, 0, 'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 first of 7 (5) 2000-2101", "7 second of 7 (5) 3000-3101"}},
		{"a thread of one process, then of another, then a process", []any{
			[]recording.Task{shell(), {TID: 6, TGID: 6, Comm: "other"}, born(2000, 7, 5, "a")},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited)),
			[]recording.Task{{TimeNS: 3000, TID: 7, TGID: 6, Parent: 6, Comm: "b"}},
			on(0, wakeup(3001, 7, 0), slice(3010, 6, 7, 'S', causeBlocked), slice(3100, 7, 5, 'X', causeExited)),
			[]recording.Task{born(4000, 7, 7, "c")},
			on(0, wakeup(4001, 7, 0), slice(4010, 5, 7, 'S', causeBlocked)),
		}, []string{"5 sh of 5 (0) 0-0", "6 other of 6 (0) 0-0", "7 a of 5 (0) 2000-2101",
			"7 b of 6 (0) 3000-3101", "7 c of 7 (5) 4000-0"}},
	})
}

// The tid of a process is free when its last thread has ended.
func TestPerfettoEndsAProcessWithItsLastThread(t *testing.T) {
	checkThreads(t, []threadCase{
		{"a leader that ends before its threads", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "main"), {TimeNS: 2020, TID: 8, TGID: 7, Parent: 7,
				Comm: "worker"}},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), wakeup(2021, 8, 0), slice(2100, 7, 8,
				'X', causeExited)),
			on(0, slice(2200, 8, 5, 'S', causeBlocked), slice(2300, 5, 8, 'S', causeBlocked), slice(2400, 8, 5,
				'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 main of 7 (5) 2000-2401", "8 worker of 7 (5) 2020-2401"}},
		{"a thread's end is read before an earlier one of its process", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "main"), {TimeNS: 2020, TID: 8, TGID: 7, Parent: 7,
				Comm: "worker"}},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), wakeup(2021, 8, 1)),
			on(1, slice(2030, 0, 8, 'R', causeOther), slice(2400, 8, 0, 'X', causeExited)),
			on(0, slice(2100, 7, 5, 'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 main of 7 (5) 2000-2401", "8 worker of 7 (5) 2020-2401"}},
		{"a thread that is known before its leader, both there before", []any{
			[]recording.Task{{TID: 8, TGID: 7, Comm: "worker"}, {TID: 7, TGID: 7, Comm: "main"}},
			on(0, slice(2010, 7, 8, 'X', causeExited), slice(2020, 8, 0, 'X', causeExited)),
		}, []string{"7 main of 7 (0) 0-2021", "8 worker of 7 (0) 0-2021"}},
	})
}

// Of a recording that lacks events or names, Perfetto shows what there is.
func TestPerfettoShowsThreadsOfIncompleteRecordings(t *testing.T) {
	checkThreads(t, []threadCase{
		{"an end that was lost", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "first"), born(3000, 7, 7, "second")},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked)),
			recording.Block{Lost: 3, Events: []recording.Event{wakeup(3001, 7, 0), slice(3010, 5, 7, 'S',
				causeBlocked)}},
		}, []string{"5 sh of 5 (0) 0-0", "7 first of 7 (5) 2000-0", "7 second of 7 (5) 3000-0"}},
		{"a first wakeup that was lost", []any{
			[]recording.Task{shell(), born(2000, 7, 7, "first")},
			on(0, slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 first of 7 (5) 0-2101"}},
		{"an older recording, which has no parents", []any{
			[]recording.Task{shell(), {TimeNS: 2000, TID: 7, TGID: 7, Comm: "first"}},
			on(0, wakeup(2001, 7, 0), slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited)),
			[]recording.Task{{TimeNS: 3000, TID: 7, TGID: 7, Comm: "second"}},
			on(0, wakeup(3001, 7, 0), slice(3010, 5, 7, 'S', causeBlocked), slice(3100, 7, 5, 'X', causeExited)),
		}, []string{"5 sh of 5 (0) 0-0", "7 first of 7 (0) 0-2101", "7 second of 7 (0) 0-3101"}},
		{"nobody knows it", []any{
			on(0, slice(2010, 5, 7, 'S', causeBlocked), slice(2100, 7, 5, 'X', causeExited), slice(2200, 5, 7,
				'S', causeBlocked)),
		}, []string{"7  0-2101", "5  0-0", "7  0-0"}},
	})
}
