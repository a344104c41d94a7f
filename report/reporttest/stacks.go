package reporttest

import (
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// Stacks returns a report of a watched system with stacks of where tasks were off their cores: two trials,
// with functions of the kernel, of Go with inlined ones, and without names for several reasons.
func Stacks() *report.Report {
	r := System(SystemSize{Cores: 2, Tasks: 6, Groups: 3, Intervals: 2})
	s := &stackBuilder{report: r, known: map[report.Frame]int{}}
	group := r.Trials[0].System.Groups[1].ID
	poll := s.stack("schedule schedule_hrtimeout_range ep_poll do_epoll_wait __x64_sys_epoll_wait "+entry,
		ofModule("postgres", "epoll_wait WaitEventSetWait secure_read pq_recvbuf PostgresMain main")...)
	read := ofModule("postgres", "pread64 FileReadV mdreadv ReadBuffer_common index_getnext PostgresMain")
	const page = " folio_wait_bit_common filemap_read ext4_file_read_iter vfs_read ksys_pread64 " + entry
	disk, other := s.stack("schedule io_schedule"+page, read...), s.stack("schedule io_schedule_timeout"+page, read...)
	park := s.stack("schedule futex_wait_queue __futex_wait do_futex __x64_sys_futex "+entry, goFrames()...)
	spin := s.stack("exit_to_user_mode_loop irqentry_exit asm_sysvec_apic_timer_interrupt",
		report.Frame{Unnamed: stripped, Module: "agent", Address: 0x55d0c0de1000},
		report.Frame{Unnamed: stripped, Module: "agent", Address: 0x55d0c0de2040})
	jit := s.stack("schedule do_nanosleep hrtimer_nanosleep "+entry,
		report.Frame{Unnamed: "generated code (JIT) without a perf map", Address: 0x7f0000001234},
		report.Frame{Unnamed: stripped, Module: "agent", Address: 0x55d0c0de2040})
	send := s.stack("sock_def_readable tcp_rcv_established __x64_sys_sendto "+entry,
		ofModule("nginx", "send ngx_worker")...)
	timer := s.stack("hrtimer_wakeup __hrtimer_run_queues hrtimer_interrupt asm_sysvec_apic_timer_interrupt")

	nginx := &report.Waker{PID: 1003, Comm: "nginx", Stack: send}
	interrupt := &report.Waker{Interrupt: true, Stack: timer}
	unseen := &report.Waker{PID: 1009, Comm: "kworker/1:2", Stack: -1}
	const ms = 1_000_000
	first := []report.StackWait{
		{PID: 1000, Process: "postgres", Comm: "postgres", Group: group, State: report.Sleeping, Stack: poll,
			Waker: nginx, Samples: 210, Times: 840, BlockedNS: 1410 * ms, WaitNS: 7 * ms, LongestNS: 48 * ms},
		{PID: 1000, Process: "postgres", Comm: "postgres", Group: group, State: report.Uninterruptible, IOWait: true,
			Stack: disk, Waker: interrupt, Samples: 96, Times: 96, BlockedNS: 388 * ms, WaitNS: 2 * ms,
			LongestNS: 31 * ms},
		{PID: 1000, Process: "postgres", Comm: "postgres", Group: group, State: report.Uninterruptible, IOWait: true,
			Stack: other, Waker: interrupt, Samples: 4, Times: 4, BlockedNS: 12 * ms, WaitNS: ms, LongestNS: 5 * ms},
		{PID: 1040, Process: "collector", Comm: "collector", Group: r.Trials[0].System.Groups[2].ID, UID: 1000,
			State: report.Sleeping, Stack: park, Waker: unseen, Samples: 31, Times: 124.5, BlockedNS: 310 * ms,
			WaitNS: 3 * ms, LongestNS: 17 * ms},
		{PID: 1050, Process: "agent", Comm: "agent", UID: 1001, State: report.Runnable, Stack: spin, Samples: 50,
			Times: 50, WaitNS: 190 * ms, ThrottledNS: 60 * ms, LongestNS: 55 * ms},
	}
	second := []report.StackWait{first[0], first[1], {PID: 1050, Process: "agent", Comm: "sampler", UID: 1001,
		State: report.Sleeping, Stack: jit, Samples: 9, Times: 9, BlockedNS: 90 * ms, LongestNS: 10 * ms}}
	second[0].PID, second[0].LongestNS = 1020, 62*ms
	for i, waits := range [][]report.StackWait{first, second} {
		why := &report.Why{BlockNS: ms, WalkNS: 1_900_000, Waits: waits}
		returns := 0.0
		for _, w := range waits {
			why.Taken += w.Samples
			returns += w.Times
		}
		why.Skipped = uint64(returns) - why.Taken
		r.Trials[i].Why = why
	}
	addPairs(r, group, r.Trials[0].System.Groups[2].ID)
	last := r.Trials[1].Why
	last.Taken, last.Lost = last.Taken+3, 3
	return r
}

// HostileStacks is Stacks with names that try to control terminals, spreadsheets and pages.
func HostileStacks() *report.Report {
	r, bad := Stacks(), HostileNames()
	for i := range r.Frames {
		f, name := &r.Frames[i], bad[i%len(bad)]
		f.Module, f.File = name, name
		if f.Unnamed != "" {
			f.Unnamed = name
		} else {
			f.Function = name + ";" + name
		}
	}
	for i := range r.Trials {
		for j := range r.Trials[i].Why.Waits {
			w := &r.Trials[i].Why.Waits[j]
			w.Process, w.Comm = bad[j], bad[j+1]
			if w.Waker != nil && !w.Waker.Interrupt {
				w.Waker = &report.Waker{PID: 7, Comm: bad[j+2], Stack: w.Waker.Stack}
			}
		}
		for j := range r.Trials[i].Why.Pairs {
			for _, t := range []*report.PairTask{r.Trials[i].Why.Pairs[j].Task, r.Trials[i].Why.Pairs[j].By} {
				if t != nil {
					t.Process, t.Comm = bad[j%len(bad)], bad[int(t.PID)%len(bad)]
				}
			}
		}
	}
	return r
}

// AtStacks returns a copy of a report after a change to its sums at stacks that have a function.
func AtStacks(r *report.Report, function string, change func(*report.StackWait)) *report.Report {
	out := Copy(r)
	for i := range out.Trials {
		waits := out.Trials[i].Why.Waits
		for j := range waits {
			if strings.Contains(out.Folded(waits[j].Stack), function) {
				change(&waits[j])
			}
		}
	}
	return out
}

const (
	entry    = "do_syscall_64 entry_SYSCALL_64_after_hwframe"
	stripped = "the file has no symbols (stripped)"
)

// goFrames are of a Go program, in which two functions are inlined.
func goFrames() []report.Frame {
	frame := func(function, file string, line int, inlined bool) report.Frame {
		return report.Frame{Function: function, Module: "collector", File: file, Line: line, Inlined: inlined}
	}
	return []report.Frame{
		frame("runtime.futex", "/usr/lib/go/src/runtime/sys_linux_amd64.s", 557, false),
		frame("runtime.futexsleep", "/usr/lib/go/src/runtime/os_linux.go", 75, false),
		frame("runtime.mPark", "/usr/lib/go/src/runtime/proc.go", 1941, true),
		frame("runtime.stopm", "/usr/lib/go/src/runtime/proc.go", 2984, false),
		frame("runtime.findRunnable", "/usr/lib/go/src/runtime/proc.go", 3765, false),
		frame("runtime.schedule", "/usr/lib/go/src/runtime/proc.go", 4135, false),
		frame("runtime.park_m", "/usr/lib/go/src/runtime/proc.go", 4253, true),
		frame("runtime.mcall", "/usr/lib/go/src/runtime/asm_amd64.s", 459, false),
	}
}

// ofModule returns functions of a module, whose names are separated by spaces.
func ofModule(module, functions string) (frames []report.Frame) {
	for _, name := range strings.Fields(functions) {
		frames = append(frames, report.Frame{Function: name, Module: module})
	}
	return frames
}

type stackBuilder struct {
	report *report.Report
	known  map[report.Frame]int
}

// stack adds a stack of functions of the kernel, separated by spaces, and of a program.
func (s *stackBuilder) stack(kernel string, user ...report.Frame) int {
	var stack report.Stack
	frames := ofModule("kernel", kernel)
	for i := range frames {
		frames[i].Kernel = true
	}
	for _, f := range append(frames, user...) {
		n, ok := s.known[f]
		if !ok {
			n = len(s.report.Frames)
			s.known[f], s.report.Frames = n, append(s.report.Frames, f)
		}
		stack = append(stack, n)
	}
	s.report.Stacks = append(s.report.Stacks, stack)
	return len(s.report.Stacks) - 1
}
