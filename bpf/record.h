/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Recording: every switch and wakeup goes into the ring, RAW_EVENTS at a time. */

#include "core_fixes.h"
#include "maps.h"
#include "sums.h"

static __always_inline struct events *this_raw(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_raw, &cpu);
}

/* Sends what there is. What finds no room is counted, and said with the next. */
static __noinline int send_events(struct events *r)
{
	u32 count;

	if (!r || (!r->count && !r->stashed))
		return 0;
	count = r->count;
	r->record = RECORD_EVENTS;
	r->cpu = bpf_get_smp_processor_id();
	if (bpf_ringbuf_output(&st_ring, r, sizeof(*r), ring_flags()))
		r->lost += count;
	else
		r->lost = 0;
	r->count = 0;
	return 0;
}

static __always_inline struct event *next_event(struct events *r)
{
	return &r->event[r->count % RAW_EVENTS];
}

static __always_inline void end_event(struct events *r)
{
	r->count++;
	if (r->count >= RAW_EVENTS)
		send_events(r);
}

/* The phases of the switch before the next are complete, or will never be. */
static __noinline int stash_phases(struct core *c)
{
	struct events *r = this_raw();

	if (!r)
		return 0;
	r->stashed = 1;
	r->class = c->class;
	r->pick = c->pick;
	r->took = short_time(c->exit - c->since);
	r->flags = (c->picked ? EVENT_PICKED : 0) | (c->exit ? EVENT_ENDED : 0);
	return 0;
}

static __always_inline void record_switch(struct core *c, bool preempt, struct task_struct *prev,
					  struct task_struct *next, u32 cause, u64 s0)
{
	struct events *r = this_raw();
	struct event *e;

	if (!r)
		return;
	if (c->since && !r->stashed)
		stash_phases(c);
	e = next_event(r);
	e->time = s0;
	e->since = c->since;
	e->prev = prev->pid;
	e->next = next->pid;
	e->pick = r->pick;
	e->took = r->took;
	e->class = r->stashed ? r->class : CLASSES;
	e->flags = (r->stashed ? r->flags : 0) | (preempt ? EVENT_PREEMPT : 0);
	e->state = task_state(prev);
	e->cause = cause;
	e->cpu = 0;
	r->stashed = 0;
	end_event(r);
}

/*
 * Wakeups come with interrupts off, as switches do, but for a task that wakes
 * itself, which is no wakeup: so a core's events have one writer.
 */
static __always_inline void record_wakeup(struct task_struct *p, u32 cpu)
{
	struct events *r = this_raw();
	struct event *e;

	if (!r || p == bpf_get_current_task_btf())
		return;
	e = next_event(r);
	e->time = bpf_ktime_get_ns();
	e->since = 0;
	e->prev = 0;
	e->next = p->pid;
	e->flags = EVENT_WAKEUP;
	e->cpu = cpu;
	end_event(r);
}

static __always_inline struct task_name *begin_name(struct task_struct *p)
{
	struct task_name *n = bpf_ringbuf_reserve(&st_ring, sizeof(*n), 0);

	if (!n) {
		__sync_fetch_and_add(&st_totals.lost_names, 1);
		return NULL;
	}
	n->record = RECORD_TASK;
	n->tid = p->pid;
	n->tgid = p->tgid;
	n->time = bpf_ktime_get_ns();
	return n;
}

static __noinline int record_task(struct task_struct *p)
{
	struct task_name *n = begin_name(p);

	if (!n)
		return 0;
	bpf_probe_read_kernel(n->comm, sizeof(n->comm), p->comm);
	bpf_ringbuf_submit(n, ring_flags());
	return 0;
}
