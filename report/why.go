package report

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Frame is one function on a stack. Its texts come from files and memory of the processes that were
// watched: they are hostile input.
type Frame struct {
	// Function is its name, demangled; "" if it could not be found: then Unnamed says why.
	Function string `json:"function,omitempty"`
	Unnamed  string `json:"unnamed,omitempty"`
	// Module is the base name of the executable or library; of the kernel's functions, "kernel" or the
	// kernel module.
	Module string `json:"module,omitempty"`
	// Kernel says that it is a function of the kernel.
	Kernel bool `json:"kernel,omitempty"`
	// File and Line are those of the source, known for Go only; Line is 0 if it is unknown.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Inlined says that the compiler put the function's code into that of the next frame of the stack.
	Inlined bool `json:"inlined,omitempty"`
	// Address is the address as it stood in the stack. It is 0 unless the frame has no name: then it tells
	// such frames apart.
	Address uint64 `json:"address,omitempty"`
}

// Stack is the functions that a task was in, as indices of Report.Frames: the innermost first, those of
// the kernel before those of the program.
type Stack []int

// Why is where tasks were when they were off their cores, in one trial. Looked at was each return to a
// core after at least BlockNS: stacks were then taken of all such returns, or of some of them, each with a
// weight, so that the sums of all stacks stand for all such returns.
type Why struct {
	BlockNS int64 `json:"block_ns"`
	// Taken counts the returns whose stack was taken, Skipped those whose was not, since no more walks were
	// wanted at that moment. Lost counts stacks that were taken but found no room; no sum stands for them.
	Taken   uint64 `json:"taken"`
	Skipped uint64 `json:"skipped,omitempty"`
	Lost    uint64 `json:"lost,omitempty"`
	// WalkNS is what taking stacks took of all cores. It is in Core.SelfNS, and in
	// no slice.
	WalkNS int64 `json:"walk_ns"`
	// Waits are by descending sum of BlockedNS and WaitNS.
	Waits []StackWait `json:"waits"`
	// Pairs are who took tasks' cores and who woke them, of all tasks with a row and whatever the length of their
	// absence, by descending WaitNS. They are nil in reports of versions that did not count them.
	Pairs []Pair `json:"pairs,omitempty"`
}

// State is what a task did off its core.
type State string

// The states, by the kernel's letters S, D and R.
const (
	Sleeping        State = "S" // an interruptible sleep
	Uninterruptible State = "D" // a sleep that signals do not end, mostly for a disk or a lock of the kernel
	Runnable        State = "R" // it would have gone on: it was preempted, yielded, or was stopped by a quota
)

// StackWait is the time that tasks of one thread name, process and group were off their cores at one
// stack, in one state, woken by one waker.
type StackWait struct {
	PID sched.PID `json:"pid"`
	// Process is the name of the process's first thread, Comm the task's own.
	Process string `json:"process,omitempty"`
	Comm    string `json:"comm"`
	// Group is the control group's ID, as in System.Groups.
	Group uint64 `json:"group"`
	// UID is the effective user.
	UID   uint32 `json:"uid"`
	State State  `json:"state"`
	// IOWait says that the kernel counted the sleep as a wait for input or output (iowait).
	IOWait bool `json:"iowait,omitempty"`
	// Stack is an index of Report.Stacks.
	Stack int `json:"stack"`
	// Waker is who ended the sleep, nil if that is unknown, and always in the state Runnable.
	Waker *Waker `json:"waker,omitempty"`
	// Samples counts the stacks that were taken, and Times is how many returns they stand for.
	Samples uint64  `json:"samples"`
	Times   float64 `json:"times"`
	// BlockedNS is the time asleep, and WaitNS that in which the task was runnable but had no core: after
	// it had been woken, or all of its absence in the state Runnable. Of times in which a quota stopped the
	// task, ThrottledNS has the sum.
	BlockedNS   int64 `json:"blocked_ns"`
	WaitNS      int64 `json:"wait_ns"`
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
	// LongestNS is the longest absence that was seen.
	LongestNS int64 `json:"longest_ns"`
}

// Add adds another sum of the same kind.
func (w *StackWait) Add(o *StackWait) {
	w.Samples += o.Samples
	w.Times += o.Times
	w.BlockedNS += o.BlockedNS
	w.WaitNS += o.WaitNS
	w.ThrottledNS += o.ThrottledNS
	w.LongestNS = max(w.LongestNS, o.LongestNS)
}

// OffNS is the time off the core, for whatever reason.
func (w *StackWait) OffNS() int64 { return w.BlockedNS + w.WaitNS + w.ThrottledNS }

// Waker is who woke a task.
type Waker struct {
	// Interrupt says that an interrupt did. The task that it interrupted has nothing to do with it: then
	// PID is 0 and Comm "".
	Interrupt bool      `json:"interrupt,omitempty"`
	PID       sched.PID `json:"pid,omitempty"`
	Comm      string    `json:"comm,omitempty"`
	// Stack is an index of Report.Stacks, -1 if it was not taken.
	Stack int `json:"stack"`
}

// KeepUsedStacks removes the stacks and frames that no trial refers to, and numbers the others again.
func (r *Report) KeepUsedStacks() {
	stacks, frames := newRenumbering(len(r.Stacks)), newRenumbering(len(r.Frames))
	for i := range r.Trials {
		if r.Trials[i].Why == nil {
			continue
		}
		for j := range r.Trials[i].Why.Waits {
			w := &r.Trials[i].Why.Waits[j]
			w.Stack = stacks.of(w.Stack)
			if w.Waker != nil && w.Waker.Stack >= 0 {
				own := *w.Waker // others may share it
				own.Stack = stacks.of(own.Stack)
				w.Waker = &own
			}
		}
	}
	var keptStacks []Stack
	for _, i := range stacks.kept {
		stack := slices.Clone(r.Stacks[i])
		for j := range stack {
			stack[j] = frames.of(stack[j])
		}
		keptStacks = append(keptStacks, stack)
	}
	var keptFrames []Frame
	for _, i := range frames.kept {
		keptFrames = append(keptFrames, r.Frames[i])
	}
	r.Stacks, r.Frames = keptStacks, keptFrames
}

// renumbering gives the indices that are used new numbers, in the order in which they come up.
type renumbering struct {
	now  []int // by the index before; -1: not used so far
	kept []int
}

func newRenumbering(n int) *renumbering {
	r := &renumbering{now: make([]int, n)}
	for i := range r.now {
		r.now[i] = -1
	}
	return r
}

func (r *renumbering) of(i int) int {
	if r.now[i] < 0 {
		r.now[i] = len(r.kept)
		r.kept = append(r.kept, i)
	}
	return r.now[i]
}

// Bounds on what a report can hold of stacks, far above what a run produces.
const (
	maxFrames     = 1 << 20
	maxStacks     = 1 << 20
	maxStackWaits = 1 << 20
	// maxDepth leaves room for functions that were inlined into those of the deepest stack.
	maxDepth = 1 << 12
	// maxFrameText bounds each text of a frame, in bytes.
	maxFrameText = 1 << 14
)

func (r *Report) validateStacks() error {
	switch {
	case len(r.Frames) > maxFrames:
		return fmt.Errorf("%d functions on stacks are more than %d", len(r.Frames), maxFrames)
	case len(r.Stacks) > maxStacks:
		return fmt.Errorf("%d stacks are more than %d", len(r.Stacks), maxStacks)
	}
	for i := range r.Frames {
		f := &r.Frames[i]
		if max(len(f.Function), len(f.Unnamed), len(f.Module), len(f.File)) > maxFrameText || f.Line < 0 {
			return fmt.Errorf("function %d on stacks: a negative line, or more than %d bytes of text", i, maxFrameText)
		}
	}
	for i, stack := range r.Stacks {
		if len(stack) > maxDepth {
			return fmt.Errorf("stack %d: %d functions are more than %d", i, len(stack), maxDepth)
		}
		for _, frame := range stack {
			if frame < 0 || frame >= len(r.Frames) {
				return fmt.Errorf("stack %d: there is no function %d", i, frame)
			}
		}
	}
	for i := range r.Trials {
		if err := r.Trials[i].Why.validate(len(r.Stacks)); err != nil {
			return fmt.Errorf("trial %d: %w", i+1, err)
		}
	}
	return nil
}

// validate checks what a trial has of a report's stacks.
func (w *Why) validate(stacks int) error {
	if w == nil {
		return nil
	}
	if min(w.BlockNS, w.WalkNS) < 0 {
		return errors.New("a negative time of stacks")
	}
	if len(w.Waits) > maxStackWaits {
		return fmt.Errorf("%d sums of stacks are more than %d", len(w.Waits), maxStackWaits)
	}
	for i := range w.Waits {
		if err := w.Waits[i].validate(stacks); err != nil {
			return fmt.Errorf("sum %d of stacks: %w", i, err)
		}
	}
	return validatePairs(w.Pairs)
}

func (w *StackWait) validate(stacks int) error {
	switch {
	case w.State != Sleeping && w.State != Uninterruptible && w.State != Runnable:
		return fmt.Errorf("state %q is unknown", w.State)
	case w.Stack < 0 || w.Stack >= stacks:
		return fmt.Errorf("there is no stack %d", w.Stack)
	case w.Waker != nil && (w.Waker.Stack < -1 || w.Waker.Stack >= stacks):
		return fmt.Errorf("there is no stack %d of a waker", w.Waker.Stack)
	case min(w.BlockedNS, w.WaitNS, w.ThrottledNS, w.LongestNS) < 0:
		return errors.New("a negative time")
	case w.State == Runnable && (w.Waker != nil || w.BlockedNS > 0):
		return errors.New("a task that was runnable was asleep, or was woken")
	case !(w.Times >= 0) || math.IsInf(w.Times, 1): // NaN is not above anything
		return fmt.Errorf("%v returns", w.Times)
	}
	return nil
}
