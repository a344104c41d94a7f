//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * The kernel half of slicetrace. On one core, task A hands over to B, and B to C:
 *
 *             st_entry    st_switch        st_exit          st_entry   st_switch
 *   A runs       e0       s0     s1           x0    B runs     e0      s0     s1     C runs
 *   -------------+--------+======+------------+----------------+-------+======+------------> time
 *                |  pick  |      |   switch   |                        |      |
 *   A's slice ------------|      |------------------------ B's slice --|      |-- C's slice
 *
 * Between s0 and s1, time that belongs to no slice and to no phase, st_switch keeps the
 * account. The second one adds one entry to the core's log: the class, the pick and the
 * switch phase of the switch from A to B, which are complete only now; B's slice, and why
 * it ended; and how long C waited for a core. After 64 entries the log is added to the
 * histograms.
 *
 * st_entry, st_switch, st_exit and st_tick run with preemption or interrupts off, so a
 * core's data has one writer.
 */

#include "kernel.h"
#include <bpf/bpf_tracing.h>
#include "core_fixes.h"
#include "hooks.h"
#include "log.h"
#include "maps.h"
#include "record.h"
#include "switch.h"
#include "task.h"
#include "ticks.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(st_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 s0 = bpf_ktime_get_ns();
	struct cpu_state *c = this_cpu();
	struct log_entry *e;
	u32 state;
	u64 s1;

	if (!c) {
		__sync_fetch_and_add(&st_globals.unwatched_core, 1);
		return 0;
	}
	if (c->slice_start && c->task != (u64)prev)
		find_occupant(c, prev, s0);
	state = switch_state(ctx, prev);
	if (recording)
		record_switch(c, preempt, prev, next, state,
			      prev->pid ? cause_of(c, preempt, prev, next, state) : CAUSES, s0);
	e = next_entry(c);
	e->class = CLASSES;
	if (c->slice_start) {
		charge_occupant(c, s0);
		log_phases(c, e);
		if (c->occupant == OCCUPANT_WATCHED)
			switch_out(c, e, preempt, prev, next, state, s0);
	}
	c->switches++;
	c->class = class_of(prev, next);
	c->pick_valid = c->entry_stamp != 0;
	c->pick_ns = short_time(s0 - c->entry_stamp);
	c->entry_stamp = 0;
	c->exit_stamp = 0;
	c->tick_asked = 0;
	c->wakes = 0;
	hand_over(c, e, next, s0);
	end_entry(c);
	s1 = bpf_ktime_get_ns();
	c->slice_start = s1;
	c->bookkeeping_ns += s1 - s0;
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(st_wakeup, struct task_struct *p)
{
	return becomes_runnable(p);
}

/*
 * A new task is watched from here on. Since 7.0 tracepoints are guarded by SRCU instead of
 * disabled preemption, so this program can be preempted, and then the kernel skips it for
 * other tasks that fork on the same core. So st_wakeup_new, which runs with interrupts off
 * and cannot be skipped, watches the tasks that were missed here, and counts those for
 * which there is no place.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(st_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 slot;
	struct watched_task *w = find_watched(child, &slot);

	if (w) { /* the end of the task that had this address before was not seen */
		unwatch(w, 0);
		free_slot(slot);
		__sync_fetch_and_add(&st_globals.dropped_tasks, 1);
	}
	w = find_watched(parent, &slot);
	if (w && w->children)
		adopt(child, w->children, w->children == FOLLOW_COUNTED);
	return 0;
}

/* The parent is current. A worker thread of io_uring has no sched_process_fork. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(st_wakeup_new, struct task_struct *child)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct watched_task *w;
	u32 slot;

	w = find_watched(parent, &slot);

	if (recording)
		record_name(child, child->comm, parent->pid, bpf_ktime_get_ns());
	if (w && w->children && adopt(child, w->children, w->children == FOLLOW_COUNTED))
		__sync_fetch_and_add(&st_globals.map_full, 1);
	return becomes_runnable(child);
}

/* Attached only when recording. It fires at an execution too. */
SEC("tp_btf/task_rename")
int BPF_PROG(st_rename, struct task_struct *p, const char *comm)
{
	return recording ? record_rename(p, comm) : 0;
}

/* A thread that executes a program gets the tid of its process's first thread (de_thread). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(st_exec, struct task_struct *p, int old_pid)
{
	struct watched_task *w;
	u32 slot;

	if (old_pid == p->pid)
		return 0;
	w = find_watched(p, &slot);
	if (w)
		w->tid = p->pid;
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(st_process_exit, struct task_struct *p)
{
	u32 slot;
	struct watched_task *w = find_watched(p, &slot);

	if (w && !w->exit_start) {
		w->exit_start = bpf_ktime_get_ns();
		__sync_fetch_and_add(&st_places.leaving, 1);
	}
	return 0;
}

/* The timer itself may be gone by now. */
SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(st_tick_end, struct hrtimer *timer)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct cpu_state *c = this_cpu();

	if (c && (c->timer == (u64)timer || c->tick_timer == (u64)timer))
		timer_ends(c, (u64)timer, !current->pid, current->thread_info.flags);
	return 0;
}

/*
 * Copies this core's data to st_snapshot_buf and resets its maxima. It is never attached:
 * the collector runs it on each core in turn, where no switch can come between, since on
 * another core it runs from an interrupt, and on the collector's own with preemption off.
 * On the collector's own core a tick can interrupt it; then the copy holds a part of that tick.
 */
SEC("raw_tp")
int st_snapshot(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id(), zero = 0, i;
	struct cpu_state *c = this_cpu();
	struct sums *sums = bpf_map_lookup_elem(&st_sums, &cpu);
	struct snapshot *s = bpf_map_lookup_elem(&st_snapshot_buf, &zero);
	struct task_struct *current = bpf_get_current_task_btf();
	struct stack_budget *budget = bpf_map_lookup_elem(&st_budgets, &cpu);
	struct event_buf *b;
	struct watched_task *w;

	if (!c || !s || !sums)
		return 1;
	if (!c->slice_start)
		first_occupant(c, current, bpf_ktime_get_ns());
	else if (c->exit_stamp && c->task != (u64)current)
		find_occupant(c, current, bpf_ktime_get_ns());
	flush(c);
	if (recording) {
		b = this_event_buf();
		if (!b)
			return 1;
		send_name(b);
		b->out.sending = 1; /* so that sent divides the wakeups into earlier and later ones */
		barrier();
		s->sent = bpf_ktime_get_ns();
		send_events(b);
		s->lost = b->out.lost + b->missed - b->missed_sent;
	}
	if (bpf_probe_read_kernel(&s->cpu, sizeof(s->cpu), c) ||
	    bpf_probe_read_kernel(&s->sums, sizeof(s->sums), sums))
		return 2;
	s->now = bpf_ktime_get_ns();
	if (why && budget && budget->walking)
		delay_slice(&s->cpu, s->now - budget->walk_from);
	w = watched_at(c->slot);
	if (w && c->occupant == OCCUPANT_WATCHED) {
		s->occupant_on_cpu = w->on_cpu;
		s->occupant_born = w->born;
	}
	for (i = 0; i < CLASSES; i++) {
		sums->classes[i].pick_max = 0;
		sums->classes[i].switch_max = 0;
		sums->classes[i].cost_max = 0;
	}
	for (i = 0; i < CAUSES; i++)
		sums->slices[i].max = 0;
	sums->wait.max = 0;
	sums->exited.start.max = 0;
	sums->exited.run.max = 0;
	sums->exited.end.max = 0;
	return 0;
}

/*
 * The collector names a task by the tid that it has at the moment; the iterator finds its
 * address. It needs no privilege beyond those of the other programs.
 */
SEC("iter/task")
int st_watch(struct iter_task *ctx)
{
	struct task_struct *t = ctx->task;

	return t ? watch(t) : 0;
}
