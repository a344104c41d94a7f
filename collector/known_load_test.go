package collector_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// knownVariable makes this process a known load: for how many seconds, and on which two cores.
const knownVariable = "SLICETRACE_TEST_KNOWN_LOAD"

// knownTasks are the threads of a known load. Two compute, and share the last core with one that sleeps
// 1 ms again and again. Two talk through a pair of pipes on the first core; one rests after some turns, so
// that the core is idle at times, and no tracer has more events than it can take.
var knownTasks = []string{"known-spin-1", "known-spin-2", "known-nap", "known-ask", "known-answer"}

// becomeKnownLoad makes this process, if asked to, a known load. It prints each thread's number and name;
// each byte of its input lets one of them begin, and the end of the input ends it. The threads block before
// they begin and when they have worked, so that whatever reads their counts then reads final ones.
func becomeKnownLoad() {
	var seconds float64
	var first, last sched.CPU
	if n, _ := fmt.Sscan(os.Getenv(knownVariable), &seconds, &first, &last); n < 3 {
		return
	}
	length := time.Duration(seconds * float64(time.Second))
	debug.SetGCPercent(-1) // whose workers would share the cores
	var there, back [2]int
	fail(unix.Pipe(there[:]))
	fail(unix.Pipe(back[:]))
	message, answer := make([]byte, 1), make([]byte, 1)
	turns := 0
	nap := func() { _ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil) }
	bodies := []func(){
		func() {}, func() {}, nap,
		func() {
			pass(unix.Write(there[1], message))
			pass(unix.Read(back[0], message))
			if turns++; turns%20 == 0 {
				nap()
			}
		},
		func() {
			pass(unix.Read(there[0], answer))
			pass(unix.Write(back[1], answer))
		},
	}
	ended := make(chan bool)
	for i, body := range bodies {
		name, core := knownTasks[i], last
		if i >= 3 {
			core = first
		}
		bpftest.OnOwnThread(core, func(pinned error) {
			fail(pinned)
			fail(os.WriteFile("/proc/thread-self/comm", []byte(name), 0))
			fmt.Println(unix.Gettid(), name)
			wait := make([]byte, 1)
			_, _ = unix.Read(0, wait)
			for until := time.Now().Add(length); time.Now().Before(until); {
				body()
			}
			_, _ = unix.Read(0, wait)
			ended <- true
		})
	}
	<-ended
	os.Exit(0)
}

// fail ends a known load that cannot go on.
func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func pass(_ int, err error) { fail(err) }

// knownLoad is a process that is a known load.
type knownLoad struct {
	pid   sched.PID
	tids  map[string]sched.TID
	begin func()
}

// startKnownLoad starts one, whose threads are blocked until begin is called.
func startKnownLoad(t *testing.T, length time.Duration) knownLoad {
	t.Helper()
	cores := bpftest.AllowedCores[sched.CPU](t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=16", "GODEBUG=asyncpreemptoff=1",
		fmt.Sprintf("%s=%f %d %d", knownVariable, length.Seconds(), cores[0], cores[len(cores)-1]))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the load: %v", err)
		}
	})
	load := knownLoad{pid: sched.PID(cmd.Process.Pid), tids: make(map[string]sched.TID)}
	for lines := bufio.NewScanner(out); len(load.tids) < len(knownTasks) && lines.Scan(); {
		var tid sched.TID
		var name string
		if _, err := fmt.Sscan(lines.Text(), &tid, &name); err != nil {
			t.Fatalf("the load says %q", lines.Text())
		}
		load.tids[name] = tid
	}
	load.begin = func() {
		if _, err := in.Write(make([]byte, len(knownTasks))); err != nil {
			t.Fatal(err)
		}
	}
	load.atRest(t)
	return load
}

// knownCounts are the kernel's counts of a thread's switches.
type knownCounts struct{ voluntary, involuntary uint64 }

var statusSays = regexp.MustCompile(
	`(?s)\nState:\s+(\w).*\nvoluntary_ctxt_switches:\s+(\d+)\nnonvoluntary_ctxt_switches:\s+(\d+)`)

// atRest returns the counts of all threads as soon as all of them are blocked for good.
func (l knownLoad) atRest(t *testing.T) map[string]knownCounts {
	t.Helper()
	var before map[string]knownCounts
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		now := make(map[string]knownCounts)
		for name, tid := range l.tids {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", l.pid, tid))
			if err != nil {
				t.Fatal(err)
			}
			said := statusSays.FindSubmatch(text)
			if said == nil {
				t.Fatalf("status is %q", text)
			}
			var c knownCounts
			if _, err := fmt.Sscan(fmt.Sprintf("%s %s", said[2], said[3]), &c.voluntary, &c.involuntary); err != nil {
				t.Fatal(err)
			}
			if string(said[1]) == "S" {
				now[name] = c
			}
		}
		if len(now) == len(knownTasks) && maps.Equal(now, before) {
			return now
		}
		before = now
	}
	t.Fatal("the load's threads do not come to rest")
	return nil
}
