package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// waitsVariable is how many waits are provoked; by default only some.
const waitsVariable = "SLICETRACE_TEST_WAITS"

func wantedWaits() int {
	n, _ := strconv.Atoi(os.Getenv(waitsVariable))
	return cmp.Or(n, 20)
}

// provokedWait is how long each of them takes. Between two of them, the window of the first is complete.
const (
	provokedWait = 30 * time.Millisecond
	betweenWaits = 180 * time.Millisecond
)

// provokeWaits wakes a thread called victim again and again, and keeps it from its core for a while. It
// prints for each wait when it began, when it could end and when it had ended.
func provokeWaits() int {
	var wake, back [2]int
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fail(unix.Pipe(wake[:]))
	fail(unix.Pipe(back[:]))
	var set unix.CPUSet
	fail(unix.SchedGetaffinity(0, &set))
	core := 0
	for !set.IsSet(core) {
		core++
	}
	// Both are of a real-time class: the kernel gives the core to other tasks that get none, even for a moment.
	inTurn := func(priority uint32) {
		fail(unix.SchedSetAttr(0, &unix.SchedAttr{
			Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority,
		}, 0))
	}
	one, ended := make([]byte, 1), make(chan bool)
	var endNS int64
	bpftest.OnOwnThread(core, func(pinned error) {
		fail(pinned)
		fail(os.WriteFile("/proc/thread-self/comm", []byte("victim"), 0))
		inTurn(1)
		got := make([]byte, 1)
		for {
			if n, _ := unix.Read(wake[0], got); n == 0 {
				break
			}
			endNS = collector.NowNS()
			_, _ = unix.Write(back[1], got)
		}
		ended <- true
	})
	bpftest.OnOwnThread(core, func(pinned error) {
		fail(pinned)
		inTurn(2)
		for range wantedWaits() {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: betweenWaits.Nanoseconds()}, nil)
			from := collector.NowNS()
			_, _ = unix.Write(wake[1], one)
			to := keepCoreUntil(from + provokedWait.Nanoseconds())
			_, _ = unix.Read(back[0], one)
			fmt.Println(from, to, endNS)
		}
		unix.Close(wake[1])
	})
	<-ended
	return 0
}

// keepCoreUntil returns the first time that is later. Meanwhile it leaves the thread to nothing else of Go's
// runtime, since it makes only raw system calls, if GODEBUG has asyncpreemptoff=1.
func keepCoreUntil(ns int64) int64 {
	var now unix.Timespec
	for now.Sec*1e9+now.Nsec <= ns {
		_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&now)), 0)
	}
	return now.Nano()
}

// window is what a saved recording says.
type window struct {
	recording.Window
	end    recording.End
	marked bool
	// wait is how long the wait of the case's task took that ended at the case, by the events; -1 if
	// it is not among them.
	wait int64
	comm string
	// untimed are the switches whose phases are missing.
	untimed int
}

// readWindow reads a saved recording to its end, and looks for the wait that made it.
func readWindow(t *testing.T, name string) window {
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
	if r.Header().Window == nil {
		t.Fatalf("%s has the header %+v", name, r.Header())
	}
	w := window{Window: *r.Header().Window, wait: -1}
	var begins []int64 // of waits: wakeups and preemptions
	var names recording.Names
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
			w.marked = true
		case []recording.Task:
			names.Learn(f)
		case recording.End:
			w.end = f
		case *recording.Block:
			for _, e := range f.Events {
				if e.Kind == recording.Switch && e.Class == recording.NoClass {
					w.untimed++
				}
				left := e.Kind == recording.Switch && e.Prev == w.Trigger.TID && e.State == 'R'
				switch woken := e.Kind == recording.Wakeup && e.Next == w.Trigger.TID; {
				case e.TimeNS < w.Trigger.AtNS && (woken || left):
					begins = append(begins, e.TimeNS)
				case e.TimeNS == w.Trigger.AtNS && e.Kind == recording.Switch && e.Next == w.Trigger.TID:
					w.wait = 0
				}
			}
		}
	}
	if w.wait == 0 && len(begins) > 0 {
		w.wait = w.Trigger.AtNS - slices.Max(begins)
	}
	w.comm = names.At(w.Trigger.TID, w.Trigger.AtNS)
	return w
}

// Each wait that is above the limit is in a recording of its own, as long as it was, with what happened
// before and after it.
func TestFlightRecorderFindsEveryWait(t *testing.T) {
	bpftest.Require(t)
	const keep = 300 * time.Millisecond
	n := wantedWaits()
	cmd := tool(t, "run", "--keep", keep.String(), "--when", "wait>20ms of victim", "--when", "blocked>1ms of nobody",
		"--times", fmt.Sprint(n), "--record", "late.rec", "-o", "r.json", "--", "/proc/self/exe")
	cmd.Env = append(cmd.Env, faultyVariable+"=provoked waits", "GODEBUG=asyncpreemptoff=1")
	got := finish(t, cmd)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if got.status != exitDone || len(lines) != n {
		t.Fatalf("status %d, %d lines: %s", got.status, len(lines), got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Recording == nil || len(r.Recording.Windows) != n {
		t.Fatalf("%d waits were provoked, and the report says %+v: %s", n, r.Recording, got.out)
	}
	for i, line := range lines {
		w := readWindow(t, filepath.Join(got.dir, windowName("late.rec", i+1)))
		checkProvoked(t, w, line)
		at := w.Trigger.AtNS
		if w.Short || i > 1 && w.FromNS > at-keep.Nanoseconds() || i < n-1 && w.UntilNS < at+100e6 {
			t.Errorf("window %d is %+v", i+1, w.Window)
		}
		if w.end.Switches != w.end.Counted || w.end.Switches == 0 || w.end.Lost > 0 {
			t.Errorf("window %d ends with %+v", i+1, w.end)
		}
		told := r.Recording.Windows[i]
		if told.LengthNS != w.Trigger.LengthNS || told.TID != w.Trigger.TID || told.Comm != "victim" {
			t.Errorf("the report says of window %d %+v, and it is %+v", i+1, told, w.Window)
		}
	}
	checkOpens(t, got.dir, windowName("late.rec", min(n, 2)))
}

// checkProvoked checks that a window is of the wait that a line of the provoking program is about.
func checkProvoked(t *testing.T, w window, line string) {
	t.Helper()
	var from, to, end int64
	if _, err := fmt.Sscan(line, &from, &to, &end); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	at := w.Trigger.AtNS
	if at < to || at > end || w.Trigger.LengthNS < to-from-1e6 || w.Trigger.LengthNS > end-from {
		t.Errorf("a wait was from %d to between %d and %d; the window is %+v", from, to, end, w.Window)
	}
	if w.wait != w.Trigger.LengthNS || w.comm != "victim" {
		t.Errorf("by the events %q waited for %d ns, by the header %+v", w.comm, w.wait, w.Trigger)
	}
}

// checkOpens checks that a saved recording can be used as every recording can.
func checkOpens(t *testing.T, dir, name string) {
	t.Helper()
	for _, args := range [][]string{
		{"export", name, "--format", "perfetto", "-o", "trace"},
		{"export", name, "--table", "wakeups"},
		{"report", "r.json", "--html", "page.html", "--recording", name},
	} {
		if got := callIn(t, dir, args...); got.status != exitDone {
			t.Errorf("%v: status %d: %s", args, got.status, got.err)
		}
	}
	if _, _, names := eventsOf(t, filepath.Join(dir, name)); names[""] > 0 || names["victim"] == 0 {
		t.Errorf("switches by names: %v", names)
	}
}

// Without a case nothing is saved, and that is no error.
func TestFlightRecorderWithoutACase(t *testing.T) {
	bpftest.Require(t)
	for _, work := range [][]string{{"--", "sleep", "0.3"}, {"pipe", "--rounds", "1", "--duration", "50ms"}} {
		args := []string{"run", "--keep", "20s", "--when", "wait>19s", "--record", "late.rec", "-o", "r.json"}
		got := call(t, append(args, work...)...)
		if got.status != exitDone || !slices.Equal(got.files(t), []string{"r.json"}) {
			t.Fatalf("status %d, files %v: %s", got.status, got.files(t), got.err)
		}
		if !strings.Contains(got.err, "nothing met --when wait>19s") {
			t.Errorf("nothing says that nothing was saved: %s", got.err)
		}
	}
}

// SIGUSR1 saves what there is, also twice, and the program does not get it.
func TestFlightRecorderSavesAtASignal(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "--keep", "5s", "--when", "SIGUSR1", "--times", "3", "--record", "late.rec", "-o", "r.json",
		"--", "sh", "-c", "trap 'echo got it' USR1; touch begun; while ! [ -e stop ]; do sleep 0.01; done")
	file := func(name string) string { return filepath.Join(cmd.Dir, name) }
	exists := func(name string) func() bool {
		return func() bool { _, err := os.Stat(file(name)); return err == nil }
	}
	got := finish(t, cmd, func() {
		await(t, "the program", exists("begun"))
		for _, name := range []string{"late.rec", "late-2.rec"} {
			time.Sleep(300 * time.Millisecond)
			if err := cmd.Process.Signal(unix.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			await(t, name, exists(name))
		}
		if err := os.WriteFile(file("stop"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	})
	if got.status != exitDone || strings.Contains(got.out, "got it") || exists("late-3.rec")() {
		t.Errorf("status %d: %s, %s", got.status, got.out, got.err)
	}
	for _, name := range []string{"late.rec", "late-2.rec"} {
		w := readWindow(t, file(name))
		span := time.Duration(w.Trigger.AtNS - w.FromNS)
		if w.Trigger.Condition != "SIGUSR1" || span < 100*time.Millisecond || w.UntilNS < w.Trigger.AtNS ||
			w.end.Switches != w.end.Counted {
			t.Errorf("%s: %+v, %+v", name, w.Window, w.end)
		}
	}
	if !strings.Contains(got.err, "Saved late.rec to late-2.rec, 2 recordings") {
		t.Errorf("it says %s", got.err)
	}
}

// In bundled workloads, trials that ended within the window are marked in it.
func TestFlightRecorderOfWorkloads(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "sleep", "--rounds", "1", "--duration", "200ms", "--keep", "30s", "--when", "slice>29s",
		"--when", "blocked>100us", "--record", "late.rec", "-o", "r.json")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	w := readWindow(t, filepath.Join(got.dir, "late.rec"))
	if w.Trigger.Condition != "blocked>100µs" || !strings.HasPrefix(w.Trigger.Comm, "st-") || w.More == 0 {
		t.Errorf("the window is %+v", w.Window)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	isWorker := func(x report.Worker) bool { return x.TID == sched.TID(w.Trigger.TID) }
	if !slices.ContainsFunc(r.Trials, func(x report.Trial) bool { return slices.ContainsFunc(x.Workers, isWorker) }) {
		t.Errorf("no worker has the tid of %+v", w.Trigger)
	}
}

// Windows that begin and end while cores switch at their highest rate have all switches that were counted,
// with their phases.
func TestFlightRecorderUnderLoad(t *testing.T) {
	bpftest.Require(t)
	const times = 6
	got := call(t, "run", "yield", "--rounds", "2", "--duration", "500ms", "--keep", "100ms", "--when", "wait>1ns",
		"--times", fmt.Sprint(times), "--record", "late.rec", "-o", "r.json")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	for n := range times {
		w := readWindow(t, filepath.Join(got.dir, windowName("late.rec", n+1)))
		if w.end.Switches+w.end.Lost < w.end.Counted || w.end.Lost == 0 && w.end.Switches != w.end.Counted ||
			w.end.Switches < 1000 {
			t.Errorf("window %d ends with %+v", n+1, w.end)
		}
		if w.untimed > runtime.NumCPU() {
			t.Errorf("window %d has %d switches without phases", n+1, w.untimed)
		}
	}
}

// If a window cannot be saved, the report is, and says so.
func TestFlightRecorderToAFullDisk(t *testing.T) {
	bpftest.Require(t)
	disk := t.TempDir()
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=16k"); err != nil {
		bpftest.Unavailable(t, "cannot mount a small disk: "+err.Error())
	}
	defer unix.Unmount(disk, 0)
	got := call(t, "run", "--keep", "5s", "--when", "blocked>1ms", "--record", filepath.Join(disk, "late.rec"),
		"-o", "r.json", "--", "sh", "-c", "for i in $(seq 300); do (sleep 0.002); done")
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(r.Warnings, "; ")
	if got.status != exitFailed || !strings.Contains(said, "no space left on device") {
		t.Errorf("status %d, warnings %s", got.status, said)
	}
	if len(r.Trials) != 1 || len(r.Recording.Windows) > 0 {
		t.Errorf("%d trials, the recording is %+v", len(r.Trials), r.Recording)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("on the full disk are %v, %v", left, err)
	}
}
