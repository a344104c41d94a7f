package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/workloads"
)

// soakVariable is how long TestSoak takes, as .ci/soak sets it.
const soakVariable = "SLICETRACE_SOAK"

// holding is what the tool holds at one moment of a trial.
type holding struct {
	rss         int // bytes
	descriptors int
	watched     int // slots of tasks
}

// variant identifies a trial of a run of one round.
type variant struct {
	workload, variant string
	mode              workloads.Mode
	workers           int
}

// trialsOfRound returns the number of trials in one round of some workloads on this machine.
func trialsOfRound(t *testing.T, names ...string) int {
	t.Helper()
	var plan workloads.Plan
	for _, name := range names {
		plan.Workloads = append(plan.Workloads, must(workloads.Find(name)))
	}
	plan.Modes = []workloads.Mode{workloads.Processes, workloads.Threads}
	plan.Rounds = 1
	for cpu := range runtime.NumCPU() {
		plan.CPUs = append(plan.CPUs, workloads.CPU(cpu))
	}
	return len(plan.Trials())
}

// With messaging and spawn at full rate, and top beside them for half of the time, all counts equal the
// kernel's, nothing is lost, and neither holds more memory, descriptors and watched tasks at the end than at
// the beginning.
func TestSoak(t *testing.T) {
	bpftest.Require(t)
	trials := trialsOfRound(t, "messaging", "spawn")
	length := time.Duration(trials) * time.Second
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakVariable, err)
		}
	}
	each := length / time.Duration(trials)
	cmd := tool(t, "run", "messaging", "spawn", "--rounds", "1", "--duration", each.String())
	top, intervals := soakTop(t, length)
	var held map[variant][]holding
	var heldByTop []holding
	var topped invocation
	got := finish(t, cmd, func() {
		topped = finish(t, top, func() { held, heldByTop = watchHoldings(t, cmd, top, length) })
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	checkHoldings(t, held, trials)
	checkSoakTop(t, topped, intervals, heldByTop)

	r := got.saved(t)
	if len(r.Trials) != trials {
		t.Errorf("%d trials, want %d", len(r.Trials), trials)
	}
	q := r.Quality
	t.Logf("%d switches, %d created tasks, lost %+v, accounting error %d ppm",
		q.Switches, q.CreatedTasks, q.Lost, q.AccountingErrorPPM)
	if q.ReconciledWorkers != q.Workers || q.ComparedWorkers != q.Workers {
		t.Errorf("%d of %d workers have the kernel's counts, %d were compared",
			q.ReconciledWorkers, q.Workers, q.ComparedWorkers)
	}
	if q.CreatedTasks == 0 || q.ReconciledCreated != q.CreatedTasks {
		t.Errorf("%d of %d created tasks have the kernel's counts", q.ReconciledCreated, q.CreatedTasks)
	}
	lost := q.Lost
	lost.HiddenSwitches = 0 // switches that this kernel hides, which the account makes up for
	if lost.Total() != 0 || q.RecursionMisses != 0 {
		t.Errorf("lost %+v, %d hook calls skipped", q.Lost, q.RecursionMisses)
	}
	if q.AccountingErrorPPM > 1000 {
		t.Errorf("the accounting is %d ppm off", q.AccountingErrorPPM)
	}
}

// watchHoldings looks at the tool some 200 times until it ends. A look counts if all workers of
// one trial were watched during it: between trials they come and go. Meanwhile top watches the system.
func watchHoldings(
	t *testing.T, cmd, top *exec.Cmd, length time.Duration,
) (held map[variant][]holding, byTop []holding) {
	t.Helper()
	held = make(map[variant][]holding)
	looks := make(map[string]int)
	for pid := cmd.Process.Pid; stateOf(pid) != "Z"; time.Sleep(max(length/200, 20*time.Millisecond)) {
		v, h, why := lookAt(t, cmd)
		if looks[why]++; why == "" {
			held[v] = append(held[v], h)
		}
		if h, err := holdingOf(top.Process.Pid); err == nil && h.rss > 0 {
			byTop = append(byTop, h)
		}
	}
	if len(held) == 0 {
		t.Errorf("no look counts: %v", looks)
	}
	return held, byTop
}

// lookAt looks at the tool once. It returns why the look does not count, "" if it does.
func lookAt(t *testing.T, cmd *exec.Cmd) (v variant, h holding, why string) {
	t.Helper()
	pid := cmd.Process.Pid
	v, known := variantUnderWay(t, cmd)
	if !known {
		return v, h, "no worker"
	}
	h, err := holdingOf(pid)
	if err == nil {
		h.watched, err = bpftest.Entries(pid, "st_tasks", isWatched)
	}
	if err != nil {
		return v, h, err.Error()
	}
	if h.watched < v.workers {
		return v, h, "not all workers are watched"
	}
	if after, known := variantUnderWay(t, cmd); !known || after != v {
		return v, h, "another trial by now"
	}
	return v, h, ""
}

// variantUnderWay returns the trial that the tool's worker hosts are for.
func variantUnderWay(t *testing.T, cmd *exec.Cmd) (v variant, known bool) {
	t.Helper()
	for _, trial := range workerHosts(t, cmd) {
		return variant{trial.Workload, trial.Variant, trial.Mode, trial.Workers}, true
	}
	return variant{}, false
}

// isWatched reports whether a slot of the map st_tasks has a task.
func isWatched(slot []byte) bool {
	var w bpf.WatchedTask
	return binary.NativeEndian.Uint64(slot[unsafe.Offsetof(w.Key):]) != 0
}

// checkHoldings checks that the tool holds no more at a trial's end than at its beginning, and
// no more in a later trial.
func checkHoldings(t *testing.T, held map[variant][]holding, trials int) {
	t.Helper()
	if len(held) != trials {
		t.Errorf("%d of %d trials were seen", len(held), trials)
	}
	var descriptors []int
	for v, samples := range held {
		// What a trial keeps for the next one is checked below.
		descriptors = append(descriptors, checkGrowth(t, fmt.Sprintf("%+v", v), samples, 0))
		last := samples[len(samples)-1]
		// Besides the workers, there are the tasks that each has just created or that are ending.
		created := 0
		if v.workload == "spawn" {
			created = 2 * v.workers
		}
		if most := v.workers + created; last.watched > most {
			t.Errorf("%+v: %d tasks are watched in the end, want at most %d", v, last.watched, most)
		}
	}
	if len(descriptors) > 0 && slices.Min(descriptors) != slices.Max(descriptors) {
		t.Errorf("not as many descriptors in each trial: %d", descriptors)
	}
}

// checkGrowth checks that neither memory nor descriptors grow from look to look, these by more than spare, and
// returns the fewest descriptors.
func checkGrowth(t *testing.T, what string, samples []holding, spare int) (fewest int) {
	t.Helper()
	if len(samples) == 0 {
		return 0
	}
	first, last := samples[0], samples[len(samples)-1]
	t.Logf("%s: resident %d to %d KiB, descriptors %d to %d, watched tasks %d to %d, in %d samples", what,
		first.rss>>10, last.rss>>10, first.descriptors, last.descriptors, first.watched, last.watched, len(samples))
	var rss, open []int
	for _, h := range samples {
		rss, open = append(rss, h.rss), append(open, h.descriptors)
	}
	if leaks(rss) {
		t.Errorf("%s: resident memory grows without end: %d", what, rss)
	}
	// A look can find a file that is just being read, so the fewest of several looks count.
	half := (len(open) + 1) / 2
	if before, after := slices.Min(open[:half]), slices.Min(open[len(open)-half:]); half > 1 && after > before+spare {
		t.Errorf("%s: descriptors grew from %d to %d: %d", what, before, after, open)
	}
	return slices.Min(open)
}

// holdingOf returns what a process holds, but for the tasks that it watches.
func holdingOf(pid int) (h holding, err error) {
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err == nil {
		h.rss, err = residentBytes(pid)
	}
	h.descriptors = len(fds)
	return h, err
}

// leaks reports whether memory grows all the time, and by more than Go's heap grows in a trial. A
// heap that settles grows in steps, and not between them.
func leaks(rss []int) bool {
	const parts = 4
	if len(rss) < parts {
		return false
	}
	var levels [parts]int
	for i := range levels {
		part := slices.Sorted(slices.Values(rss[len(rss)*i/parts : len(rss)*(i+1)/parts]))
		levels[i] = part[len(part)/2]
	}
	// A twentieth is for the race detector's shadow memory, which grows in proportion.
	settles := max(2<<20, levels[0]/20)
	for i := 1; i < parts; i++ {
		if levels[i]-levels[i-1] < settles/parts {
			return false
		}
	}
	return levels[parts-1]-levels[0] > settles
}

func TestLeaks(t *testing.T) {
	const mib = 1 << 20
	ramp := func(from, by int) (rss []int) {
		for i := range 40 {
			rss = append(rss, from+by*i/40)
		}
		return rss
	}
	step := append(ramp(40*mib, 0)[:25], ramp(43*mib, 0)[:15]...)
	for name, c := range map[string]struct {
		rss  []int
		want bool
	}{
		"level":             {ramp(40*mib, 0), false},
		"a step":            {step, false},
		"a leak":            {ramp(40*mib, 4*mib), true},
		"little":            {ramp(40*mib, 2*mib), false},
		"a detector's heap": {ramp(400*mib, 15*mib), false},
		"too few to tell":   {ramp(40*mib, 400*mib)[:3], false},
	} {
		if got := leaks(c.rss); got != c.want {
			t.Errorf("%s: leaks is %v", name, got)
		}
	}
}

// residentBytes returns the resident memory of a process. It can be 0 for a process that has just
// begun or is about to end.
func residentBytes(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm is %q", text)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}
