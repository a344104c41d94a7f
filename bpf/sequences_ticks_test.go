package bpf

import (
	"testing"

	"github.com/cilium/ebpf"
)

// Every tick is counted, also if the kernel skipped its beginning or its end because another
// timer's program was running on the core.
func TestTicksThatAreHalfSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		ticks func(r *replay)
		want  uint64
	}{
		"nothing": {func(r *replay) {
			r.tick(0, 1000, a, 0)
			r.tick(0, 2000, a, 0)
		}, 2},
		"the beginning": {func(r *replay) {
			r.tick(0, 1000, a, 0)
			r.timerEnds(0, 2000, timerTick, a, 0)
			r.tick(0, 3000, a, 0)
		}, 3},
		"the end": {func(r *replay) {
			r.timerBegins(0, 1000, timerTick, a)
			r.tick(0, 2000, a, 0)
		}, 2},
		"the end, between other timers": {func(r *replay) {
			r.timerBegins(0, 1000, timerTick, a)
			r.timerBegins(0, 1100, timerPlain, a)
			r.timerEnds(0, 1200, timerPlain, a, 0)
			r.tick(0, 2000, a, 0)
		}, 2},
		"nothing, within another timer": {func(r *replay) {
			r.timerBegins(0, 1000, timerPlain, idle)
			r.tick(0, 1001, idle, 0)
			r.timerEnds(0, 1002, timerPlain, idle, 0)
		}, 1},
		"other timers": {func(r *replay) {
			r.timerBegins(0, 1000, timerPlain, a)
			r.timerEnds(0, 1001, timerPlain, a, 0)
			r.timerBegins(0, 1002, timerHRTick, a)
			r.timerEnds(0, 1003, timerHRTick, a, 0)
		}, 0},
	} {
		r := newReplay(t)
		r.turn(0, 500, d, a)
		c.ticks(r)
		want(t, "ticks: "+name, r.core(0).Ticks, c.want)
	}
}

// The flag by which the scheduler asks for a switch is learned from the idle task.
func TestFlagIsLearned(t *testing.T) {
	for name, c := range map[string]struct {
		timer, current int
		sets           uint64
		lazy           uint32
		want           uint64
	}{
		"a timer wakes an idle core":      {timerPlain, idle, 1 << 3, 0, 1 << 3},
		"on a kernel with a lazy one":     {timerPlain, idle, 1 << 3, 1, 3 << 3},
		"on one whose lazy one is higher": {timerPlain, idle, 1 << 3, 16, 1<<3 | 1<<19},
		"the tick wakes an idle core":     {timerTick, idle, 1 << 3, 0, 1 << 3},
		"it wakes nobody":                 {timerPlain, idle, 0, 0, 0},
		"another task is signalled too":   {timerPlain, a, 1 << 2, 0, 0},
		"more than one flag":              {timerPlain, idle, 3 << 2, 0, 0},
	} {
		r := newReplay(t, func(spec *ebpf.CollectionSpec) { set(spec, slicetraceVarLazyShift, c.lazy) })
		r.timerBegins(0, 1000, c.timer, c.current)
		r.timerEnds(0, 1001, c.timer, c.current, c.sets)
		want(t, name, r.globals().ReschedFlags, c.want)
	}
}
