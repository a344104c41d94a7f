package view_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// flames are the graphs of a report, after checks of what holds for all of them.
func flames(t *testing.T, r *report.Report) *view.FlameGraphs {
	t.Helper()
	f := view.PageOf(r).Flames
	if f == nil {
		t.Fatal("there are no graphs")
	}
	blocked, runnable := int64(0), int64(0)
	for i := range r.Trials {
		for _, w := range r.Trials[i].Why.Waits {
			blocked, runnable = blocked+w.BlockedNS, runnable+w.WaitNS
		}
	}
	checkFlame(t, f, f.Blocked.Nodes, blocked)
	checkFlame(t, f, f.Runnable.Nodes, runnable)
	return f
}

// checkFlame fails unless a graph has so much time, children have no more than their parent, and tasks have all.
func checkFlame(t *testing.T, f *view.FlameGraphs, nodes []view.FlameNode, total int64) {
	t.Helper()
	if total == 0 {
		if len(nodes) > 0 {
			t.Errorf("%d nodes of no time", len(nodes))
		}
		return
	}
	if len(nodes) == 0 || nodes[0].Parent != -1 || nodes[0].NS != total {
		t.Fatalf("the first of %d nodes is not all %d ns", len(nodes), total)
	}
	below := make([]int64, len(nodes))
	last := make([]int64, len(nodes)) // the time of the last child
	for i, n := range nodes[1:] {
		switch label := f.Labels[n.Label]; {
		case n.Parent < 0 || n.Parent > i:
			t.Fatalf("the parent of node %d is %d", i+1, n.Parent)
		case n.NS <= 0 || n.Times < 0 || math.IsInf(n.Times, 0) || n.LongestNS > nodes[0].LongestNS:
			t.Errorf("node %d: %+v", i+1, n)
		case label.Kind == view.FlameRest:
		case n.NS < total/2000:
			t.Errorf("%s has %d ns of %d and is shown", label.Name, n.NS, total)
		case below[n.Parent] > 0 && n.NS > last[n.Parent]:
			t.Errorf("%s has more time than the one before", label.Name)
		}
		below[n.Parent] += n.NS
		last[n.Parent] = n.NS
	}
	if below[0] != total {
		t.Errorf("the tasks have %d ns of %d", below[0], total)
	}
	for i, n := range nodes {
		if below[i] > n.NS {
			t.Errorf("the children of %s have %d ns of its %d", f.Labels[n.Label].Name, below[i], n.NS)
		}
	}
}

// outline writes a graph as a list, indented by depth.
func outline(f *view.FlameGraphs, nodes []view.FlameNode) string {
	var out strings.Builder
	depth := map[int]int{-1: -1}
	for i, n := range nodes {
		depth[i] = depth[n.Parent] + 1
		l := f.Labels[n.Label]
		fmt.Fprintf(&out, "%s%s %s %s:%d %d×%v\n", strings.Repeat(" ", depth[i]), l.Kind, l.Name, l.File, n.Line,
			n.NS, n.Times)
	}
	return out.String()
}

// A graph has a task, its program's functions and those of the kernel, the outermost first. What is the same
// from the outside is added up, and the rest is its own.
func TestFlameGraph(t *testing.T) {
	r := &report.Report{
		Frames: []report.Frame{
			{Function: "main.main", Module: "a", File: "/src/main.go", Line: 7},
			{Function: "main.get", Module: "a", File: "/src/get.go", Line: 20, Inlined: true},
			{Function: "main.get", Module: "a", File: "/src/get.go", Line: 21, Inlined: true},
			{Function: "do_futex", Module: "kernel", Kernel: true},
			{Function: "schedule", Module: "kernel", Kernel: true},
			{Module: "a", Address: 0x1000, Unnamed: "stripped"},
		},
		Stacks: []report.Stack{{4, 3, 1, 0}, {4, 3, 2, 0}, {5, 0}, {}},
	}
	wait := func(comm string, stack int, blocked, runnable int64) report.StackWait {
		return report.StackWait{
			Process: "a", Comm: comm, State: report.Sleeping, Stack: stack, Times: 1.5, BlockedNS: blocked,
			WaitNS: runnable, LongestNS: blocked + runnable,
		}
	}
	waits := []report.StackWait{
		wait("a", 0, 100, 0), wait("a", 1, 50, 4), wait("a", 2, 30, 0), wait("worker", 3, 20, 0),
	}
	r.Trials = []report.Trial{
		{Mode: report.SystemMode, Why: &report.Why{Waits: waits}}, {Mode: report.SystemMode},
		{Mode: report.SystemMode, Why: &report.Why{Waits: waits[:1], Skipped: 1}},
	}
	r.Trials[1].Why = &report.Why{}
	f := flames(t, r)
	const blocked = `all all tasks :0 300×7.5
 task a :0 280×6
  program main.main main.go:7 280×6
   inlined main.get get.go:0 250×4.5
    kernel do_futex :0 250×4.5
   program 0x1000 in a :0 30×1.5
 task a / worker :0 20×1.5
`
	if got := outline(f, f.Blocked.Nodes); got != blocked {
		t.Errorf("blocked:\n%s, want\n%s", got, blocked)
	}
	const runnable = `all all tasks :0 4×1.5
 task a :0 4×1.5
  program main.main main.go:7 4×1.5
   inlined main.get get.go:21 4×1.5
    kernel do_futex :0 4×1.5
`
	if got := outline(f, f.Runnable.Nodes); got != runnable {
		t.Errorf("runnable:\n%s, want\n%s", got, runnable)
	}
	if !f.Estimated || f.Blocked.Nodes[0].LongestNS != 100 {
		t.Errorf("estimated: %v, longest %d", f.Estimated, f.Blocked.Nodes[0].LongestNS)
	}
}

func TestFlameGraphsOfReports(t *testing.T) {
	flames(t, reporttest.Stacks())
	flames(t, reporttest.HostileStacks())
	for name, r := range map[string]*report.Report{
		"of a report without stacks": reporttest.Command(), "of nothing": {},
		"of no time": {Trials: []report.Trial{{Why: &report.Why{}}}},
	} {
		if view.PageOf(r).Flames != nil {
			t.Errorf("there is a graph %s", name)
		}
	}
}

// Sums that no number can hold are not drawn.
func TestFlameGraphsOfTooMuchTime(t *testing.T) {
	r := reporttest.Stacks()
	for i := range r.Trials {
		for j := range r.Trials[i].Why.Waits {
			r.Trials[i].Why.Waits[j].BlockedNS = math.MaxInt64 / 3
			r.Trials[i].Why.Waits[j].Times = math.MaxFloat64
		}
	}
	if view.PageOf(r).Flames != nil {
		t.Error("there is a graph")
	}
	for i := range r.Trials {
		for j := range r.Trials[i].Why.Waits {
			r.Trials[i].Why.Waits[j].BlockedNS = 1 + int64(j)
		}
	}
	flames(t, r)
}

// However many tasks and functions a report has, and however long their names are, the graphs are small.
func TestFlameGraphsAreBounded(t *testing.T) {
	const depth, width = 4096, 3000
	r := &report.Report{Trials: []report.Trial{{Mode: report.SystemMode, Why: &report.Why{}}}}
	why := r.Trials[0].Why
	var deep report.Stack
	long := strings.Repeat("n", 1<<14)
	for i := range depth {
		r.Frames = append(r.Frames, report.Frame{Function: fmt.Sprint(i, long), Module: long, File: long})
		deep = append(deep, i)
	}
	r.Stacks = []report.Stack{deep}
	for i := range width {
		r.Stacks = append(r.Stacks, report.Stack{i})
		// A few tasks at the deep stack, each with the same time; one task at many stacks, each too small.
		for _, w := range []report.StackWait{
			{Comm: fmt.Sprint("deep ", i%5), Stack: 0, BlockedNS: 1000},
			{Comm: "wide", Stack: i + 1, BlockedNS: 100},
			{Comm: fmt.Sprint("small ", i), Stack: 1, BlockedNS: 100},
		} {
			w.State, w.Times = report.Sleeping, 1
			why.Waits = append(why.Waits, w)
		}
	}
	f := flames(t, r)
	if n := len(f.Blocked.Nodes); n <= depth || n > 2*4096 {
		t.Errorf("%d nodes", n)
	}
	text := 0
	for _, l := range f.Labels {
		text += len(l.Name) + len(l.Module) + len(l.File)
	}
	if text > 1<<20 {
		t.Errorf("%d bytes of names", text)
	}
	shown := outline(f, f.Blocked.Nodes)
	for _, want := range []string{"3000 smaller tasks ", "3000 smaller functions ", "rest 1 smaller function "} {
		if !strings.Contains(shown, want) {
			t.Errorf("there is no %q", want)
		}
	}
}
