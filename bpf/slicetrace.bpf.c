//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * The kernel half of slicetrace. One switch on one core passes through
 *
 *   st_entry    stamps e0
 *   st_switch   s0; ends prev's slice, counts the switch before this one,
 *               begins next's slice; s1
 *   st_exit     stamps x0
 *
 * so that pick = s0 - e0, switch = x0 - s1, and all bookkeeping lies between
 * s0 and s1. st_entry, st_switch, st_exit and st_tick run with preemption or
 * interrupts off, so a core's data has one writer.
 */

#include "kernel.h"
#include <bpf/bpf_tracing.h>
#include "core_fixes.h"
#include "account.h"
#include "maps.h"
#include "record.h"
#include "sums.h"
#include "ticks.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(st_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 s0 = bpf_ktime_get_ns();
	struct core *c = this_core();
	struct entry *e;
	u32 state;
	u64 s1;

	if (!c) {
		__sync_fetch_and_add(&st_totals.unwatched_core, 1);
		return 0;
	}
	if (c->since && c->task != (u64)prev)
		find_holder(c, prev, s0);
	state = switch_state(ctx, prev);
	if (recording)
		record_switch(c, preempt, prev, next, state,
			      prev->pid ? cause_of(c, preempt, prev, next, state) : CAUSES, s0);
	e = next_entry(c);
	e->class = CLASSES;
	if (c->since) {
		end_holding(c, s0);
		log_phases(c, e);
		if (c->holder == HOLDER_WORKER)
			switch_out(c, e, preempt, prev, next, state, s0);
	}
	c->switches++;
	c->class = class_of(prev, next);
	c->picked = c->entry != 0;
	c->pick = short_time(s0 - c->entry);
	c->entry = 0;
	c->exit = 0;
	c->asked = 0;
	c->wakes = 0;
	hand_over(c, e, next, s0);
	end_entry(c);
	s1 = bpf_ktime_get_ns();
	c->since = s1;
	c->self += s1 - s0;
	return 0;
}

SEC("tp_btf/sched_entry_tp")
int BPF_PROG(st_entry)
{
	struct core *c = this_core();

	if (!c)
		return 0;
	/* Brings the page into the TLB before the stamp, not within the phase. */
	barrier_var(c->entry);
	c->entry = bpf_ktime_get_ns();
	return 0;
}

/*
 * Fires without a switch too: then the last switch has its stamp already, and
 * the entry stamp belongs to nothing.
 */
static __always_inline int switch_ends(u64 x0)
{
	struct core *c = this_core();

	if (!c)
		return 0;
	if (!c->exit) {
		c->exit = x0;
		return 0;
	}
	c->entry = 0;
	if (c->asked && !(bpf_get_current_task_btf()->thread_info.flags & resched_flags()))
		c->asked = 0; /* the scheduler chose the same task again */
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int BPF_PROG(st_exit)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Before 6.15: attached to finish_task_switch, by its name in kallsyms. */
SEC("kprobe")
int st_finish(void *ctx)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Runs on the waker's core; the marks belong to the core that the task joins. */
static __always_inline int runnable(struct task_struct *p)
{
	u32 cpu = task_cpu(p), slot;
	struct core *c = bpf_map_lookup_elem(&st_cores, &cpu);
	struct worker *w = worker_of(p, &slot);

	if (c && c->task != (u64)p) /* who holds the core already takes it from nobody */
		note_woken(c, p->pid);
	if (recording && p != bpf_get_current_task_btf())
		record_wakeup(p, cpu);
	/* One that was preempted on its way to block waits since then. */
	if (!w || w->runnable || w->held)
		return 0;
	if (!throttles_tasks() && in_throttled_group(p))
		w->held = bpf_ktime_get_ns();
	else
		w->runnable = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(st_wakeup, struct task_struct *p)
{
	return runnable(p);
}

/*
 * A task is born here, but since 7.0, where tracepoints are guarded by SRCU
 * instead of disabled preemption, this program can be preempted, and then the
 * kernel skips it for whoever forks on that core meanwhile. So st_wakeup_new,
 * which runs with interrupts off and cannot be skipped, sees to who was missed
 * here, and counts who finds no place.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(st_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 slot;
	struct worker *w = worker_of(child, &slot);

	if (w) { /* the end of who had this address before was not seen */
		let_go(w, 0);
		free_slot(slot);
		__sync_fetch_and_add(&st_totals.dropped_tasks, 1);
	}
	w = worker_of(parent, &slot);
	if (w && w->children)
		adopt(child, w->children, w->children == FOLLOW_COUNTED);
	return 0;
}

/* The parent is current. A worker thread of io_uring has no sched_process_fork. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(st_wakeup_new, struct task_struct *child)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct worker *w;
	u32 slot;

	w = worker_of(parent, &slot);

	if (recording)
		record_name(child, child->comm, parent->pid, bpf_ktime_get_ns());
	if (w && w->children && adopt(child, w->children, w->children == FOLLOW_COUNTED))
		__sync_fetch_and_add(&st_totals.map_full, 1);
	return runnable(child);
}

/* Attached only when recording; an execution renames its task too. */
SEC("tp_btf/task_rename")
int BPF_PROG(st_rename, struct task_struct *p, const char *comm)
{
	return recording ? record_rename(p, comm) : 0;
}

/* A thread that executes a program takes over the tid of its process's first thread (de_thread). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(st_exec, struct task_struct *p, int old_pid)
{
	struct worker *w;
	u32 slot;

	if (old_pid == p->pid)
		return 0;
	w = worker_of(p, &slot);
	if (w)
		w->tid = p->pid;
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(st_process_exit, struct task_struct *p)
{
	u32 slot;
	struct worker *w = worker_of(p, &slot);

	if (w && !w->exit) {
		w->exit = bpf_ktime_get_ns();
		__sync_fetch_and_add(&st_places.leaving, 1);
	}
	return 0;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(st_tick, struct hrtimer *timer)
{
	struct task_struct *current = bpf_get_current_task_btf();
	u32 kind = kind_of_timer((u64)timer->function);
	struct core *c;

	if (kind == TIMER_PLAIN && (st_totals.resched_flags || current->pid))
		return 0;
	c = this_core();
	if (c)
		timer_begins(c, (u64)timer, kind, current->thread_info.flags);
	return 0;
}

/* The timer itself may be gone by now. */
SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(st_tick_end, struct hrtimer *timer)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct core *c = this_core();

	if (c && (c->timer == (u64)timer || c->ticker == (u64)timer))
		timer_ends(c, (u64)timer, !current->pid, current->thread_info.flags);
	return 0;
}

/*
 * Copies this core's data to the shadow and starts its maxima anew. Never
 * attached: the collector runs it on each core in turn, so that no switch can come
 * between: on another core than its own from an interrupt, on its own with preemption off.
 * There a tick can come between, and be in the copy by half.
 */
SEC("raw_tp")
int st_snapshot(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id(), zero = 0, i;
	struct core *c = this_core();
	struct sums *sums = bpf_map_lookup_elem(&st_sums, &cpu);
	struct snapshot *s = bpf_map_lookup_elem(&st_shadow, &zero);
	struct task_struct *current = bpf_get_current_task_btf();
	struct raw *r;
	struct worker *w;

	if (!c || !s || !sums)
		return 1;
	if (!c->since)
		first_holder(c, current, bpf_ktime_get_ns());
	else if (c->exit && c->task != (u64)current)
		find_holder(c, current, bpf_ktime_get_ns());
	flush(c);
	if (recording) {
		r = this_raw();
		if (!r)
			return 1;
		send_name(r);
		r->out.sending = 1; /* so that sent divides the wakeups into earlier and later ones */
		barrier();
		s->sent = bpf_ktime_get_ns();
		send_events(r);
		s->lost = r->out.lost + r->missed - r->said;
	}
	if (bpf_probe_read_kernel(&s->core, sizeof(s->core), c) ||
	    bpf_probe_read_kernel(&s->sums, sizeof(s->sums), sums))
		return 2;
	s->now = bpf_ktime_get_ns();
	w = worker_at(c->slot);
	if (w && c->holder == HOLDER_WORKER) {
		s->held = w->on_cpu;
		s->born = w->born;
	}
	for (i = 0; i < CLASSES; i++) {
		sums->classes[i].pick_max = 0;
		sums->classes[i].switch_max = 0;
		sums->classes[i].cost_max = 0;
	}
	for (i = 0; i < CAUSES; i++)
		sums->ended[i].max = 0;
	sums->wait.max = 0;
	sums->lives.start.max = 0;
	sums->lives.run.max = 0;
	sums->lives.end.max = 0;
	return 0;
}

/* How many places are made at once. */
#define FILL 128

/* Makes places for watched tasks, the lowest last. The collector runs it until there are all. */
SEC("raw_tp")
int st_fill(void *ctx)
{
	u32 i, slot;

	for (i = 0; i < FILL && st_places.filled < most_tasks; i++) {
		st_places.filled++;
		slot = most_tasks - st_places.filled;
		if (bpf_map_push_elem(&st_free, &slot, BPF_ANY))
			return 1;
	}
	return 0;
}

/* The place of a task among those wanted, WANTED if it is none. Not static: see add_entry. */
__noinline u32 wanted_place(u32 tid)
{
	u32 i;

	for (i = 0; i < WANTED && st_wanted[i].tid; i++)
		if (st_wanted[i].tid == tid)
			return i;
	return WANTED;
}

/* Watches a task if the collector wants it. */
static __always_inline int watch(struct task_struct *t)
{
	struct wanted *wanted;
	struct worker *w;
	u32 i, slot;

	/* One that ends can have made its last switch, and nothing would end its record. */
	if (t->flags & PF_EXITING)
		return 0;
	i = wanted_place(t->pid);
	if (i >= WANTED)
		return 0;
	wanted = &st_wanted[i];
	if (worker_of(t, &slot)) {
		wanted->state = WATCHING_ALREADY;
		return 0;
	}
	adopt(t, wanted->children, 0);
	w = worker_of(t, &slot);
	wanted->state = w ? WATCHING : WATCHING_NO_ROOM;
	if (w) {
		wanted->slot = slot;
		wanted->born = w->born;
	}
	return 0;
}

/* What an iterator over all tasks passes: a union with a u64 of each in the kernel. */
struct iter_task {
	void *meta;
	struct task_struct *task; /* NULL: that was all */
};

/*
 * The collector knows a task by its tid, at that moment. The iterator brings its
 * address; it needs no privilege that the other programs do not.
 */
SEC("iter/task")
int st_watch(struct iter_task *ctx)
{
	struct task_struct *t = ctx->task;

	return t ? watch(t) : 0;
}
