/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Recording: every switch and wakeup goes into the ring, RAW_EVENTS at a time. */

#include "core_fixes.h"
#include "maps.h"
#include "sums.h"

static __always_inline struct raw *this_raw(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_raw, &cpu);
}

/*
 * Takes over the wakeups that came while events were being sent. There is room: out was
 * empty then, and this is done before the next event is added.
 */
static __noinline int take_late(struct raw *r)
{
	u32 i;

	if (!r)
		return 0;
	/* Not unrolled: it is in each program that records. */
#pragma clang loop unroll(disable)
	for (i = 0; i < LATE_EVENTS && r->taken != *(volatile u32 *)&r->came; i++) {
		r->out.event[r->out.count % RAW_EVENTS] = r->late[r->taken % LATE_EVENTS];
		r->out.count++;
		r->taken++;
	}
	return 0;
}

/*
 * Sends what there is. What finds no room is counted, and said with the next. A
 * snapshot of the reader's own core sends with interrupts on: the wakeups of those that
 * come meanwhile wait in late.
 */
static __noinline int send_events(struct raw *r)
{
	u32 count, missed;

	if (!r)
		return 0;
	r->out.sending = 1;
	barrier();
	missed = *(volatile u32 *)&r->missed;
	r->out.lost += missed - r->said;
	r->said = missed;
	count = r->out.count;
	if (count || r->out.stashed || r->out.lost) {
		r->out.record = RECORD_EVENTS;
		r->out.cpu = bpf_get_smp_processor_id();
		if (bpf_ringbuf_output(&st_ring, &r->out, sizeof(r->out), ring_flags()))
			r->out.lost += count;
		else
			r->out.lost = 0;
		r->out.count = 0;
	}
	take_late(r);
	barrier();
	r->out.sending = 0;
	return 0;
}

static __always_inline struct event *next_event(struct raw *r)
{
	/* Of an interrupt between the last look for late ones and the end of sending. */
	if (r->taken != r->came)
		take_late(r);
	return &r->out.event[r->out.count % RAW_EVENTS];
}

static __always_inline void end_event(struct raw *r)
{
	r->out.count++;
	if (r->out.count >= RAW_EVENTS)
		send_events(r);
}

/*
 * Sends the name that the running task gave itself last. Until it leaves the core no
 * event tells its names apart, so that after some they need not be sent each: one that
 * never stops renaming itself would fill the ring.
 */
static __noinline int send_name(struct raw *r)
{
	if (!r || !r->out.named || r->out.naming)
		return 0;
	r->out.named = 0;
	if (bpf_ringbuf_output(&st_ring, &r->name, sizeof(r->name), ring_flags()))
		__sync_fetch_and_add(&st_totals.lost_names, 1);
	return 0;
}

/* The phases of the switch before the next are complete, or will never be. */
static __noinline int stash_phases(struct core *c)
{
	struct raw *r = this_raw();

	if (!r)
		return 0;
	r->out.stashed = 1;
	r->out.class = c->class;
	r->out.pick = c->pick;
	r->out.took = short_time(c->exit - c->since);
	r->out.flags = (c->picked ? EVENT_PICKED : 0) | (c->exit ? EVENT_ENDED : 0);
	return 0;
}

static __always_inline void name_task(struct task_name *n, struct task_struct *p, const char *comm, u32 parent,
				      u64 time)
{
	n->record = RECORD_TASK;
	n->tid = p->pid;
	n->tgid = p->tgid;
	n->parent = parent;
	n->time = time;
	bpf_probe_read_kernel_str(n->comm, sizeof(n->comm), comm);
}

/* Into the ring at once. */
static __noinline int record_name(struct task_struct *p, const char *comm, u32 parent, u64 time)
{
	struct task_name *n = bpf_ringbuf_reserve(&st_ring, sizeof(*n), 0);

	if (!n) {
		__sync_fetch_and_add(&st_totals.lost_names, 1);
		return 0;
	}
	name_task(n, p, comm, parent, time);
	bpf_ringbuf_submit(n, ring_flags());
	return 0;
}

static __always_inline void record_switch(struct core *c, bool preempt, struct task_struct *prev,
					  struct task_struct *next, u32 state, u32 cause, u64 s0)
{
	struct raw *r = this_raw();
	struct event *e;

	if (!r)
		return;
	if (r->out.renames) {
		send_name(r);
		r->out.renames = 0;
	}
	if (c->since && !r->out.stashed)
		stash_phases(c);
	/*
	 * Whoever is older than the recording is looked for in /proc, but from there a
	 * parent can have taken a task before the task's last switch.
	 */
	if (next->exit_state)
		record_name(next, next->comm, 0, s0);
	if (!c->since && prev->exit_state)
		record_name(prev, prev->comm, 0, s0);
	e = next_event(r);
	e->time = s0;
	e->since = c->since;
	e->prev = prev->pid;
	e->next = next->pid;
	e->pick = r->out.pick;
	e->took = r->out.took;
	e->class = r->out.stashed ? r->out.class : CLASSES;
	e->flags = (r->out.stashed ? r->out.flags : 0) | (preempt ? EVENT_PREEMPT : 0);
	e->state = state;
	e->cause = cause;
	e->cpu = 0;
	r->out.stashed = 0;
	end_event(r);
}

/*
 * Wakeups come with interrupts off, as switches do, but for a task that wakes
 * itself, which is no wakeup: so a core's events have one writer.
 */
static __always_inline void record_wakeup(struct task_struct *p, u32 cpu)
{
	struct raw *r = this_raw();
	struct event *e;
	bool late;

	if (!r)
		return;
	late = r->out.sending;
	if (!late)
		e = next_event(r);
	else if (r->came - r->taken < LATE_EVENTS)
		e = &r->late[r->came % LATE_EVENTS];
	else {
		r->missed++;
		return;
	}
	e->time = bpf_ktime_get_ns();
	e->since = 0;
	e->prev = 0;
	e->next = p->pid;
	e->flags = EVENT_WAKEUP;
	e->cpu = cpu;
	if (late)
		r->came++;
	else
		end_event(r);
}

/*
 * Since 7.0 whoever renames itself can be preempted here; then another that does so on
 * that core meanwhile finds the place taken.
 */
static __noinline int record_rename(struct task_struct *p, const char *comm)
{
	struct raw *r = this_raw();

	if (!r || r->out.naming || p != bpf_get_current_task_btf())
		return record_name(p, comm, 0, bpf_ktime_get_ns());
	if (r->out.renames < RENAMES_AT_ONCE) {
		r->out.renames++;
		return record_name(p, comm, 0, bpf_ktime_get_ns());
	}
	if (r->name.tid != (u32)p->pid) /* of a task whose end the kernel hid */
		send_name(r);
	r->out.naming = 1;
	barrier();
	name_task(&r->name, p, comm, 0, bpf_ktime_get_ns());
	barrier();
	r->out.named = 1;
	r->out.renames = RENAMES_AT_ONCE; /* so that the next switch sends it */
	r->out.naming = 0;
	return 0;
}
