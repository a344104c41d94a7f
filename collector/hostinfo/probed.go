package hostinfo

import (
	"maps"
	"slices"
	"strings"
)

// switchPath returns prefixes of the names of functions that a switch or a wakeup calls. A
// probe in one of them takes time inside a phase, or in each slice.
func switchPath() []string {
	return []string{
		"__schedule", "schedule", "finish_task_switch", "prepare_task_switch", "context_switch", "__switch_to",
		"switch_mm", "rcu_note_context_switch", "pick_next_task", "pick_task", "put_prev_task", "set_next_task",
		"enqueue_task", "dequeue_task", "update_curr", "try_to_wake_up", "ttwu_", "wake_up_process", "wakeup_preempt",
		"check_preempt", "update_rq_clock", "psi_", "select_task_rq", "task_tick", "scheduler_tick", "sched_tick",
		"tick_sched", "tick_nohz", "update_load_avg", "newidle_balance", "sched_balance", "resched_curr",
		"perf_event_task", "__perf_event_task",
	}
}

// probedFunctions lists the functions of switchPath that have a kprobe, an fentry program or
// a function tracer. It is "" if neither the list of kprobes nor that of tracefs can be read.
func (r *settingsReader) probedFunctions() string {
	found := make(map[string]bool)
	readable := false
	add := func(symbol string) {
		symbol, _, _ = strings.Cut(symbol, "+")
		on := func(prefix string) bool { return strings.HasPrefix(symbol, prefix) }
		if !slices.Contains(r.ownProbes, symbol) && slices.ContainsFunc(switchPath(), on) {
			found[symbol] = true
		}
	}
	for _, line := range r.tree.lines("sys/kernel/debug/kprobes/list") {
		// "ffffffff8110b5b0  k  finish_task_switch.isra.0+0x0    [FTRACE]"
		fires := !strings.Contains(line, "[DISABLED]") && !strings.Contains(line, "[GONE]")
		if fields := strings.Fields(line); len(fields) >= 3 && fires {
			add(fields[2])
		}
	}
	for _, name := range []string{
		"sys/kernel/debug/kprobes/list",
		"sys/kernel/tracing/enabled_functions",
		"sys/kernel/debug/tracing/enabled_functions",
	} {
		readable = readable || r.tree.readable(name)
	}
	for _, dir := range []string{"sys/kernel/tracing", "sys/kernel/debug/tracing"} {
		// "try_to_wake_up (1) R I M  tramp: ftrace_regs_caller+0x0/0x65 (...)"
		for _, line := range r.tree.lines(dir + "/enabled_functions") {
			if fields := strings.Fields(line); len(fields) >= 2 {
				add(fields[0])
			}
		}
	}
	switch {
	case !readable:
		return ""
	case len(found) == 0:
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), " ")
}
