/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What a core does from one switch to the next. */

#include "classify.h"
#include "core_fixes.h"
#include "index.h"
#include "log.h"
#include "maps.h"
#include "record.h"
#include "task.h"
#include "ticks.h"
#include "why.h"

const volatile bool switch_ends_timed = false; /* there is a hook at the end of the switch phase */

static __always_inline u64 why_now(void)
{
	return bpf_ktime_get_ns();
}

static __always_inline bool why_wants(struct task_struct *t)
{
	return true; /* all that are watched */
}

static __always_inline bool phases_timed(void)
{
	return switch_ends_timed;
}

static __always_inline void delay_slice(struct cpu_state *c, u64 by)
{
	c->bookkeeping_ns += by;
	c->slice_start += by;
	if (c->exit_stamp) /* the switch phase, which ends there, stays as long */
		c->exit_stamp += by;
}

/* Ends the slice of a watched task. */
static __always_inline void switch_out(struct cpu_state *c, struct log_entry *e, bool preempt,
				       struct task_struct *prev, struct task_struct *next, u32 state, u64 s0)
{
	u32 slot = c->slot, cause;
	struct watched_task *w = watched_at(slot);
	u64 slice = s0 - c->slice_start;

	if (!w)
		return;
	cause = cause_of(c, preempt, prev, next, state);
	w->on_cpu += slice;
	w->slices[cause]++;
	if (why)
		why_leaves(w, slot, cause, state, next, s0);
	if (cause == ENDED_THROTTLED) {
		w->throttled_since = s0;
		w->runnable_since = 0; /* it can have been woken while it ran */
	} else {
		w->runnable_since = cause >= ENDED_TICK || !task_state(prev) ? s0 : 0;
	}
	if (slice) { /* 0: its beginning was not seen */
		e->slice_ns = slice;
		e->cause = cause;
	}
	if (cause == ENDED_EXITED)
		retire(w, prev, slot, s0);
}

/* Ends the wait of a watched task. */
static __always_inline void switch_in(struct cpu_state *c, struct log_entry *e, struct watched_task *w, u64 now)
{
	u64 since = w->throttled_since ? w->throttled_since : w->runnable_since;
	u32 cpu = bpf_get_smp_processor_id();
	u64 waited;

	if (why) {
		pair_returns(w, c->slot, w->runnable_since ? elapsed(w->runnable_since, now) : 0);
		if (!w->left && since) /* a new task, or one that was watched while it slept */
			note_leaving(w, ENDED_OTHER, 0, since);
		note_return(c, w, since ? elapsed(since, now) : 0, now);
	}
	if (w->cpu != cpu) {
		if (w->cpu == NO_CPU)
			w->first = now;
		else
			w->migrations++;
		w->cpu = cpu;
	}
	if (!w->runnable_since) {
		if (w->throttled_since) {
			w->throttled += elapsed(w->throttled_since, now);
			w->throttled_since = 0;
		}
		return;
	}
	waited = elapsed(w->runnable_since, now);
	w->runnable_since = 0;
	w->wait += waited;
	raise(&w->wait_max, waited);
	e->wait_ns = waited;
	e->wait_valid = 1;
}

/* Notes which task runs on the core from now on. */
static __always_inline void hand_over(struct cpu_state *c, struct log_entry *e, struct task_struct *next, u64 now)
{
	struct watched_task *w;
	u32 slot;

	c->task = (u64)next;
	c->nvcsw = ~0ULL;
	if (why)
		c->away = 0;
	if (!next->pid) {
		c->occupant = OCCUPANT_IDLE;
		return;
	}
	c->occupant = OCCUPANT_OTHER;
	c->nvcsw = recording ? next->nvcsw : ~0ULL;
	w = find_watched(next, &slot);
	if (!w)
		return;
	c->occupant = OCCUPANT_WATCHED;
	c->slot = slot;
	c->nvcsw = next->nvcsw;
	switch_in(c, e, w, now);
}

/*
 * A kernel may hide tasks from tracing: then no hook fires while such a task is current,
 * and the switch away from it is not seen. The task that took the core from it has left
 * its own sched_exit_tp stamp, the first since the hidden task came. Its slice is counted
 * from there.
 */
static __noinline int find_occupant(struct cpu_state *c, struct task_struct *occupant, u64 now)
{
	u64 from = c->exit_stamp ? c->exit_stamp : now;
	struct watched_task *w = c->occupant == OCCUPANT_WATCHED ? watched_at(c->slot) : NULL;
	struct log_entry *e = next_entry(c);

	charge_occupant(c, from);
	if (w) /* a hidden task can be watched too; how its slice ended is not known */
		w->on_cpu += from - c->slice_start;
	c->exit_stamp = 0; /* the stamp did not end the switch to the hidden task */
	log_phases(c, e);
	if (recording)
		save_phases(c);
	c->class = CLASSES;
	c->exit_stamp = from;
	c->slice_start = from;
	c->hidden_switches++;
	c->tick_asked = 0; /* it is not known whether the hidden task was meant */
	hand_over(c, e, occupant, from);
	c->nvcsw = ~0ULL; /* the kernel may have counted the switch under way */
	end_entry(c);
	return 0;
}

/* A core that has not switched since attaching: its account begins now. */
static __noinline int first_occupant(struct cpu_state *c, struct task_struct *occupant, u64 now)
{
	struct log_entry *e = next_entry(c);

	e->class = CLASSES;
	c->class = CLASSES;
	c->exit_stamp = now;
	c->slice_start = now;
	hand_over(c, e, occupant, now);
	end_entry(c);
	return 0;
}

/* Runs on the waker's core. The wakeup is noted on the core that the task joins. */
static __always_inline int becomes_runnable(struct task_struct *p)
{
	u32 cpu = task_cpu(p), slot;
	struct cpu_state *c = bpf_map_lookup_elem(&st_cpus, &cpu);
	struct watched_task *w = find_watched(p, &slot);

	if (c && c->task != (u64)p) /* the task that runs there already cannot preempt itself */
		note_woken(c, p->pid);
	if (recording && p != bpf_get_current_task_btf())
		record_wakeup(p, cpu);
	/* A task that was preempted on its way to block has waited since then. */
	if (!w || w->runnable_since || w->throttled_since)
		return 0;
	if (!throttles_tasks() && in_throttled_group(p))
		w->throttled_since = bpf_ktime_get_ns();
	else
		w->runnable_since = bpf_ktime_get_ns();
	return 0;
}
