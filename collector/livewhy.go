package collector

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// WhyOptions say which stacks a Live or a Collector takes.
type WhyOptions struct {
	// Block is the length from which absences from a core are looked at; 0: all.
	Block time.Duration
	// Walks is about how many stacks a second one core takes at most; 0 means DefaultWalks.
	Walks int
	// OnlyToldApart makes a Live look at the processes of TellApart only. A Collector looks at watched tasks only.
	OnlyToldApart bool
}

// asLoaded is what the kernel side needs to know.
func (o *WhyOptions) asLoaded() *bpf.WhyOptions {
	if o == nil {
		return nil
	}
	walks := o.Walks
	if walks == 0 {
		walks = DefaultWalks
	}
	return &bpf.WhyOptions{
		BlockNS: uint64(o.Block.Nanoseconds()), Walks: uint64(walks / 10), OnlyToldApart: o.OnlyToldApart,
	}
}

// DefaultWalks is about what one core takes at most in a second: walks of some 5 µs are then below 1 % of it.
const DefaultWalks = 1000

// mostWaits bounds the kinds of waits of one interval.
const mostWaits = 20_000

// liveWhy adds up the stacks that the kernel side takes.
type liveWhy struct {
	pump
	taken   *bpf.Stacks
	blockNS int64
	names   *stackNames
	before  map[sched.CPU]bpf.StackBudget

	// mu of pump guards these, which are of the interval under way.
	waits map[waitKey]*report.StackWait
	full  uint64 // samples that found no room in waits
}

// waitKey is what the samples of one StackWait have in common.
type waitKey struct {
	comm   [16]int8
	group  uint64
	uid    uint32
	state  report.State
	iowait bool
	stack  rawStack
	// These are of the waker. If it is unknown, woke is false and the rest empty.
	woke      bool
	wakerComm [16]int8
	waker     rawStack
}

func newLiveWhy(taken *bpf.Stacks, o *WhyOptions) (*liveWhy, error) {
	w := &liveWhy{
		taken: taken, blockNS: o.Block.Nanoseconds(), names: newStackNames(),
		before: make(map[sched.CPU]bpf.StackBudget), waits: make(map[waitKey]*report.StackWait),
	}
	nothing := func() error { return nil }
	if err := w.start(taken.Ring, pumpUse{take: w.add, rest: nothing, due: nothing}); err != nil {
		return nil, err
	}
	return w, nil
}

// add adds one sample. The maps of its process are read when it is first seen, since it may have ended when
// the stacks are named.
func (w *liveWhy) add(sample []byte) error {
	if len(sample) < bpf.StackBytes {
		return fmt.Errorf("a stack of %d bytes", len(sample))
	}
	var s bpf.StackSample
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&s)), unsafe.Sizeof(s)), sample)
	stack := sample[bpf.StackBytes:]
	if int(s.KernelBytes)+int(s.UserBytes)+int(s.CopiedBytes) != len(stack) {
		return fmt.Errorf("a stack of %d, %d and %d bytes takes %d",
			s.KernelBytes, s.UserBytes, s.CopiedBytes, len(stack))
	}
	kernel, rest := stack[:s.KernelBytes], stack[s.KernelBytes:]
	process := processKey{sched.PID(s.Tgid), s.StartTime, s.Program, s.Process}
	w.names.see(process)
	user, cut := w.names.follow(process, &s, rest[:s.UserBytes], rest[s.UserBytes:])
	key := waitKey{
		comm: s.Comm, group: s.Cgroup, uid: s.Uid, state: stateOf(&s), iowait: s.Iowait != 0,
		stack: rawStack{process: process, kernel: string(kernel), user: string(user), cut: cut},
	}
	if s.HasWaker != 0 && key.state != report.Runnable {
		key.addWaker(&s.Waker)
		w.names.see(key.waker.process)
	}
	sum := w.waits[key]
	if sum == nil {
		if len(w.waits) >= mostWaits {
			w.full++
			return nil
		}
		sum = &report.StackWait{}
		w.waits[key] = sum
	}
	addSample(sum, &s)
	return nil
}

// addSample adds what a sample stands for: its times, as often as such an absence is taken for.
func addSample(sum *report.StackWait, s *bpf.StackSample) {
	weight := float64(s.StandsFor) / float64(max(1, s.Away))
	waited := min(s.Waited, s.Away)
	if stateOf(s) == report.Runnable {
		waited = s.Away // the kernel's own count of the wait can be some ns less
	}
	times := func(ns uint64) int64 { return int64(float64(ns) * weight) }
	sum.Samples++
	sum.Times += weight
	sum.BlockedNS += times(s.Away - waited)
	if causeOf(s) == report.EndedByThrottled {
		sum.ThrottledNS += times(waited)
	} else {
		sum.WaitNS += times(waited)
	}
	sum.LongestNS = max(sum.LongestNS, int64(s.Away))
}

func causeOf(s *bpf.StackSample) report.EndedBy {
	if causes := report.Causes(); int(s.Cause) < len(causes) {
		return causes[s.Cause]
	}
	return ""
}

// taskUninterruptible is the kernel's TASK_UNINTERRUPTIBLE, and taskNoLoad its TASK_NOLOAD: a kernel
// thread that waits for work has both, and sleeps.
const (
	taskUninterruptible = 0x2
	taskNoLoad          = 0x400
)

func stateOf(s *bpf.StackSample) report.State {
	switch {
	case causeOf(s) != report.EndedByBlocked:
		return report.Runnable
	case s.State&taskUninterruptible != 0 && s.State&taskNoLoad == 0:
		return report.Uninterruptible
	}
	return report.Sleeping
}

func (k *waitKey) addWaker(w *bpf.Waker) {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&w.Stack[0])), unsafe.Sizeof(w.Stack))
	kernel := min(int(w.KernelBytes), len(raw))
	k.woke, k.wakerComm = true, w.Comm
	k.waker = rawStack{
		process: processKey{sched.PID(w.Tgid), w.StartTime, w.Program, w.Process}, waker: true, byPointers: true,
		kernel: string(raw[:kernel]), user: string(raw[kernel:min(kernel+int(w.UserBytes), len(raw))]),
	}
}

// next returns what the samples of the interval say, and begins the next interval.
func (w *liveWhy) next(cores []*core) (*report.Why, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(w.drain(), w.err); err != nil {
		return nil, err
	}
	why := &report.Why{BlockNS: w.blockNS, Lost: w.full, Waits: []report.StackWait{}}
	if err := w.count(cores, why); err != nil {
		return nil, err
	}
	why.Waits = w.named()
	w.waits, w.full = make(map[waitKey]*report.StackWait), 0
	w.names.forgetEnded()
	return why, nil
}

// count adds what the cores have counted.
func (w *liveWhy) count(cores []*core, why *report.Why) error {
	for _, c := range cores {
		now, err := w.taken.Budget(int(c.cpu))
		if err != nil {
			return err
		}
		then := w.before[c.cpu]
		w.before[c.cpu] = now
		why.Taken += now.Taken - then.Taken
		why.Skipped += now.Skipped - then.Skipped
		why.Lost += now.Lost - then.Lost
		why.WalkNS += int64(now.WalkNs - then.WalkNs)
	}
	return nil
}

// namedKey is what the samples of one StackWait have in common once its stacks have names.
type namedKey struct {
	pid           sched.PID
	process, comm [16]int8
	group         uint64
	uid           uint32
	state         report.State
	iowait, woke  bool
	stack         int
	waker         report.Waker
}

// named returns the sums with their stacks named. Different addresses can have the same names: then they are
// added up.
func (w *liveWhy) named() []report.StackWait {
	sums := make(map[namedKey]*report.StackWait, len(w.waits))
	for key, sum := range w.waits {
		process := &key.stack.process
		name := namedKey{
			pid: process.pid, process: process.name, comm: key.comm, group: key.group, uid: key.uid,
			state: key.state, iowait: key.iowait, woke: key.woke, stack: w.names.of(key.stack).index,
		}
		if key.woke {
			name.waker = w.wakerOf(&key)
		}
		if same := sums[name]; same != nil {
			same.Add(sum)
		} else {
			sums[name] = sum
		}
	}
	waits := make([]report.StackWait, 0, len(sums))
	for name, sum := range sums {
		sum.PID, sum.Process, sum.Comm = name.pid, commText(&name.process), commText(&name.comm)
		sum.Group, sum.UID, sum.State, sum.IOWait, sum.Stack = name.group, name.uid, name.state, name.iowait, name.stack
		if name.woke {
			sum.Waker = &name.waker
		}
		waits = append(waits, *sum)
	}
	slices.SortFunc(waits, func(a, b report.StackWait) int {
		return cmp.Or(cmp.Compare(b.OffNS(), a.OffNS()), cmp.Compare(a.PID, b.PID), cmp.Compare(a.Stack, b.Stack),
			strings.Compare(a.Comm, b.Comm))
	})
	return waits
}

func (w *liveWhy) wakerOf(key *waitKey) report.Waker {
	s := w.names.of(key.waker)
	if s.interrupt {
		return report.Waker{Interrupt: true, Stack: s.index}
	}
	return report.Waker{PID: key.waker.process.pid, Comm: commText(&key.wakerComm), Stack: s.index}
}

func (w *liveWhy) close() error {
	if w == nil {
		return nil
	}
	err := w.stop()
	w.names.close()
	return err
}

// stacks are those that the readings up to now refer to, and their functions.
func (w *liveWhy) stacks() ([]report.Stack, []report.Frame) {
	if w == nil {
		return nil, nil
	}
	return w.names.stacks, w.names.frames
}
