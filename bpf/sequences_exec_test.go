package bpf

import "testing"

// takeover is a way in which a thread takes over the first thread's tid.
type takeover struct {
	run               func(*replay)
	onCPU, firstOnCPU uint64 // of b at 3000, and of a in all
}

// A thread (b, tid 20) executes a program. It takes over the tid of its process's first
// thread (a, tid 10), for which it waits only until that thread has begun to end. Whichever
// tid each of them has at which switch, each keeps its own record.
func TestThreadTakesOverTheFirstThreadsTid(t *testing.T) {
	for name, c := range takeovers() {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t)
			r.task(a, firstThread)
			r.task(b, otherThread)
			r.watch(a, FollowListed)
			r.watch(b, FollowListed)
			c.run(r)
			f := r.fakes[b]
			f.state = asleep
			r.task(b, f)
			r.turn(0, 3000, b, idle)
			tid := uint32(10)
			if name == "the kernel skips the execution" {
				tid = 20 // only the new tid is not known then
			}
			w := r.watched(tid)
			if w == nil {
				t.Fatalf("no task is watched under tid %d", tid)
			}
			want(t, "the thread's time", w.OnCpu, c.onCPU)
			exits := r.exits()
			if len(exits) != 1 {
				t.Fatalf("%d tasks exited, want the first thread", len(exits))
			}
			o := &exits[0]
			want(t, "the first thread's tid", uint64(o.Task.Tid), 10)
			want(t, "its time", o.Task.OnCpu, c.firstOnCPU)
			want(t, "its last switch", o.Task.Slices[exited], 1)
			want(t, "its switches by the kernel's count", o.Final.Nivcsw, 7)
			r.turn(0, 4000, idle, b)
			r.turn(0, 4100, b, idle)
			want(t, "the thread's time", r.watched(tid).OnCpu, c.onCPU+100)
			for cpu := range uint32(2) {
				s := r.snapshot(cpu, 5000, []int{idle, d}[cpu])
				want(t, "hidden switches", s.Cpu.HiddenSwitches, 0)
			}
			want(t, "free places", uint64(len(r.free())), replayed-1)
		})
	}
}

// The two threads of the process, as they are at first.
var (
	firstThread = fake{tid: 10, tgid: 10, mm: 1001}
	otherThread = fake{tid: 20, tgid: 10, mm: 1001}
)

// takeovers are the orders in which the threads' last switches and the execution can come.
func takeovers() map[string]takeover {
	var (
		first    = firstThread
		thread   = otherThread
		exchange = func(r *replay) {
			r.task(a, thread)
			r.task(b, first)
		}
		die = func(r *replay, cpu uint32, at uint64, f fake, next int) {
			f.state, f.nvcsw, f.nivcsw = dead, 1, 7
			r.task(a, f)
			r.turn(cpu, at, a, next)
		}
	)
	return map[string]takeover{
		"the first thread is on its core": {func(r *replay) {
			r.turn(1, 900, d, a)
			r.turn(0, 1000, c, b)
			r.leave(1, 1400, a)
			exchange(r)
			r.exec(0, 1500, b, 20)
			die(r, 1, 1700, thread, d)
		}, 2000, 800},
		"it makes its last switch first": {func(r *replay) {
			r.turn(1, 900, d, a)
			r.turn(0, 1000, c, b)
			r.leave(1, 1400, a)
			die(r, 1, 1500, first, d)
			exchange(r)
			r.exec(0, 1700, b, 20)
		}, 2000, 600},
		"it comes back when the thread has executed": {func(r *replay) {
			r.turn(0, 1000, c, a)
			r.leave(0, 1100, a)
			r.preempt(0, 1200, a, b) // b was woken by its end
			r.exit(0, 1220)
			exchange(r)
			r.exec(0, 1300, b, 20)
			r.turn(0, 1500, b, a)
			die(r, 0, 1600, thread, b)
		}, 300 + 1400, 300},
		"it comes back while the thread is about to": {func(r *replay) {
			r.turn(1, 1000, d, a)
			r.turn(0, 1100, c, b)
			r.leave(1, 1150, a)
			r.preempt(1, 1200, a, d)
			r.exit(1, 1220)
			exchange(r)
			r.turn(1, 1300, d, a)
			die(r, 1, 1400, thread, d)
			r.exec(0, 1500, b, 20)
		}, 1900, 300},
		"the kernel skips the execution": {func(r *replay) {
			r.turn(1, 900, d, a)
			r.turn(0, 1000, c, b)
			r.leave(1, 1400, a)
			exchange(r)
			die(r, 1, 1700, thread, d)
		}, 2000, 800},
	}
}
