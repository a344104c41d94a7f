package main

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// waitingProgram is a program of testdata/waits, which prints for how long it was where.
type waitingProgram struct {
	needs []string
	build []string // a command that makes it, if it needs one; OUT is where to
	argv  []string // DIR is testdata/waits, OUT what build made
	// functions are those of which a stack of each place has one, by what the program calls it; the program
	// calls the others by their names.
	functions map[string][]string
}

var waitingPrograms = map[string]waitingProgram{
	"C": {
		needs: []string{"gcc"}, argv: []string{"OUT"},
		build: []string{"gcc", "-O2", "-fomit-frame-pointer", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
	"C, stripped": {
		needs: []string{"gcc"}, argv: []string{"OUT"},
		build: []string{"gcc", "-O2", "-s", "-rdynamic", "-pthread", "-o", "OUT", "DIR/waits.c"},
		functions: map[string][]string{
			"sleep_here": {"hrtimer_nanosleep"}, "read_here": {"pipe_read", "anon_pipe_read"},
			"lock_here": {"futex_wait"}, "sync_here": {"fsync"}, "main": {"main"},
		},
	},
	"Python": {needs: []string{"python3"}, argv: []string{"PYTHON", "DIR/waits.py"}, functions: map[string][]string{
		"sleep": {"hrtimer_nanosleep"}, "read": {"pipe_read", "anon_pipe_read"}, "lock": {"futex_wait"},
		"fsync": {"fsync"},
	}},
	"Java": {needs: []string{"java"}, argv: []string{"java", "DIR/Waits.java"}, functions: map[string][]string{
		"sleep": {"JVM_Sleep"}, "read": {"pipe_read", "anon_pipe_read"}, "fsync": {"fsync"},
	}},
	"Node": {needs: []string{"node"}, argv: []string{
		"node", "--perf-basic-prof", "--interpreted-frames-native-stack", "DIR/waits.js",
	}},
	"Go": {needs: []string{"go"}, argv: []string{"OUT"}, build: []string{"go", "build", "-o", "OUT", "DIR/waits.go"}},
}

// run builds the program, traces it with all its stacks, and returns the report and what the program printed.
func (p waitingProgram) run(t *testing.T) (r *report.Report, said map[string]int64) {
	t.Helper()
	for _, name := range p.needs {
		if _, err := exec.LookPath(name); err != nil {
			bpftest.Lacks(t, false, "%s", name)
		}
	}
	here, err := filepath.Abs("testdata/waits")
	if err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("DIR", here, "OUT", filepath.Join(t.TempDir(), "waits"), "PYTHON", python(t))
	replaced := func(words []string) (all []string) {
		for _, word := range words {
			all = append(all, places.Replace(word))
		}
		return all
	}
	if build := replaced(p.build); len(build) > 0 {
		if out, err := exec.Command(build[0], build[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", build, err, out)
		}
	}
	cmd := tool(t, append([]string{"run", "-q", "-o", "why.json", "--why", "--block", "0", "--walks", "1000000", "--"}, replaced(p.argv)...)...)
	got := finish(t, cmd)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	said = make(map[string]int64)
	for line := range strings.Lines(got.out) {
		place, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if said[place], err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatalf("the program said %q", line)
		}
	}
	if r, err = report.ReadFile(filepath.Join(cmd.Dir, "why.json")); err != nil {
		t.Fatal(err)
	}
	return r, said
}

// python returns the interpreter itself, for which a script may stand.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "python3"
	}
	return strings.TrimSpace(string(path))
}

// waitsAt returns the time off cores at stacks with one of the functions, and how often that was, but for that of
// the C program's server.
func waitsAt(r *report.Report, functions ...string) (ns int64, times float64) {
	for i := range r.Trials[0].Why.Waits {
		if w := &r.Trials[0].Why.Waits[i]; w.Comm != "server" && hasFunction(r, w.Stack, functions...) {
			ns, times = ns+w.OffNS(), times+w.Times
		}
	}
	return ns, times
}

func hasFunction(r *report.Report, stack int, functions ...string) bool {
	for _, i := range r.Stacks[stack] {
		for _, function := range functions {
			if strings.Contains(r.Frames[i].Function, function) {
				return true
			}
		}
	}
	return false
}

// aSwitch is more ns than lie between where the kernel ends the CPU time of a thread that waits, and begins it again,
// and where a switch is seen.
const aSwitch = 20_000

// Programs of several languages wait at known places for known times: the stacks of each place have at least
// 95 % of its time, and hardly more than it. All of a thread's stacks have the time that it had no core.
func TestWhyOfKnownPrograms(t *testing.T) {
	bpftest.Require(t)
	for language, p := range waitingPrograms {
		t.Run(language, func(t *testing.T) {
			r, said := p.run(t)
			if why := r.Trials[0].Why; why.Skipped+why.Lost > 0 {
				t.Errorf("%d stacks were taken, %d skipped, %d lost", why.Taken, why.Skipped, why.Lost)
			}
			if len(said) < 3 {
				t.Fatalf("the program said %v", said)
			}
			for place, ns := range said {
				functions := p.functions[place]
				if functions == nil {
					functions = []string{place}
				}
				found, times := waitsAt(r, functions...)
				if float64(found) < 0.95*float64(ns) || float64(found) > 1.01*float64(ns)+times*aSwitch {
					t.Errorf("%s: stacks have %d of %d ns", place, found, ns)
				}
				t.Logf("%s: %.4f of %d ns, %.0f times", place, float64(found)/float64(ns), ns, times)
			}
		})
	}
}

// The times of a thread's stacks are those of the accounts.
func TestWhyAddsUp(t *testing.T) {
	bpftest.Require(t)
	r, _ := waitingPrograms["C"].run(t)
	trial := &r.Trials[0]
	var off, wait int64
	for i := range trial.Why.Waits {
		if w := &trial.Why.Waits[i]; w.Comm != "server" {
			off, wait = off+w.OffNS(), wait+w.WaitNS
		}
	}
	for _, w := range trial.Workers {
		if w.Comm == "server" {
			continue
		}
		// It also takes a while until this program is told of the other's end.
		if most := trial.DurationNS - w.OnCPUNS; off > most || off < most-most/20 {
			t.Errorf("stacks have %d ns off cores, the accounts at most %d", off, most)
		}
		if max(wait-w.WaitNS, w.WaitNS-wait) > w.WaitNS/100+100_000 {
			t.Errorf("stacks have %d ns of waits for cores, the accounts %d", wait, w.WaitNS)
		}
	}
	for _, c := range trial.Cores {
		if c.Total() != c.WallNS {
			t.Errorf("core %d: %d ns of %d", c.CPU, c.Total(), c.WallNS)
		}
	}
	if trial.Why.WalkNS == 0 {
		t.Error("taking stacks took no time")
	}
}
