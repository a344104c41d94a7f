//go:build linux

package workloads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// helperVariable is the environment variable that makes the test binary a helper; see help.
const helperVariable = "SLICETRACE_TEST_HELPER"

func TestMain(m *testing.M) {
	if status, hosted := HostMain(); hosted {
		os.Exit(status)
	}
	if name, ok := os.LookupEnv(helperVariable); ok {
		os.Exit(help(name))
	}
	os.Exit(bpftest.RunOnEveryCore(m))
}

// help is what a helper, a process of its own, does. It returns the exit status.
func help(name string) int {
	var err error
	switch name {
	case "tool":
		// A tool that runs a long trial and prints the pids of its hosts.
		err = Run(context.Background(), testTrial("spin", Processes, 2, 0, time.Hour), nil, announcer{})
	case "threads tool":
		err = Run(context.Background(), testTrial("pipe", Threads, 2, 0, time.Hour), nil, announcer{})
	case "command tool":
		// A tool that dies before it releases its command.
		var r *Running
		if r, err = StartCommand(Command{Argv: []string{"sleep", "1000"}}); err == nil {
			fmt.Println(r.PID())
			time.Sleep(time.Hour)
		}
	case "interrupt me":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = Run(ctx, testTrial("spin", Processes, 2, 0, time.Hour), nil, announcer{})
	default:
		err = fmt.Errorf("no helper %q", name)
	}
	fmt.Println(err)
	return 3
}

// announcer prints the workers' process ids on one line.
type announcer struct{}

func (announcer) Ready(_ Trial, workers []Worker) error {
	for _, w := range workers {
		fmt.Print(w.PID, " ")
	}
	fmt.Println()
	return nil
}

func (announcer) Stopped(Result) error { return nil }

// recorder keeps what it is shown.
type recorder struct {
	ready   func([]Worker) error
	stopped func(Result) error
	workers []Worker
	results []Result
}

func (r *recorder) Ready(_ Trial, workers []Worker) error {
	r.workers = workers
	if r.ready != nil {
		return r.ready(workers)
	}
	return nil
}

func (r *recorder) Stopped(result Result) error {
	r.results = append(r.results, result)
	if r.stopped != nil {
		return r.stopped(result)
	}
	return nil
}

func testTrial(workload string, mode Mode, workers int, operations int64, duration time.Duration) Trial {
	// Without cores the trial fails with an error about them.
	cpus, _ := allowedCPUs()
	return Trial{
		Workload: workload, Mode: mode, Round: 1, Workers: workers, Operations: operations, Duration: duration,
		CPUs: cpus,
	}
}

// variantTrial is a trial of a variant with its default number of workers.
func variantTrial(w Workload, v Variant, mode Mode, operations int64) Trial {
	cpus, _ := allowedCPUs()
	t := Plan{Operations: operations}.trial(w, v, cpus)
	t.Mode, t.Round = mode, 1
	return t
}

// inAllVariants runs a test once for each variant of the workload and each mode.
func inAllVariants(t *testing.T, w Workload, test func(*testing.T, Variant, Mode)) {
	cpus, _ := allowedCPUs()
	for _, v := range w.Variants(len(cpus)) {
		for _, mode := range []Mode{Processes, Threads} {
			if !v.runsIn(mode) {
				continue
			}
			// Under the race detector processes are slow, and many of them show no more races.
			if testing.Short() && v.Workers > 64 {
				continue
			}
			t.Run(fmt.Sprintf("%s %s %s", w.Name, v.Name, mode), func(t *testing.T) { test(t, v, mode) })
		}
	}
}

// switches returns the worker's voluntary and involuntary switches between the gates.
func switches(w WorkerResult) (voluntary, involuntary uint64) {
	return w.After.Voluntary - w.Before.Voluntary, w.After.Involuntary - w.Before.Involuntary
}

// runTrial runs a trial that must succeed.
func runTrial(t *testing.T, trial Trial) Result {
	t.Helper()
	r, idle := runTrialUnlessIdle(t, trial)
	if idle != "" {
		t.Fatal(idle)
	}
	return r
}

// runTrialUnlessIdle runs a trial that must succeed, or says that no worker has completed an operation.
func runTrialUnlessIdle(t *testing.T, trial Trial) (result Result, idle string) {
	t.Helper()
	r := &recorder{}
	err := Run(t.Context(), trial, nil, r)
	if nothing := (*idleError)(nil); errors.As(err, &nothing) {
		return Result{}, err.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(r.results) != 1 {
		t.Fatalf("observer saw %d results, want 1", len(r.results))
	}
	return r.results[0], ""
}

// inMostTrials runs trial until 6 trials have passed, and fails the test if 3 fail before. It
// is for figures that the scheduler can spoil now and then, also on a quiet machine. trial
// returns what was wrong, "" if nothing was, and must excuse what other tasks on the cores do.
// A product that fails in half of the trials fails six of seven tests. Failures are logged.
func inMostTrials(t *testing.T, trial func() string) {
	t.Helper()
	const enough, tooMany = 6, 3
	for passed, failed := 0, 0; passed < enough; {
		wrong := trial()
		if wrong == "" {
			passed++
			continue
		}
		failed++
		t.Logf("trial %d: %s", passed+failed, wrong)
		if failed == tooMany {
			t.Errorf("%d trials failed, and %d passed", failed, passed)
			return
		}
	}
}

// otherWork returns the CPU time of all cores that neither this process nor its children have
// used, and that a hypervisor has taken away.
func otherWork(t *testing.T) time.Duration {
	t.Helper()
	cpu := cpuTimes(t)
	busy := cpu.user + cpu.nice + cpu.system + cpu.irq + cpu.softirq + cpu.steal
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if err := unix.Getrusage(who, &usage); err != nil {
			t.Fatal(err)
		}
		busy -= time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return busy
}

// cpuTime is the time that all cores together have spent in each state since the boot.
type cpuTime struct{ user, nice, system, idle, iowait, irq, softirq, steal time.Duration }

func cpuTimes(t *testing.T) (c cpuTime) {
	t.Helper()
	stat, err := readProc("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := []*time.Duration{&c.user, &c.nice, &c.system, &c.idle, &c.iowait, &c.irq, &c.softirq, &c.steal}
	words := strings.Fields(stat)
	if len(words) <= len(fields) {
		t.Fatalf("/proc/stat is %q", stat)
	}
	for i, field := range fields {
		n, err := strconv.ParseInt(words[i+1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		*field = time.Duration(n) * 10 * time.Millisecond // USER_HZ is 100 on every machine
	}
	return c
}

// median returns the median of an odd number of values, which it sorts.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// inBothModes runs a test once in each mode.
func inBothModes(t *testing.T, test func(*testing.T, Mode)) {
	for _, mode := range []Mode{Processes, Threads} {
		t.Run(string(mode), func(t *testing.T) { test(t, mode) })
	}
}

// alive reports whether the process exists and is not a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return !strings.HasPrefix(fields, " Z ") && !strings.HasPrefix(fields, " X ")
}

// waitLimit is how long a test waits for what must happen. It is long, since the machine may
// be very slow.
const waitLimit = time.Minute

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(began) > waitLimit {
			t.Fatalf("waited %v in vain for %s", waitLimit, what)
		}
	}
}

// wantGone waits for the end of all the processes.
func wantGone(t *testing.T, pids []int) {
	t.Helper()
	if len(pids) == 0 {
		t.Fatal("no process to look for")
	}
	await(t, fmt.Sprintf("the end of the processes %v", pids), func() bool { return !slices.ContainsFunc(pids, alive) })
}

func pidsOf(workers []Worker) []int {
	var pids []int
	for _, w := range workers {
		pids = append(pids, int(w.PID))
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// openFDs counts this process's descriptors.
func openFDs(t *testing.T) int {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
