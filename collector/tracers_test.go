package collector_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/baseline"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// tracer is something that may slow switches down.
type tracer struct {
	name string
	// attach returns an observer for the trial, or nil, and how to detach.
	attach func(testing.TB) (workloads.Observer, func())
}

func (tr tracer) isOurs() bool { return strings.HasPrefix(tr.name, "slicetrace") }

// fullTracers are the programs that do nothing or only stamp, and slicetrace in the ways in which
// it watches a workload.
func fullTracers() []tracer {
	return []tracer{
		{"empty", attachEmpty},
		{"stamps", attachStamps},
		{"slicetrace", attachWatching},
		{"slicetrace, not watching", attachIdly},
		{"slicetrace, 10 000 tasks", attachCrowd},
		{"slicetrace, no pick", attachWithout(collector.Options{NoPick: true})},
		{"slicetrace, no phases", attachWithout(collector.Options{NoPick: true, NoSwitch: true})},
		{"slicetrace, recording", attachRecording},
	}
}

// lightTracers are a program that does nothing at each switch, and slicetrace as it watches a system.
func lightTracers() []tracer {
	return []tracer{{"empty switch", attachEmptySwitch}, {"slicetrace top", attachLive}}
}

// installedTracers are others' programs, where they are installed.
func installedTracers() []tracer {
	var tracers []tracer
	if _, err := exec.LookPath("perf"); err == nil {
		tracers = append(tracers, tracer{"perf", attachPerf})
	}
	for _, name := range []string{"runqlat", "cpudist"} {
		if program, err := findTool(name); err == nil {
			tracers = append(tracers, tracer{name, func(t testing.TB) (workloads.Observer, func()) {
				return nil, startTool(t, exec.Command(program))
			}})
		}
	}
	return tracers
}

// findTool finds one of libbpf-tools, which a plain user's PATH leaves out.
func findTool(name string) (string, error) {
	if program, err := exec.LookPath(name); err == nil {
		return program, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

func attachEmpty(t testing.TB) (workloads.Observer, func()) {
	empty, err := baseline.LoadEmpty()
	return nil, attachHooks(t, empty, err)
}

// attachEmptySwitch attaches a program that does nothing to sched_switch only.
func attachEmptySwitch(t testing.TB) (workloads.Observer, func()) {
	empty, err := baseline.LoadEmpty()
	if err == nil {
		empty.Hooks = slices.DeleteFunc(empty.Hooks, func(h bpf.Hook) bool { return h.Name != "sched_switch" })
	}
	return nil, attachHooks(t, empty, err)
}

// attachLive watches every task, without phases.
func attachLive(t testing.TB) (workloads.Observer, func()) { return attachLiveWithout(0)(t) }

func attachStamps(t testing.TB) (workloads.Observer, func()) {
	stamps, err := baseline.LoadStamps(runtime.NumCPU())
	return nil, attachHooks(t, stamps, err)
}

func attachHooks(t testing.TB, programs *baseline.Programs, err error) (detach func()) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var links []link.Link
	for _, h := range programs.Hooks {
		l, err := link.AttachTracing(link.TracingOptions{Program: h.Program})
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, l)
	}
	return func() {
		for _, l := range links {
			l.Close()
		}
		programs.Close()
	}
}

func attachWatching(t testing.TB) (workloads.Observer, func()) {
	c, detach := attachCollector(t, collector.Options{})
	return &watcher{c: c}, detach
}

func attachWithout(o collector.Options) func(testing.TB) (workloads.Observer, func()) {
	return func(t testing.TB) (workloads.Observer, func()) {
		c, detach := attachCollector(t, o)
		return &watcher{c: c}, detach
	}
}

// attachCrowd watches ten thousand more tasks, threads of this process that sleep.
func attachCrowd(t testing.TB) (workloads.Observer, func()) {
	const others = 10_000
	tids, end := sleepers(others)
	var crowd []collector.Task
	for _, tid := range tids {
		crowd = append(crowd, collector.Task{PID: sched.PID(unix.Getpid()), TID: tid})
	}
	c, detach := attachCollector(t, collector.Options{Tasks: others + 16})
	if err := c.Watch(crowd...); err != nil {
		t.Fatal(err)
	}
	return &watcher{c: c}, func() {
		detach()
		end()
		awaitThreads(t, others/100)
	}
}

// sleepers starts threads of this process that sleep until end is called.
func sleepers(n int) (tids []sched.TID, end func()) {
	debug.SetMaxThreads(2 * n) // and stays so: those that end count for a while
	came, leave := make(chan sched.TID), make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread() // and ends with its thread
			came <- sched.TID(unix.Gettid())
			<-leave
		}()
	}
	for range n {
		tids = append(tids, <-came)
	}
	return tids, func() { close(leave) }
}

// awaitThreads waits until this process has fewer than most threads, so that their ends are not
// part of what is measured next.
func awaitThreads(t testing.TB, most int) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		if len(threads) < most {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d threads are still there after a minute", len(threads))
		}
	}
}

func attachIdly(t testing.TB) (workloads.Observer, func()) {
	_, detach := attachCollector(t, collector.Options{})
	return nil, detach
}

func attachRecording(t testing.TB) (workloads.Observer, func()) {
	c, detach := attachCollector(t, collector.Options{Record: &collector.Recording{Out: bufio.NewWriter(io.Discard)}})
	return &watcher{c: c}, detach
}

func attachCollector(t testing.TB, o collector.Options) (*collector.Collector, func()) {
	t.Helper()
	c, err := collector.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() {
		if o.Record != nil {
			if _, err := c.FinishRecording(); err != nil {
				t.Error(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func attachPerf(t testing.TB) (workloads.Observer, func()) {
	out := filepath.Join(t.TempDir(), "perf.data")
	perf := startPerf(t, "perf", out)
	return nil, func() {
		interrupt(t, perf)
		if err := os.Remove(out); err != nil {
			t.Error(err)
		}
	}
}

// startPerf records what the scheduler does into a file, and returns when it has begun.
func startPerf(t testing.TB, program, out string, flags ...string) *exec.Cmd {
	t.Helper()
	perf := exec.Command(program, append([]string{"sched", "record", "-q", "-o", out}, flags...)...)
	if err := perf.Start(); err != nil {
		t.Fatal(err)
	}
	// perf does not tell when it is ready, but its file has a header then.
	for range 200 {
		if info, err := os.Stat(out); err == nil && info.Size() > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	return perf
}

// startTool runs one of libbpf-tools. Those report only on a terminal that they trace now. Their
// programs are in the kernel before that, and are attached a moment later.
func startTool(t testing.TB, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	before := lastProgram()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); lastProgram() == before; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatalf("%s loads no program", cmd.Path)
		}
	}
	time.Sleep(200 * time.Millisecond)
	return func() { interrupt(t, cmd) }
}

// lastProgram returns the number of the newest program in the kernel.
func lastProgram() ebpf.ProgramID {
	var last ebpf.ProgramID
	for {
		next, err := ebpf.ProgramGetNextID(last)
		if err != nil {
			return last
		}
		last = next
	}
}

// interrupt ends a program as Ctrl-C does; its status does not matter.
func interrupt(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	err := errors.Join(cmd.Process.Signal(syscall.SIGINT), cmd.Wait())
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
}
