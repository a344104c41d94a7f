package bpf

import (
	"testing"

	"github.com/cilium/ebpf"
)

// marks is how many wakeups a core remembers.
const marks = len(CPUState{}.Woken)

// causeCase is how a slice of task a ends, and the cause that is to be found.
type causeCase struct {
	leave func(r *replay)
	cause int
}

// How the cause of a slice's end is found from the events around it.
func TestCauses(t *testing.T) {
	for _, cases := range []map[string]causeCase{ownCauses(), wakeups(), ticks(), ticksAndWakeups()} {
		for name, c := range cases {
			r := newReplay(t)
			r.watch(a, FollowNone)
			r.turn(0, 500, d, a)
			before := r.watched(10).Slices
			c.leave(r)
			ended := r.watched(10).Slices
			if ended[c.cause] == before[c.cause] {
				t.Errorf("%s: slices by blocked, exited, tick, wakeup, yield, other: %v", name, ended)
			}
		}
	}
}

// ownCauses are slices whose end depends on the task itself.
func ownCauses() map[string]causeCase {
	return map[string]causeCase{
		"blocks": {func(r *replay) {
			r.task(a, fake{state: asleep})
			r.turn(0, 2000, a, b)
		}, blocked},
		// A signal: about to block, it is made running again; the kernel counts
		// the switch as voluntary before the tracepoint.
		"blocks and is made running": {func(r *replay) {
			r.task(a, fake{nvcsw: 1})
			r.turn(0, 2000, a, b)
		}, blocked},
		"yields": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall})
			r.turn(0, 2000, a, b)
		}, byYield},
		"throttled": {func(r *replay) {
			r.tick(0, 1900, a, resched)
			r.task(a, fake{throttled: true})
			r.turn(0, 2000, a, b)
		}, byThrottle},
		"throttled on its way back from a yield": {func(r *replay) {
			r.task(a, fake{throttled: true, syscall: yieldCall})
			r.turn(0, 2000, a, b)
		}, byThrottle},
		"blocks in a throttled group": {func(r *replay) {
			r.task(a, fake{throttled: true, state: asleep})
			r.turn(0, 2000, a, b)
		}, blocked},
		"yields by the 32-bit table": {func(r *replay) {
			r.task(a, fake{syscall: yieldCompatCall, compat: true})
			r.turn(0, 2000, a, b)
		}, byYield},
		"that number of the 64-bit table": {func(r *replay) {
			r.task(a, fake{syscall: yieldCompatCall})
			r.turn(0, 2000, a, b)
		}, byOther},
		"the 64-bit number of the 32-bit table": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall, compat: true})
			r.turn(0, 2000, a, b)
		}, byOther},
		"preempted while yielding": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall})
			r.preempt(0, 2000, a, b)
		}, byOther},
		"preempted on its way to block": {func(r *replay) {
			r.task(a, fake{state: asleep})
			r.preempt(0, 2000, a, b)
		}, byOther},
	}
}

// wakeups are slices that end after tasks were woken.
func wakeups() map[string]causeCase {
	return map[string]causeCase{
		"woken takes the core": {func(r *replay) {
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"another than the woken takes it": {func(r *replay) {
			r.wake(0, 1900, d, a)
			r.turn(0, 2000, a, b)
		}, byOther},
		"one of many that are woken at once": {func(r *replay) {
			r.wake(0, 1900, b, a)
			r.wake(0, 1901, d, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		// More than there are marks for: the kernel's stamps tell.
		"one of more than there are marks for": {func(r *replay) {
			r.task(a, fake{arrival: 500})
			r.task(b, fake{queued: 501})
			r.wake(0, 1900, b, a)
			for range marks {
				r.wake(0, 1901, d, a)
			}
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"one that waits longer than those": {func(r *replay) {
			r.task(a, fake{arrival: 500})
			r.task(b, fake{queued: 500})
			for range marks + 1 {
				r.wake(0, 1901, d, a)
			}
			r.turn(0, 2000, a, b)
		}, byOther},
		"one that wakes itself is no mark": {func(r *replay) {
			r.wake(0, 1900, b, a)
			for range marks + 1 {
				r.wake(0, 1901, a, a)
			}
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"woken onto the other core": {func(r *replay) {
			r.task(b, fake{cpu: 1})
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byOther},
	}
}

// ticks are slices that end after timers.
func ticks() map[string]causeCase {
	return map[string]causeCase{
		"a tick asks": {func(r *replay) {
			r.tick(0, 1900, a, resched)
			r.turn(0, 2000, a, b)
		}, byTick},
		"a tick asks lazily": {func(r *replay) {
			r.tick(0, 1900, a, lazy)
			r.turn(0, 2000, a, b)
		}, byTick},
		"HRTICK asks": {func(r *replay) {
			r.timerBegins(0, 1900, timerHRTick, a)
			r.timerEnds(0, 1901, timerHRTick, a, resched)
			r.turn(0, 2000, a, b)
		}, byTick},
		"a tick asks long before": {func(r *replay) {
			r.tick(0, 1900, a, resched)
			r.turn(0, 1900+20_000_000, a, b)
		}, byTick},
		"a tick asks for nothing": {func(r *replay) {
			r.tick(0, 1999, a, 0)
			r.turn(0, 2000, a, b)
		}, byOther},
		"a tick sets another flag": {func(r *replay) {
			r.tick(0, 1999, a, 1<<2)
			r.turn(0, 2000, a, b)
		}, byOther},
		"another timer sets the flag": {func(r *replay) {
			r.timerBegins(0, 1900, timerPlain, a)
			r.timerEnds(0, 1901, timerPlain, a, resched)
			r.turn(0, 2000, a, b)
		}, byOther},
	}
}

// ticksAndWakeups are slices that end after several events.
func ticksAndWakeups() map[string]causeCase {
	return map[string]causeCase{
		"asked for before the tick": {func(r *replay) {
			r.wake(0, 1800, b, a)
			r.timerBegins(0, 1850, timerPlain, a)
			r.timerEnds(0, 1851, timerPlain, a, lazy)
			r.tick(0, 1900, a, resched)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"woken before a tick that asks": {func(r *replay) {
			r.wake(0, 1800, b, a)
			r.tick(0, 1900, a, resched)
			r.turn(0, 2000, a, b)
		}, byTick},
		"woken before a tick that does not": {func(r *replay) {
			r.wake(0, 1800, b, a)
			r.tick(0, 1900, a, 0)
			r.turn(0, 2000, a, b)
		}, byOther},
		"woken after the tick": {func(r *replay) {
			r.tick(0, 1800, a, 0)
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"a tick of the slice before": {func(r *replay) {
			r.tick(0, 900, a, resched)
			r.turn(0, 1000, a, d)
			r.turn(0, 1100, d, a)
			r.turn(0, 1200, a, b)
		}, byOther},
		"asked for, and chosen again": {func(r *replay) {
			r.tick(0, 1800, a, resched)
			r.task(a, fake{}) // the flag is taken back
			r.exitOf(0, 1850, a)
			r.turn(0, 2000, a, b)
		}, byOther},
		// Between the choice and the end of the scheduler's call.
		"chosen again, and asked for anew": {func(r *replay) {
			r.tick(0, 1800, a, resched)
			r.exitOf(0, 1850, a)
			r.turn(0, 2000, a, b)
		}, byTick},
		"asked for, and chosen again before the next tick": {func(r *replay) {
			r.tick(0, 1800, a, resched)
			r.task(a, fake{})
			r.tick(0, 1900, a, 0)
			r.turn(0, 2000, a, b)
		}, byOther},
		"a tick whose beginning was skipped": {func(r *replay) {
			r.tick(0, 600, a, 0)
			r.wake(0, 1800, b, a)
			r.timerEnds(0, 1900, timerTick, a, resched)
			r.turn(0, 2000, a, b)
		}, byOther},
	}
}

// The state that sched_switch passes is prev's as the scheduler found it. By the time of the
// tracepoint the task may have been woken again.
func TestStateFromTheTracepoint(t *testing.T) {
	for name, c := range map[string]struct {
		told, now uint32
		cause     int
		runnable  bool
	}{
		"asleep":                     {asleep, asleep, blocked, false},
		"being woken elsewhere":      {asleep, 0x200, blocked, false},
		"made running by a signal":   {asleep, 0, blocked, true},
		"runs":                       {0, 0, byOther, true},
		"dead":                       {dead, dead, exited, false},
		"about to sleep, not yet so": {0, asleep, byOther, true},
	} {
		r := newReplay(t, func(spec *ebpf.CollectionSpec) { set(spec, slicetraceVarTellsPrevState, true) })
		r.watch(a, FollowNone)
		r.turn(0, 500, d, a)
		r.task(a, fake{state: c.now})
		record := r.watched(10)
		r.switchTold(0, 2000, a, b, c.told)
		if c.cause == exited {
			if r.watched(10) != nil {
				t.Errorf("%s: it is still watched", name)
			}
			continue
		}
		after := r.watched(10)
		if after.Slices[c.cause] != record.Slices[c.cause]+1 || (after.RunnableSince != 0) != c.runnable {
			t.Errorf("%s: slices by cause: %v; runnable since %d", name, after.Slices, after.RunnableSince)
		}
	}
}

// A task that was preempted on its way to block waits from then on, and not
// from a wakeup that comes later.
func TestPreemptedOnItsWayToBlock(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{state: asleep})
	r.preempt(0, 2000, a, b)
	r.exit(0, 2020)
	r.wake(0, 2500, a, b)
	r.turn(0, 3000, b, a)
	want(t, "wait", r.watched(10).Wait, 1000)
}

// The time for which a quota keeps a task from running is not part of a wait.
func TestThrottledTimeIsNoWait(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{throttled: true})
	r.turn(0, 2000, a, b)
	r.task(a, fake{})
	r.turn(0, 5000, b, a)
	w := r.watched(10)
	want(t, "wait", w.Wait, 0)
	want(t, "longest wait", w.WaitMax, 0)
	want(t, "throttled", w.Throttled, 3000)
	r.turn(0, 6000, a, b)
	r.turn(0, 6400, b, a)
	want(t, "wait after it", r.watched(10).Wait, 400)
	r.wake(1, 6500, a, c) // while it runs, as can happen to a task that is about to sleep
	r.task(a, fake{throttled: true})
	r.turn(0, 7000, a, b)
	r.task(a, fake{})
	r.turn(0, 7100, b, a)
	want(t, "wait, as it was", r.watched(10).Wait, 400)
	want(t, "throttled once more", r.watched(10).Throttled, 3100)
	r.turn(0, 7200, a, b)
	r.turn(0, 7300, b, a)
	want(t, "wait after that", r.watched(10).Wait, 500)
	want(t, "throttled, still", r.watched(10).Throttled, 3100)
}
