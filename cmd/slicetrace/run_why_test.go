package main

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
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
	// aSwitch is more ns than lie between where the program begins and ends its count of a wait and where a switch is
	// seen; 0: 20 µs.
	aSwitch float64
	only    string // the only architecture on which it runs
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
			"lock_here": {"futex_wait"}, "sync_here": {"fsync"}, "all_of_it": {"__libc_start_main"},
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
	}, aSwitch: 150_000}, // the kernel tells how long a thread had a core up to its last tick or switch
	"Go": {needs: []string{"go"}, argv: []string{"OUT"}, build: []string{"go", "build", "-o", "OUT", "DIR/waits.go"}},
}

// waitingFiles are programs whose files are not as usual.
var waitingFiles = map[string]waitingProgram{
	"static": {
		needs: []string{"gcc"}, argv: []string{"OUT"},
		build: []string{"gcc", "-O2", "-static", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
	"position-dependent": {
		needs: []string{"gcc"}, argv: []string{"OUT"},
		build: []string{"gcc", "-O2", "-no-pie", "-fno-pie", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
	"of 32 bits": {
		needs: []string{"gcc"}, argv: []string{"OUT"}, only: "amd64", build: []string{
			"gcc", "-m32", "-O2", "-fno-omit-frame-pointer", "-fno-stack-protector", "-fno-pic", "-no-pie", "-nostdlib",
			"-static", "-o", "OUT", "DIR/narrow.c",
		},
	},
	"deleted": {
		needs: []string{"gcc"}, argv: []string{"OUT", "delete"},
		build: []string{"gcc", "-O2", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
	"upgraded": {
		needs: []string{"gcc", "sh"}, argv: []string{"OUT", "upgrade", "OUT.new"}, build: []string{
			"sh", "-c", "gcc -O2 -pthread -o OUT DIR/waits.c && gcc -O2 -o OUT.new -nostdlib -shared -x c /dev/null",
		},
	},
	"in memory": {
		needs: []string{"gcc"}, argv: []string{"OUT", "memory"},
		build: []string{"gcc", "-O2", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
	"in a container": {
		needs: []string{"gcc", "unshare", "chroot"},
		argv: []string{
			"unshare", "--mount", "sh", "-c",
			"mount -t tmpfs none /mnt && cp OUT /mnt/waits && exec chroot /mnt /waits",
		},
		build: []string{"gcc", "-O2", "-static", "-pthread", "-o", "OUT", "DIR/waits.c"},
	},
}

// built builds the program, and returns its command line.
func (p waitingProgram) built(t *testing.T) (argv []string) {
	t.Helper()
	if p.only != "" && p.only != runtime.GOARCH {
		bpftest.Lacks(t, false, "a machine of kind %s", p.only)
	}
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
	return replaced(p.argv)
}

// runWaits traces a program with all its stacks, and returns the report and what the program printed.
func runWaits(t *testing.T, argv []string) (r *report.Report, said map[string]int64) {
	t.Helper()
	flags := []string{"run", "-q", "-o", "why.json", "--why", "--block", "0", "--walks", "1000000", "--"}
	cmd := tool(t, append(flags, argv...)...)
	got := finish(t, cmd)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	said = make(map[string]int64)
	var err error
	for line := range strings.Lines(got.out) {
		place, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if said[place], err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatalf("the program said %q", line)
		}
	}
	if len(said) < 2 {
		t.Fatalf("the program said %v", said)
	}
	if r, err = report.ReadFile(filepath.Join(cmd.Dir, "why.json")); err != nil {
		t.Fatal(err)
	}
	return r, said
}

// allTaken returns an error if there are returns without a stack.
func allTaken(r *report.Report) error {
	if why := r.Trials[0].Why; why.Skipped+why.Lost > 0 {
		return fmt.Errorf("%d stacks were taken, %d skipped, %d lost", why.Taken, why.Skipped, why.Lost)
	}
	return nil
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

// aPause is more ns than a runtime's own waits take, which its functions seem to be in.
const aPause = 4_000_000

// Programs of several languages wait at known places for known times: the stacks of each place have at least
// 95 % of its time, and hardly more than it. Where other programs want the cores too, a program also waits for a core
// between such a place and its clock.
func TestWhyOfKnownPrograms(t *testing.T) {
	bpftest.Require(t)
	for language, p := range waitingPrograms {
		t.Run(language, func(t *testing.T) {
			argv := p.built(t)
			bpftest.Mostly(t, func() error {
				r, said := runWaits(t, argv)
				return p.compare(t, r, said)
			})
		})
	}
}

// Functions have their names wherever the program's file is: the stacks of each place have its time.
func TestWhyOfFilesOfAllKinds(t *testing.T) {
	bpftest.Require(t)
	for kind, p := range waitingFiles {
		t.Run(kind, func(t *testing.T) {
			r, said := runWaits(t, p.built(t))
			if err := allTaken(r); err != nil {
				t.Error(err)
			}
			for place, ns := range said {
				found, _ := waitsAt(r, place)
				if t.Logf("%s: %d of %d ns", place, found, ns); float64(found) < 0.95*float64(ns)-aPause {
					t.Errorf("%s: stacks have %d of %d ns", place, found, ns)
				}
			}
		})
	}
}

// compare compares what stacks say with what the program said.
func (p *waitingProgram) compare(t *testing.T, r *report.Report, said map[string]int64) (err error) {
	t.Helper()
	err = allTaken(r)
	for place, ns := range said {
		functions := p.functions[place]
		if functions == nil {
			functions = []string{place}
		}
		found, times := waitsAt(r, functions...)
		fewest, most := 0.95*float64(ns)-aPause, 1.01*float64(ns)+times*cmp.Or(p.aSwitch, 20_000)
		if float64(found) < fewest || float64(found) > most {
			err = errors.Join(err, fmt.Errorf("%s: stacks have %d of %d ns", place, found, ns))
		}
		t.Logf("%s: %.4f of %d ns, %.0f times", place, float64(found)/float64(ns), ns, times)
	}
	return err
}

// The times of stacks are those of the accounts.
func TestWhyAddsUp(t *testing.T) {
	bpftest.Require(t)
	r, _ := runWaits(t, waitingPrograms["C"].built(t))
	if err := allTaken(r); err != nil {
		t.Error(err)
	}
	trial := &r.Trials[0]
	var stacks, accounts int64
	for i := range trial.Why.Waits {
		stacks += trial.Why.Waits[i].WaitNS
	}
	for i := range trial.Workers {
		accounts += trial.Workers[i].WaitNS
	}
	if difference := stacks - accounts; max(difference, -difference) > accounts/100+100_000 {
		t.Errorf("stacks have %d ns of waits for cores, the accounts %d", stacks, accounts)
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

// The pairs of a command's tasks are those of its accounts: each end of a slice by another task, and each wakeup.
func TestPairsOfACommand(t *testing.T) {
	bpftest.Require(t)
	const script = "for i in 1 2 3 4 5 6 7 8; do head -c 3000000 /dev/zero | cat | tail -c 1; done >/dev/null;" +
		" echo a 1; echo b 1; echo c 1"
	r, _ := runWaits(t, []string{"sh", "-c", script})
	trial := &r.Trials[0]
	var want, got [2]uint64
	var waited, all int64
	names := map[string]bool{}
	for i := range trial.Workers {
		w := &trial.Workers[i]
		want[0] += w.EndedBy.Tick + w.EndedBy.Wakeup + w.EndedBy.Other
		want[1] += w.EndedBy.Blocked
		all += w.WaitNS
	}
	for i := range trial.Why.Pairs {
		p := &trial.Why.Pairs[i]
		if p.Kind == report.PairTaken {
			got[0] += p.Count
		} else {
			got[1] += p.Count
		}
		waited += p.WaitNS
		if p.Task != nil && p.By != nil && p.Kind == report.PairWoken {
			names[p.Task.Comm+" by "+p.By.Comm] = true
		}
	}
	if got != want || waited > all {
		t.Errorf("pairs have %d times taken and woken, the accounts %d; %d of %d ns", got, want, waited, all)
	}
	for _, name := range []string{"cat by head", "tail by cat", "head by cat"} {
		if !names[name] {
			t.Errorf("no pair is of %s: %v", name, names)
		}
	}
	if problem := r.Validate(); problem != nil {
		t.Error(problem)
	}
}
