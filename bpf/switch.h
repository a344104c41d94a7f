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

static __always_inline void switch_out(struct core *c, struct entry *e, bool preempt,
				       struct task_struct *prev, struct task_struct *next, u32 state, u64 s0)
{
	u32 slot = c->slot, cause;
	struct worker *w = worker_at(slot);
	u64 slice = s0 - c->since;

	if (!w)
		return;
	cause = cause_of(c, preempt, prev, next, state);
	w->on_cpu += slice;
	w->ended[cause]++;
	if (cause == ENDED_THROTTLED) {
		w->held = s0;
		w->runnable = 0; /* it can have been woken while it ran */
	} else {
		w->runnable = cause >= ENDED_TICK || !task_state(prev) ? s0 : 0;
	}
	if (slice) { /* else its begin was not seen */
		e->slice = slice;
		e->cause = cause;
	}
	if (cause == ENDED_EXITED)
		retire(w, prev, slot, s0);
}

static __always_inline void switch_in(struct entry *e, struct worker *w, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 waited;

	if (w->cpu != cpu) {
		if (w->cpu == NO_CPU)
			w->first = now;
		else
			w->migrations++;
		w->cpu = cpu;
	}
	if (!w->runnable) {
		if (w->held) {
			w->throttled += later(w->held, now);
			w->held = 0;
		}
		return;
	}
	waited = later(w->runnable, now);
	w->runnable = 0;
	w->wait += waited;
	raise(&w->wait_max, waited);
	e->wait = waited;
	e->waited = 1;
}

/* Notes who holds the core from now on. */
static __always_inline void hand_over(struct core *c, struct entry *e, struct task_struct *next, u64 now)
{
	struct worker *w;
	u32 slot;

	c->task = (u64)next;
	c->nvcsw = ~0ULL;
	if (!next->pid) {
		c->holder = HOLDER_IDLE;
		return;
	}
	c->holder = HOLDER_OTHER;
	c->nvcsw = recording ? next->nvcsw : ~0ULL;
	w = worker_of(next, &slot);
	if (!w)
		return;
	c->holder = HOLDER_WORKER;
	c->slot = slot;
	c->nvcsw = next->nvcsw;
	switch_in(e, w, now);
}

static __always_inline void end_holding(struct core *c, u64 now)
{
	u32 holder = c->holder;

	if (holder < HOLDERS)
		c->time[holder] += now - c->since;
}

/*
 * A kernel may hide tasks from tracing: then no hook fires while one is
 * current, and the switch away from it is not seen. The task that took the
 * core from it has left its own sched_exit_tp stamp, the first since the
 * hidden one came, and from there its slice is counted.
 */
static __noinline int find_holder(struct core *c, struct task_struct *holder, u64 now)
{
	u64 from = c->exit ? c->exit : now;
	struct worker *w = c->holder == HOLDER_WORKER ? worker_at(c->slot) : NULL;
	struct entry *e = next_entry(c);

	end_holding(c, from);
	if (w) /* a hidden one can be watched too; how its slice ended is not known */
		w->on_cpu += from - c->since;
	c->exit = 0; /* it did not end the switch to the hidden task */
	log_phases(c, e);
	if (recording)
		stash_phases(c);
	c->class = CLASSES;
	c->exit = from;
	c->since = from;
	c->unseen++;
	c->asked = 0; /* of whom, is not known */
	hand_over(c, e, holder, from);
	c->nvcsw = ~0ULL; /* the kernel may have counted the switch under way */
	end_entry(c);
	return 0;
}

/* A core that has not switched since attaching: its account begins now. */
static __noinline int first_holder(struct core *c, struct task_struct *holder, u64 now)
{
	struct entry *e = next_entry(c);

	e->class = CLASSES;
	c->class = CLASSES;
	c->exit = now;
	c->since = now;
	hand_over(c, e, holder, now);
	end_entry(c);
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
