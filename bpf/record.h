/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Recording: every switch and wakeup goes into the ring, in blocks of BLOCK_EVENTS. */

#include "core_fixes.h"
#include "log.h"
#include "maps.h"

static __always_inline struct event_buf *this_event_buf(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_event_bufs, &cpu);
}

/*
 * Moves the wakeups that came while events were being sent to out. There is room, since out
 * was emptied then, and this is done before the next event is added.
 */
static __noinline int take_late(struct event_buf *b)
{
	u32 i;

	if (!b)
		return 0;
	/* Not unrolled, since every program that records contains it. */
#pragma clang loop unroll(disable)
	for (i = 0; i < LATE_EVENTS && b->late_tail != *(volatile u32 *)&b->late_head; i++) {
		b->out.event[b->out.count % BLOCK_EVENTS] = b->late[b->late_tail % LATE_EVENTS];
		b->out.count++;
		b->late_tail++;
	}
	return 0;
}

/*
 * Sends the events that there are. Events that find no room are counted, and reported with
 * the next block. A snapshot of the reader's own core sends with interrupts on: wakeups
 * from interrupts that come meanwhile go into late.
 */
static __noinline int send_events(struct event_buf *b)
{
	u32 count, missed;

	if (!b)
		return 0;
	b->out.sending = 1;
	barrier();
	missed = *(volatile u32 *)&b->missed;
	b->out.lost += missed - b->missed_sent;
	b->missed_sent = missed;
	count = b->out.count;
	if (count || b->out.pending_phases || b->out.lost) {
		b->out.record = RECORD_EVENTS;
		b->out.cpu = bpf_get_smp_processor_id();
		if (bpf_ringbuf_output(&st_ring, &b->out, sizeof(b->out), ring_flags(&st_ring, ring_bytes)))
			b->out.lost += count;
		else
			b->out.lost = 0;
		b->out.count = 0;
	}
	take_late(b);
	barrier();
	b->out.sending = 0;
	return 0;
}

static __always_inline struct event *next_event(struct event_buf *b)
{
	/* From an interrupt between take_late and the end of sending. */
	if (b->late_tail != b->late_head)
		take_late(b);
	return &b->out.event[b->out.count % BLOCK_EVENTS];
}

static __always_inline void end_event(struct event_buf *b)
{
	b->out.count++;
	if (b->out.count >= BLOCK_EVENTS)
		send_events(b);
}

/*
 * Sends the last name that the running task gave itself. No event can tell its names apart
 * until the task leaves the core. So after RENAMES_AT_ONCE names only the last is sent:
 * a task that never stops renaming itself would fill the ring.
 */
static __noinline int send_name(struct event_buf *b)
{
	if (!b || !b->out.name_pending || b->out.name_busy)
		return 0;
	b->out.name_pending = 0;
	if (bpf_ringbuf_output(&st_ring, &b->name, sizeof(b->name), ring_flags(&st_ring, ring_bytes)))
		__sync_fetch_and_add(&st_globals.lost_names, 1);
	return 0;
}

/* Keeps the phases of the last switch for the next event: they are complete, or will never be. */
static __noinline int save_phases(struct cpu_state *c)
{
	struct event_buf *b = this_event_buf();

	if (!b)
		return 0;
	b->out.pending_phases = 1;
	b->out.class = c->class;
	b->out.pick_ns = c->pick_ns;
	b->out.switch_ns = short_time(c->exit_stamp - c->slice_start);
	b->out.flags = (c->pick_valid ? EVENT_PICK_VALID : 0) | (c->exit_stamp ? EVENT_SWITCH_VALID : 0);
	return 0;
}

static __always_inline void name_task(struct task_name *n, struct task_struct *p, const char *comm, u32 parent,
				      u64 time)
{
	n->record = RECORD_TASK_NAME;
	n->tid = p->pid;
	n->tgid = p->tgid;
	n->parent = parent;
	n->time = time;
	bpf_probe_read_kernel_str(n->comm, sizeof(n->comm), comm);
}

/* Sends a name at once. */
static __noinline int record_name(struct task_struct *p, const char *comm, u32 parent, u64 time)
{
	struct task_name *n = bpf_ringbuf_reserve(&st_ring, sizeof(*n), 0);

	if (!n) {
		__sync_fetch_and_add(&st_globals.lost_names, 1);
		return 0;
	}
	name_task(n, p, comm, parent, time);
	bpf_ringbuf_submit(n, ring_flags(&st_ring, ring_bytes));
	return 0;
}

static __always_inline void record_switch(struct cpu_state *c, bool preempt, struct task_struct *prev,
					  struct task_struct *next, u32 state, u32 cause, u64 s0)
{
	struct event_buf *b = this_event_buf();
	struct event *e;

	if (!b)
		return;
	if (b->out.renames) {
		send_name(b);
		b->out.renames = 0;
	}
	if (c->slice_start && !b->out.pending_phases)
		save_phases(c);
	/*
	 * Tasks that are older than the recording are looked for in /proc. A parent can have
	 * taken a task from there before the task's last switch.
	 */
	if (next->exit_state)
		record_name(next, next->comm, 0, s0);
	if (!c->slice_start && prev->exit_state)
		record_name(prev, prev->comm, 0, s0);
	e = next_event(b);
	e->time = s0;
	e->slice_start = c->slice_start;
	e->prev = prev->pid;
	e->next = next->pid;
	e->pick_ns = b->out.pick_ns;
	e->switch_ns = b->out.switch_ns;
	e->class = b->out.pending_phases ? b->out.class : CLASSES;
	e->flags = (b->out.pending_phases ? b->out.flags : 0) | (preempt ? EVENT_PREEMPT : 0);
	e->state = state;
	e->cause = cause;
	e->cpu = 0;
	b->out.pending_phases = 0;
	end_event(b);
}

/*
 * Wakeups come with interrupts off, as switches do, so a core's events have one writer. (The
 * exception is a task that wakes itself, which is not recorded as a wakeup.)
 */
static __always_inline void record_wakeup(struct task_struct *p, u32 cpu)
{
	struct event_buf *b = this_event_buf();
	struct event *e;
	bool late;

	if (!b)
		return;
	late = b->out.sending;
	if (!late)
		e = next_event(b);
	else if (b->late_head - b->late_tail < LATE_EVENTS)
		e = &b->late[b->late_head % LATE_EVENTS];
	else {
		b->missed++;
		return;
	}
	e->time = bpf_ktime_get_ns();
	e->slice_start = 0;
	e->prev = 0;
	e->next = p->pid;
	e->flags = EVENT_WAKEUP;
	e->cpu = cpu;
	if (late)
		b->late_head++;
	else
		end_event(b);
}

/*
 * Since 7.0 a task that renames itself can be preempted here. Then another task that does so
 * on this core meanwhile finds name_busy set, and sends its name at once.
 */
static __noinline int record_rename(struct task_struct *p, const char *comm)
{
	struct event_buf *b = this_event_buf();

	if (!b || b->out.name_busy || p != bpf_get_current_task_btf())
		return record_name(p, comm, 0, bpf_ktime_get_ns());
	if (b->out.renames < RENAMES_AT_ONCE) {
		b->out.renames++;
		return record_name(p, comm, 0, bpf_ktime_get_ns());
	}
	if (b->name.tid != (u32)p->pid) /* a name that was left by a task whose end the kernel hid */
		send_name(b);
	b->out.name_busy = 1;
	barrier();
	name_task(&b->name, p, comm, 0, bpf_ktime_get_ns());
	barrier();
	b->out.name_pending = 1;
	b->out.renames = RENAMES_AT_ONCE; /* so that the next switch sends it */
	b->out.name_busy = 0;
	return 0;
}
