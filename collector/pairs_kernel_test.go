package collector

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// pairWatch adds up what the readings say of the threads of this process.
type pairWatch struct {
	t     *testing.T
	way   pairWay
	did   map[string]*report.Activity // by a thread's name
	slept map[string]bool             // it was asleep when the first reading was
	pairs map[report.PairKind]map[string]map[string]*report.Pair
}

// inBothWays runs a test that watches pairs in the light way, and again in the full one. No stacks are taken.
func inBothWays(t *testing.T, test func(*testing.T, *pairWatch)) {
	why := &WhyOptions{Block: time.Hour}
	for name, open := range map[string]func(*testing.T) pairWay{
		"light": func(t *testing.T) pairWay { return &lightPairs{t, openLive(t, LiveOptions{Why: why})} },
		"full":  func(t *testing.T) pairWay { return openFullPairs(t, why) },
	} {
		t.Run(name, func(t *testing.T) {
			w := &pairWatch{t: t, way: open(t)}
			w.forget()
			test(t, w)
		})
	}
}

func (w *pairWatch) forget() {
	w.slept = make(map[string]bool)
	w.way.records(func(comm string, s *bpf.WatchedTask) {
		if s.Left > 0 && report.Causes()[s.LeftCause] == report.EndedByBlocked {
			w.slept[comm] = true
		}
	})
	w.did = make(map[string]*report.Activity)
	w.pairs = map[report.PairKind]map[string]map[string]*report.Pair{report.PairTaken: {}, report.PairWoken: {}}
}

func (w *pairWatch) read() {
	w.t.Helper()
	pairs := w.way.read(func(comm string, did *report.Activity) {
		if w.did[comm] == nil {
			w.did[comm] = &report.Activity{}
		}
		w.did[comm].Add(did)
	})
	for i := range pairs {
		p := &pairs[i]
		if p.Task.PID != sched.PID(os.Getpid()) {
			continue
		}
		of := w.pairs[p.Kind][p.Task.Comm]
		if of == nil {
			of = make(map[string]*report.Pair)
			w.pairs[p.Kind][p.Task.Comm] = of
		}
		by := "others"
		if p.Interrupt {
			by = "interrupt"
		} else if p.By != nil {
			by = p.By.Comm
		}
		if of[by] == nil {
			of[by] = &report.Pair{}
		}
		of[by].Count += p.Count
		of[by].WaitNS += p.WaitNS
	}
}

// count returns how often a thread lost its core to another, or was woken by it.
func (w *pairWatch) count(kind report.PairKind, comm, by string) uint64 {
	if p := w.pairs[kind][comm][by]; p != nil {
		return p.Count
	}
	return 0
}

// check compares the sums of a thread's pairs with its slices. It must have ended.
func (w *pairWatch) check(kind report.PairKind, comm string) (n uint64) {
	w.t.Helper()
	did := w.did[comm]
	if did == nil {
		w.t.Fatalf("%s was not seen", comm)
	}
	want := did.EndedBy.Blocked
	if w.slept[comm] {
		want++
	}
	if kind == report.PairTaken {
		want = did.EndedBy.Tick + did.EndedBy.Wakeup + did.EndedBy.Other
	}
	wait := int64(0)
	for _, p := range w.pairs[kind][comm] {
		n += p.Count
		wait += p.WaitNS
	}
	if n != want || wait > did.WaitNS {
		w.t.Errorf("%s was %s %d times, its slices say %d; it then waited for %d of %d ns",
			comm, kind, n, want, wait, did.WaitNS)
	}
	return n
}

// started runs a function on a thread of its own. It waits before that in a way of its own.
func started(t *testing.T, comm string, wait func(), ran *sync.WaitGroup, f func()) {
	t.Helper()
	ran.Add(1)
	named := make(chan struct{})
	bpftest.OnOwnThread(sched.CPU(0), func(error) {
		defer ran.Done()
		if err := setName(comm); err != nil {
			t.Error(err)
		}
		close(named)
		wait()
		f()
	})
	<-named
}

// readEnds waits for the threads' last switches, and reads what they have done up to then.
func (w *pairWatch) readEnds(ran *sync.WaitGroup) {
	w.t.Helper()
	ran.Wait()
	for comm := range w.did {
		for threadID(w.t, comm) != 0 && strings.HasPrefix(comm, "st-") {
			time.Sleep(time.Millisecond)
		}
	}
	time.Sleep(50 * time.Millisecond)
	w.read()
}

func spinFor(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// A thread that computes loses its core to one that the scheduler prefers and that comes and goes. All slices that
// others ended are in the pairs, each once, over several readings and up to the threads' end; and the waits that
// followed are all waits but those after wakeups.
func TestPairsOfTakenCores(t *testing.T) { inBothWays(t, testPairsOfTakenCores) }

func testPairsOfTakenCores(t *testing.T, w *pairWatch) {
	var begun atomic.Bool
	var ran sync.WaitGroup
	asleep := func() {
		for !begun.Load() {
			napHere(time.Millisecond)
		}
	}
	const spin = time.Millisecond
	length := bpftest.WorkFor(time.Second)
	started(t, "st-loser", asleep, &ran, func() { spinFor(length) })
	started(t, "st-winner", asleep, &ran, func() {
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, -20); err != nil {
			t.Error(err)
		}
		for start := time.Now(); time.Since(start) < length; {
			spinFor(spin)
			napHere(3 * spin)
		}
	})
	w.way.watch("st-loser")
	w.way.watch("st-winner")
	time.Sleep(50 * time.Millisecond)
	w.read()
	w.forget()
	begun.Store(true)
	for range 5 {
		time.Sleep(length / 7)
		w.read()
	}
	w.readEnds(&ran)
	w.check(report.PairTaken, "st-winner")
	n := w.check(report.PairTaken, "st-loser")
	by := w.count(report.PairTaken, "st-loser", "st-winner")
	if by < 3 { // what else runs takes the core too
		t.Errorf("it lost its core %d times, to the other %d times: %v", n, by, w.pairs[report.PairTaken]["st-loser"])
	}
	if p := w.pairs[report.PairTaken]["st-loser"]["st-winner"]; p != nil && p.WaitNS < int64(by)*int64(spin)/2 {
		t.Errorf("it waited for %d ns in the %d turns of the other, of %d", p.WaitNS, by, w.did["st-loser"].WaitNS)
	}
}

// Two threads that send each other a byte wake each other, and are told from interrupts that come meanwhile.
func TestPairsOfWakers(t *testing.T) { inBothWays(t, testPairsOfWakers) }

func testPairsOfWakers(t *testing.T, w *pairWatch) {
	var there, back [2]int
	for _, fds := range []*[2]int{&there, &back} {
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) })
	}
	var begun atomic.Bool
	var ran sync.WaitGroup
	awake := func() {
		for !begun.Load() {
		}
	}
	const rounds = 3000
	started(t, "st-ping", awake, &ran, func() {
		for range rounds {
			writeHere(there[1])
			readHere(back[0])
		}
	})
	started(t, "st-pong", awake, &ran, func() {
		for range rounds {
			readHere(there[0])
			writeHere(back[1])
		}
	})
	w.way.watch("st-ping")
	w.way.watch("st-pong")
	time.Sleep(50 * time.Millisecond)
	w.read()
	w.forget()
	begun.Store(true)
	time.Sleep(10 * time.Millisecond)
	w.read()
	w.readEnds(&ran)
	for comm, other := range map[string]string{"st-ping": "st-pong", "st-pong": "st-ping"} {
		n, by := w.check(report.PairWoken, comm), w.count(report.PairWoken, comm, other)
		// The one that finds the byte there already does not sleep.
		if n < rounds/20 || by < n*95/100 {
			t.Errorf("%s was woken %d times, by %s %d times: %v", comm, n, other, by, w.pairs[report.PairWoken][comm])
		}
	}
}

// A timer ends a sleep by an interrupt, whatever runs on the core when it comes: nothing, a program outside the
// kernel, or one in it.
func TestPairsOfInterrupts(t *testing.T) { inBothWays(t, testPairsOfInterrupts) }

func testPairsOfInterrupts(t *testing.T, w *pairWatch) {
	zero, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(zero) })
	buffer := make([]byte, 1<<20)
	for name, busy := range map[string]func(){
		"idle": nil,
		"user": func() { spinFor(time.Millisecond) },
		"kernel": func() {
			for range 10 {
				_, _ = unix.Read(zero, buffer)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &pairWatch{t: t, way: w.way}
			w.forget()
			if busy != nil {
				thread(t, "st-busy", 0, busy)
			}
			naps := "st-" + name
			thread(t, naps, 0, func() { napHere(time.Millisecond) })
			w.way.watch(naps)
			time.Sleep(50 * time.Millisecond)
			w.read()
			w.forget()
			time.Sleep(bpftest.WorkFor(500 * time.Millisecond))
			w.read()
			var all, byInterrupt uint64
			for by, p := range w.pairs[report.PairWoken][naps] {
				all += p.Count
				if by == "interrupt" || strings.HasPrefix(by, "ktimers/") || strings.HasPrefix(by, "ksoftirqd/") {
					byInterrupt += p.Count
				}
			}
			if all < 20 || byInterrupt < all*95/100 {
				t.Errorf("interrupts ended %d of %d sleeps: %v", byInterrupt, all, w.pairs[report.PairWoken][naps])
			}
		})
	}
}

// A task has room for twelve partners of a kind. Where there are more, those that wake it most often have names, and
// all wakeups are counted once nevertheless. A waker that takes another name is another one from then on.
func TestPairsOfManyPartners(t *testing.T) { inBothWays(t, testPairsOfManyPartners) }

func testPairsOfManyPartners(t *testing.T, w *pairWatch) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]) })
	thread(t, "st-reads", 0, func() { readHere(fds[0]) })
	w.way.watch("st-reads")
	t.Cleanup(func() { _ = unix.Close(fds[1]) })
	step := make(chan string)
	stepped := make(chan struct{})
	bpftest.OnOwnThread(sched.CPU(0), func(error) {
		for comm := range step {
			if err := setName(comm); err != nil {
				t.Error(err)
			}
			napHere(200 * time.Microsecond)
			writeHere(fds[1])
			stepped <- struct{}{}
		}
	})
	defer close(step)
	time.Sleep(20 * time.Millisecond)
	w.read()
	w.forget()
	const rounds, rare = 60, 20
	for i := range rounds {
		for _, comm := range []string{"st-often", "st-rare-" + fmt.Sprint(i%rare), "st-often"} {
			step <- comm
			<-stepped
		}
		if i%25 == 0 {
			time.Sleep(time.Millisecond) // for the reader to be back
			w.read()
		}
	}
	time.Sleep(5 * time.Millisecond)
	w.read()
	of := w.pairs[report.PairWoken]["st-reads"]
	var all uint64
	for _, p := range of {
		all += p.Count
	}
	if want := w.did["st-reads"].EndedBy.Blocked; all+1 < want || all > want+1 || all < rounds {
		t.Errorf("woken %d times, the slices say %d", all, want)
	}
	if n := w.count(report.PairWoken, "st-reads", "st-often"); n < rounds || n > 2*rounds {
		t.Errorf("the one that wakes it often is counted %d times of %d: %v", n, all, of)
	}
	if others := w.count(report.PairWoken, "st-reads", "others"); others == 0 || others > rounds {
		t.Errorf("%d wakeups of rare ones have no names, of %d: %v", others, rounds, of)
	}
}
