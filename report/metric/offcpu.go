package metric

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// OffCPU is where tasks were when they were off their cores, added up over trials.
type OffCPU struct {
	// Why has the sums of what trials counted: Waits is empty.
	report.Why
	Trials int
	// WallNS is the time of all cores in these trials.
	WallNS int64
	// All is the sum of all Waits, which are by descending time off the core.
	All   report.StackWait
	Waits []OffWait
}

// OffWait is the time that tasks of one thread name and process were off their cores in one state, at stacks
// that are the same without the functions of the scheduler, and woken by wakers of one name.
type OffWait struct {
	report.StackWait
	// Frames are indices of Report.Frames: the stack as OwnFrames leaves it, the innermost first.
	Frames []int
	// PIDs and Groups are those of the tasks, ascending.
	PIDs   []sched.PID
	Groups []uint64
}

// offKey is what the waits of one OffWait have in common. stack is a number for OwnFrames.
type offKey struct {
	process, comm, waker       string
	state                      report.State
	iowait, woken, byInterrupt bool
	stack                      int
}

// GatherOffCPU adds up the stacks of all trials. It returns nil if the report has none.
func GatherOffCPU(r *report.Report) *OffCPU {
	var all *OffCPU
	stacks := newOwnStacks(r)
	sums := map[offKey]*offSum{}
	var order []*offSum
	for i := range r.Trials {
		why := r.Trials[i].Why
		if why == nil {
			continue
		}
		if all == nil {
			all = &OffCPU{Why: report.Why{BlockNS: why.BlockNS}}
		}
		all.add(&r.Trials[i])
		for j := range why.Waits {
			w := &why.Waits[j]
			number := stacks.of(w.Stack)
			key := offKey{
				process: w.Process, comm: w.Comm, state: w.State, iowait: w.IOWait, stack: number,
			}
			if w.Waker != nil {
				key.woken, key.byInterrupt, key.waker = true, w.Waker.Interrupt, w.Waker.Comm
			}
			sum := sums[key]
			if sum == nil {
				sum = newOffSum(w, stacks.frames[number])
				sums[key] = sum
				order = append(order, sum)
			}
			sum.Add(w)
			sum.pids[w.PID], sum.groups[w.Group] = true, true
			all.All.Add(w)
		}
	}
	for _, sum := range order {
		sum.PIDs, sum.Groups = slices.Sorted(maps.Keys(sum.pids)), slices.Sorted(maps.Keys(sum.groups))
		all.Waits = append(all.Waits, sum.OffWait)
	}
	if all != nil {
		slices.SortStableFunc(all.Waits, func(a, b OffWait) int { return cmp.Compare(b.OffNS(), a.OffNS()) })
	}
	return all
}

func (o *OffCPU) add(t *report.Trial) {
	o.Trials++
	o.BlockNS = min(o.BlockNS, t.Why.BlockNS)
	o.Taken += t.Why.Taken
	o.Skipped += t.Why.Skipped
	o.Lost += t.Why.Lost
	o.WalkNS += t.Why.WalkNS
	for i := range t.Cores {
		o.WallNS += t.Cores[i].WallNS
	}
}

// offSum is an OffWait that still grows.
type offSum struct {
	OffWait
	pids   map[sched.PID]bool
	groups map[uint64]bool
}

func newOffSum(w *report.StackWait, frames []int) *offSum {
	first := report.StackWait{
		Process: w.Process, Comm: w.Comm, State: w.State, IOWait: w.IOWait, Stack: w.Stack, Waker: w.Waker,
	}
	return &offSum{OffWait{StackWait: first, Frames: frames}, map[sched.PID]bool{}, map[uint64]bool{}}
}

// ownStacks numbers the stacks that are the same without the functions of the scheduler.
type ownStacks struct {
	report *report.Report
	number map[int]int    // by the index of Report.Stacks
	known  map[string]int // by the frames' names
	frames [][]int        // by number
}

func newOwnStacks(r *report.Report) *ownStacks {
	return &ownStacks{report: r, number: map[int]int{}, known: map[string]int{}}
}

func (s *ownStacks) of(stack int) int {
	if n, ok := s.number[stack]; ok {
		return n
	}
	frames := OwnFrames(s.report, s.report.Stacks[stack])
	var key strings.Builder
	for _, f := range frames {
		frame := &s.report.Frames[f]
		key.WriteString(frame.Module + "\x00" + frame.Name() + "\x00")
	}
	n, ok := s.known[key.String()]
	if !ok {
		n = len(s.frames)
		s.frames, s.known[key.String()] = append(s.frames, frames), n
	}
	s.number[stack] = n
	return n
}

// OwnFrames returns a stack without the functions that say nothing of where the task was, since most stacks
// have them: the innermost ones of the scheduler, and those by which the kernel is entered. It is the
// whole stack if nothing else is on it.
func OwnFrames(r *report.Report, stack report.Stack) []int {
	named := func(frame int, names map[string]bool) bool {
		f := &r.Frames[frame]
		base, _, _ := strings.Cut(f.Function, ".") // without such as .isra.0 and .constprop.0
		return f.Kernel && names[base]
	}
	start := 0
	for start < len(stack) && named(stack[start], ofScheduler) {
		start++
	}
	kernel := start
	for kernel < len(stack) && r.Frames[stack[kernel]].Kernel {
		kernel++
	}
	end := kernel
	for end > start && named(stack[end-1], ofEntry) {
		end--
	}
	if own := slices.Concat([]int(stack[start:end]), []int(stack[kernel:])); len(own) > 0 {
		return own
	}
	return stack
}

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(names) {
		out[name] = true
	}
	return out
}

// ofScheduler are functions that put a task to sleep or preempt it, on behalf of all others. Interrupts are
// among them, since they preempt whatever they interrupted.
var ofScheduler = set(`
	__schedule schedule schedule_idle schedule_preempt_disabled schedule_rtlock rt_mutex_schedule
	schedule_timeout schedule_timeout_interruptible schedule_timeout_killable schedule_timeout_uninterruptible
	schedule_timeout_idle schedule_hrtimeout schedule_hrtimeout_range schedule_hrtimeout_range_clock
	io_schedule io_schedule_timeout io_schedule_prepare
	preempt_schedule preempt_schedule_common preempt_schedule_irq preempt_schedule_notrace
	preempt_schedule_thunk preempt_schedule_notrace_thunk __cond_resched dynamic_cond_resched
	raw_irqentry_exit_cond_resched irqentry_exit_cond_resched dynamic_irqentry_exit_cond_resched
	irqentry_exit irqentry_exit_to_user_mode exit_to_user_mode_loop exit_to_user_mode_prepare
	prepare_exit_to_usermode do_notify_resume syscall_exit_to_user_mode syscall_exit_to_user_mode_work
	sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt
	sysvec_reschedule_ipi asm_sysvec_reschedule_ipi
	sysvec_call_function_single asm_sysvec_call_function_single
	arm64_preempt_schedule_irq el0_interrupt el1_interrupt`)

// ofEntry are functions by which the kernel is entered, the outermost of its functions.
var ofEntry = set(`
	entry_SYSCALL_64 entry_SYSCALL_64_after_hwframe do_syscall_64 x64_sys_call ia32_sys_call
	entry_SYSCALL_compat entry_SYSCALL_compat_after_hwframe entry_SYSENTER_compat
	entry_SYSENTER_compat_after_hwframe entry_INT80_compat do_int80_emulation do_fast_syscall_32
	__do_fast_syscall_32 do_SYSENTER_32 ret_from_fork ret_from_fork_asm asm_exc_page_fault
	asm_common_interrupt asm_sysvec_apic_timer_interrupt asm_sysvec_reschedule_ipi
	el0_svc do_el0_svc el0_svc_common invoke_syscall el0t_64_sync el0t_64_sync_handler el0t_64_irq
	el0t_64_irq_handler __el0_irq_handler_common el1h_64_irq el1h_64_irq_handler`)
