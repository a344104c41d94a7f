package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// startBeside starts a program that runs until the test ends, in a directory of its own.
func startBeside(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = t.TempDir()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if processState(cmd.Process.Pid) == 'Z' {
			t.Errorf("%s ended before the test did", argv[0])
		}
		_ = cmd.Process.Signal(unix.SIGINT)
		_ = cmd.Wait() // it was interrupted
		if t.Failed() {
			t.Logf("%s said %s", argv[0], said.String())
		}
	})
	return cmd
}

// traces reports whether a process has an event of perf's or a BPF program open.
func traces(pid int) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(links, func(link string) bool {
		target, _ := os.Readlink(link) // it can be closed by now
		return target == "anon_inode:[perf_event]" || target == "anon_inode:bpf_link"
	})
}

// Other programs may trace the same hooks at the same time. The kernel skips nothing because of
// them, and the report names them, since their time is inside the phases.
func TestOtherTracersBeside(t *testing.T) {
	bpftest.Require(t)
	for _, c := range []struct {
		argv  []string
		named string
	}{
		{[]string{"perf", "sched", "record", "-q", "-o", "perf.data"}, "perf events on sched_switch"},
		{[]string{"runqlat", "1", "60"}, "eBPF program"},
	} {
		t.Run(c.argv[0], func(t *testing.T) {
			// A plain user's PATH leaves sbin out.
			t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
			program, err := exec.LookPath(c.argv[0])
			if err != nil {
				bpftest.Unavailable(t, err.Error()+": install linux-perf and libbpf-tools")
			}
			other := startBeside(t, append([]string{program}, c.argv[1:]...)...)
			await(t, c.argv[0]+" tracing", func() bool { return traces(other.Process.Pid) })
			got := call(t, "run", "pipe", "spawn", "--rounds", "1", "--duration", "200ms")
			if got.status != exitDone {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			r := got.saved(t)
			checkClean(t, r)
			if got := r.Settings["other_tracers"]; !strings.Contains(got, c.named) {
				t.Errorf("other tracers are %q, want %q among them", got, c.named)
			}
			got = call(t, "run", "--", "sh", "-c", "for i in 1 2 3; do (sleep 0.02; true) & done; wait")
			if got.status != exitDone {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			checkClean(t, got.saved(t))
		})
	}
}

// runOnOneCore runs workloads that would use several cores on one core only, and checks that
// the report shows it: workers had that core only, and claims about several cores stay open.
func runOnOneCore(t *testing.T, cpu sched.CPU, confine func(*exec.Cmd)) {
	t.Helper()
	cmd := tool(t, "run", "spin", "pipe", "futex", "--rounds", "1", "--duration", "50ms")
	confine(cmd)
	got := finish(t, cmd)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	if !slices.Equal(r.Setup.CPUs, []sched.CPU{cpu}) {
		t.Errorf("the report says that workers could run on cores %v, want %d", r.Setup.CPUs, cpu)
	}
	for i := range r.Trials {
		trial := &r.Trials[i]
		var here int64
		for _, core := range trial.Cores {
			if core.CPU == cpu {
				here = core.WorkersNS
			} else if core.WorkersNS > 0 {
				t.Errorf("%s: workers had core %d for %d ns", trial.Workload, core.CPU, core.WorkersNS)
			}
		}
		if here == 0 {
			t.Errorf("%s: workers never had core %d", trial.Workload, cpu)
		}
		for _, w := range trial.Workers {
			if w.Migrations > 0 {
				t.Errorf("%s: worker %d migrated %d times", trial.Workload, w.Index, w.Migrations)
			}
		}
	}
	for _, f := range r.Findings {
		if f.Claim != "C12" { // concurrent is not parallel
			continue
		}
		if f.Verdict != report.NotMeasured || f.Reason != "needs two cores that workers may use" {
			t.Errorf("claim %s is %q for the reason %q", f.Claim, f.Verdict, f.Reason)
		}
	}
}

// It is the last of the allowed cores, so that it is not always number 0.
func TestRunPinnedToOneCore(t *testing.T) {
	bpftest.Require(t)
	cores := bpftest.AllowedCores[sched.CPU](t)
	cpu := cores[len(cores)-1]
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		bpftest.Unavailable(t, err.Error()+": install util-linux")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	runOnOneCore(t, cpu, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = taskset, append([]string{"taskset", "-c", fmt.Sprint(cpu), self}, cmd.Args[1:]...)
	})
}

func TestRunInACPUSetOfOneCore(t *testing.T) {
	bpftest.Require(t)
	cores := bpftest.AllowedCores[sched.CPU](t)
	cpu := cores[len(cores)-1]
	group := bpftest.NewGroup(t, "cpuset")
	group.Set(t, "cpuset.cpus", fmt.Sprint(cpu))
	group.Set(t, "cpuset.mems", "0")
	runOnOneCore(t, cpu, func(cmd *exec.Cmd) { group.Hold(t, cmd) })
	if len(cores) < 2 {
		return
	}
	// A core outside of the set is an error that names it.
	cmd := tool(t, "run", "spin", "--rounds", "1", "--duration", "50ms", "--cores", fmt.Sprint(cores[0]))
	group.Hold(t, cmd)
	got := finish(t, cmd)
	got.checkOneSentence(t, fmt.Sprint(cores[0]))
	if got.status == exitDone || len(got.files(t)) > 0 {
		t.Errorf("status %d, left %v", got.status, got.files(t))
	}
}

// A real-time task takes a core from the workers for five of every ten milliseconds.
func TestRealTimeTaskBeside(t *testing.T) {
	bpftest.Require(t)
	cpu := bpftest.AllowedCores[sched.CPU](t)[0]
	stop := takeHalf(t, cpu)
	got := call(t, "run", "-v", "spin", "pipe", "--rounds", "1", "--duration", "200ms", "--cores", fmt.Sprint(cpu))
	stop()
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	var others, wall, involuntary int64
	for i := range r.Trials {
		for _, core := range r.Trials[i].Cores {
			if core.CPU == cpu {
				others += core.OthersNS
				wall += core.WallNS
			}
		}
		for _, w := range r.Trials[i].Workers {
			involuntary += int64(w.Involuntary)
		}
	}
	// At least a quarter: the hypervisor can give the core to other machines meanwhile.
	if others < wall/4 {
		t.Errorf("others had core %d for %d of %d ns beside a task that takes half of it", cpu, others, wall)
	}
	if involuntary == 0 {
		t.Error("no worker was preempted")
	}
	if !strings.Contains(got.out, "Note: other programs took ") {
		t.Errorf("the report does not say that others had the core")
	}
}

// takeHalf keeps a core busy for half of the time under SCHED_FIFO until stop is called, or for
// as long as a test may wait: a machine must not stay half blocked.
func takeHalf(t *testing.T, cpu sched.CPU) (stop func()) {
	t.Helper()
	ready, quit, done := make(chan error), make(chan struct{}), make(chan struct{})
	bpftest.OnOwnThread(cpu, func(err error) {
		defer close(done)
		if err == nil {
			err = unix.SchedSetAttr(0, &unix.SchedAttr{
				Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1,
			}, 0)
		}
		ready <- err
		for end := time.Now().Add(waitLimit); err == nil && time.Now().Before(end); {
			for began := time.Now(); time.Since(began) < 5*time.Millisecond; {
			}
			pause := unix.NsecToTimespec(int64(5 * time.Millisecond))
			_ = unix.Nanosleep(&pause, nil) // a shorter pause does no harm
			select {
			case <-quit:
				return
			default:
			}
		}
	})
	if err := <-ready; err != nil {
		bpftest.Unavailable(t, fmt.Sprintf("no real-time policy here: %v", err))
	}
	return func() {
		t.Helper()
		select {
		case <-done:
			t.Errorf("the run took longer than %v, for which the real-time task ran", waitLimit)
		default:
			close(quit)
			<-done
		}
	}
}

// Tasks that an eBPF scheduler schedules switch through the same hooks. The test does not load
// one, since it would take over all tasks of the machine: that is for the user to do.
func TestRunUnderSchedExt(t *testing.T) {
	bpftest.Require(t)
	state, err := os.ReadFile("/sys/kernel/sched_ext/state")
	if err != nil {
		bpftest.Lacks(t, false, "sched_ext (CONFIG_SCHED_CLASS_EXT): %v", err)
	}
	if s := strings.TrimSpace(string(state)); s != "enabled" {
		bpftest.Lacks(t, false, "sched_ext is %s: load a scheduler, such as scx_simple, and run the test again", s)
	}
	got := call(t, "run", "spin", "pipe", "yield", "--rounds", "1", "--duration", "200ms")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	if !strings.Contains(r.Host.Scheduler, "sched_ext") {
		t.Errorf("the report says that the scheduler is %q", r.Host.Scheduler)
	}
}
