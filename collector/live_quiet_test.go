package collector

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// interruptKinds are the interrupts by which a core disturbs another: to have it look at its run queue, call a
// function, or forget addresses, as x86 names them.
var interruptKinds = []string{"RES", "CAL", "TLB"}

// interruptsOf returns how many of these a core has had, by kind.
func interruptsOf(t *testing.T, cpu sched.CPU) map[string]int {
	t.Helper()
	text, err := os.ReadFile("/proc/interrupts")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), "\n")
	column := slices.Index(strings.Fields(head), "CPU"+strconv.Itoa(int(cpu)))
	counts := make(map[string]int)
	for line := range strings.Lines(rest) {
		kind, numbers, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields := strings.Fields(numbers)
		if slices.Contains(interruptKinds, kind) && column >= 0 && column < len(fields) {
			if counts[kind], err = strconv.Atoi(fields[column]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(counts) != len(interruptKinds) {
		bpftest.Unavailable(t, "the kernel does not list its interrupts between cores")
	}
	counts["CAL"] -= counts["TLB"] // which are calls too
	return counts
}

// A reading interrupts no other core. What happens on a machine anyway is taken from as much time without readings.
func TestLiveInterruptsNoOtherCore(t *testing.T) {
	const calls, rounds = 200, 9
	cpus := bpftest.AllowedCores[sched.CPU](t)
	if len(cpus) < 2 {
		bpftest.Unavailable(t, "there is one core only")
	}
	l := openLive(t, LiveOptions{})
	other := cpus[1]
	// Go's own threads would be woken there.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	type counted struct {
		quiet, disturbing map[string][]int
		more              []int // calls in each round when a program is run there, beyond those when it is not
	}
	done := make(chan counted)
	bpftest.OnOwnThread(cpus[0], func(pinned error) {
		c := counted{quiet: make(map[string][]int), disturbing: make(map[string][]int)}
		defer func() { done <- c }()
		if pinned != nil {
			t.Error(pinned)
			return
		}
		for range rounds {
			idle := during(t, other, func() { sleepFor(calls * time.Millisecond) })
			for _, disturbs := range []bool{false, true} {
				into := c.quiet
				if disturbs {
					into = c.disturbing
				}
				begin := time.Now()
				got := during(t, other, func() {
					for range calls {
						readOnce(t, l, other, disturbs)
					}
				})
				share := float64(time.Since(begin)) / float64(calls*time.Millisecond)
				for kind, n := range got {
					into[kind] = append(into[kind], n-int(share*float64(idle[kind])))
				}
			}
			last := len(c.more)
			c.more = append(c.more, c.disturbing["CAL"][last]-c.quiet["CAL"][last])
		}
	})
	c := <-done
	for _, kind := range interruptKinds {
		slices.Sort(c.quiet[kind])
		slices.Sort(c.disturbing[kind])
		t.Logf("%s, beyond those without readings: %v; with a program that is run there: %v",
			kind, c.quiet[kind], c.disturbing[kind])
	}
	if t.Failed() {
		return
	}
	if n := c.quiet["CAL"][rounds/2]; n > calls/10 {
		t.Errorf("%d readings have the other core call %d functions", calls, n)
	}
	slices.Sort(c.more)
	if n := c.more[rounds/2]; n < calls*9/10 {
		t.Errorf("%d runs of a program on the other core were not noticed: %d more calls", calls, n)
	}
	// Other work makes many of these, of which the rounds have more or less.
	for _, kind := range []string{"RES", "TLB"} {
		if n := c.quiet[kind][rounds/4]; n > calls/2 {
			t.Errorf("%d readings interrupt the other core %d times: %s", calls, n, kind)
		}
	}
}

// during returns the interrupts of a core while f runs.
func during(t *testing.T, cpu sched.CPU, f func()) map[string]int {
	t.Helper()
	before := interruptsOf(t, cpu)
	f()
	counts := interruptsOf(t, cpu)
	for kind := range counts {
		counts[kind] -= before[kind]
	}
	return counts
}

func sleepFor(d time.Duration) {
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
}

// readOnce makes a reading and, if it is to disturb another core, runs a program there.
func readOnce(t *testing.T, l *Live, other sched.CPU, disturbs bool) {
	if _, err := l.Next(); err != nil {
		t.Error(err)
	}
	if !disturbs {
		return
	}
	if _, err := l.objs.Begin.Run(&ebpf.RunOptions{Flags: testRunOnCPU, CPU: uint32(other)}); err != nil {
		t.Error(err)
	}
}
