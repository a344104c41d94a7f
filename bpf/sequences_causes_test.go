package bpf

import (
	"testing"
)

// How a slice's end is told from its neighbours.
func TestCauses(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(r *replay)
		cause int
	}{
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
		"preempted while yielding": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall})
			r.preempt(0, 2000, a, b)
		}, byOther},
		"preempted on its way to block": {func(r *replay) {
			r.task(a, fake{state: asleep})
			r.preempt(0, 2000, a, b)
		}, byOther},
		"woken takes the core": {func(r *replay) {
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"another than the woken takes it": {func(r *replay) {
			r.wake(0, 1900, d, a)
			r.turn(0, 2000, a, b)
		}, byOther},
		"a tick": {func(r *replay) {
			r.tick(0, 1900)
			r.turn(0, 2000, a, b)
		}, byTick},
		"a tick long ago": {func(r *replay) {
			r.tick(0, 1900)
			r.turn(0, 1900+2_000_000, a, b)
		}, byOther},
		"woken before the tick": {func(r *replay) {
			r.wake(0, 1800, b, a)
			r.tick(0, 1900)
			r.turn(0, 2000, a, b)
		}, byTick},
		"woken after the tick": {func(r *replay) {
			r.tick(0, 1800)
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"a tick of the slice before": {func(r *replay) {
			r.tick(0, 900)
			r.turn(0, 1000, a, d)
			r.turn(0, 1100, d, a)
			r.turn(0, 1200, a, b)
		}, byOther},
		"woken onto the other core": {func(r *replay) {
			r.task(b, fake{cpu: 1})
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byOther},
	} {
		r := newReplay(t)
		r.watch(a, FollowNone)
		r.turn(0, 500, d, a)
		before := r.worker(10).Ended
		c.leave(r)
		ended := r.worker(10).Ended
		if ended[c.cause] == before[c.cause] {
			t.Errorf("%s: slices by blocked, exited, tick, wakeup, yield, other: %v", name, ended)
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
	want(t, "wait", r.worker(10).Wait, 1000)
}

// Which class a switch is of when the task before has given up its memory.
func TestClasses(t *testing.T) {
	const kthread = 0x00200000
	for name, c := range map[string]struct {
		prev, next fake
		class      int
	}{
		"threads":              {fake{mm: 7}, fake{mm: 7}, classThread},
		"processes":            {fake{mm: 7}, fake{mm: 8}, classProcess},
		"from a kernel thread": {fake{flags: kthread}, fake{mm: 7}, classKernel},
		"to a kernel thread":   {fake{mm: 7}, fake{flags: kthread}, classKernel},
		"the exiting one's mm": {fake{mm: 9, activeMM: 7, state: dead}, fake{mm: 7}, classThread},
	} {
		r := newReplay(t)
		r.task(a, c.prev)
		r.task(b, c.next)
		r.turn(0, 1000, a, b)
		r.task(d, fake{})
		r.turn(0, 2000, b, d)
		s := r.snapshot(0, 3000, d)
		want(t, name, s.Sums.Classes[c.class].Switches, 1)
	}
}
