/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Whose time a core's time is. */

#include "causes.h"
#include "core_fixes.h"
#include "maps.h"
#include "record.h"
#include "sums.h"

/* A cell needs no clearing. */
static __always_inline void forget_slot(u64 key)
{
	if (bpf_map_lookup_elem(&st_overflow, &key) && bpf_map_delete_elem(&st_overflow, &key))
		__sync_fetch_and_add(&st_places.lost, 1);
}

/* Whether another watched task than key has this cell by right. */
static __always_inline int is_taken(u32 cell, u64 key)
{
	struct worker *w = cell ? worker_at(cell - 1) : NULL;

	return w && w->key > KEY_ENDED && w->key != key && cell_number(w->key) == cell_number(key);
}

/* Enters a task, whose key stands in its slot already. */
static __always_inline int note_slot(u64 key, u32 slot)
{
	u32 number = cell_number(key), *cell = cell_at(number), taken;
	u64 lock = CELL_LOCK(number);

	if (!cell)
		return -1;
	if (!bpf_map_update_elem(&st_overflow, &lock, &slot, BPF_NOEXIST)) {
		taken = is_taken(*cell, key);
		if (!taken)
			*cell = slot + 1;
		bpf_map_delete_elem(&st_overflow, &lock);
		if (!taken)
			return 0;
	}
	if (bpf_map_update_elem(&st_overflow, &key, &slot, BPF_ANY))
		return -1;
	if (!*cell) /* its new owner is about to write it: 0 would deny us until then */
		*cell = slot + 1;
	return 0;
}

static __always_inline void free_slot(u32 slot)
{
	if (bpf_map_push_elem(&st_free, &slot, BPF_ANY))
		__sync_fetch_and_add(&st_places.lost, 1);
}

/* Where no place is free, that of the task that ended first and that nobody has read of. */
static __always_inline int take_slot(u32 *slot)
{
	struct worker *w;

	if (bpf_map_pop_elem(&st_free, slot)) {
		if (bpf_map_pop_elem(&st_ended, slot))
			return -1;
		__sync_fetch_and_add(&st_totals.dropped_tasks, 1);
	}
	w = worker_at(*slot);
	if (w && !w->born)
		__sync_fetch_and_add(&st_places.used, 1);
	return 0;
}

/* A record is of no living task any more: its key is 0, or KEY_ENDED where it is kept for the reader. */
static __always_inline void let_go(struct worker *w, u64 mark)
{
	u64 key = w->key;

	if (w->counted)
		__sync_fetch_and_add(&st_places.counted, -1);
	if (w->exit)
		__sync_fetch_and_add(&st_places.leaving, -1);
	w->key = mark;
	forget_slot(key);
}

/* Begins to watch a task, if that is not so yet. Fails where there is no place. */
static __noinline int adopt(struct task_struct *t, u8 children, u8 counted)
{
	struct worker fresh = {};
	u32 slot;

	if (worker_of(t, &slot))
		return 0;
	if (take_slot(&slot))
		return -1;
	fresh.cpu = NO_CPU;
	fresh.born = bpf_ktime_get_ns();
	fresh.key = key_of(t);
	fresh.tid = t->pid;
	fresh.tgid = t->tgid;
	fresh.children = children;
	fresh.counted = counted;
	if (!bpf_map_update_elem(&st_workers, &slot, &fresh, BPF_ANY) && !note_slot(fresh.key, slot)) {
		if (counted)
			__sync_fetch_and_add(&st_places.counted, 1);
		return 0;
	}
	fresh.key = 0;
	bpf_map_update_elem(&st_workers, &slot, &fresh, BPF_ANY);
	free_slot(slot);
	return -1;
}

/* Stamps of one task can be of two cores, whose clocks differ a little. */
static __always_inline u64 later(u64 then, u64 now)
{
	return now > then ? now - then : 0;
}

static __noinline int count_life(struct worker *w, struct task_struct *t, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct sums *s = bpf_map_lookup_elem(&st_sums, &cpu);
	struct lives *l;
	u64 voluntary = w->ended[ENDED_BLOCKED] + w->ended[ENDED_EXITED];
	u64 involuntary = w->ended[ENDED_TICK] + w->ended[ENDED_WAKEUP] +
			  w->ended[ENDED_YIELD] + w->ended[ENDED_OTHER] + w->ended[ENDED_THROTTLED];

	if (!s)
		return 0;
	l = &s->lives;
	l->tasks++;
	if (voluntary == t->nvcsw && involuntary == t->nivcsw)
		l->reconciled++;
	l->on_cpu += w->on_cpu;
	l->wait += w->wait;
	l->throttled += w->throttled;
	age_add(&l->start, later(w->born, w->first));
	if (!w->exit) /* st_process_exit was skipped, as st_fork can be */
		return 0;
	age_add(&l->run, later(w->first, w->exit));
	age_add(&l->end, later(w->exit, now));
	return 0;
}

static __always_inline void fill_last(struct last *l, struct task_struct *t)
{
	l->nvcsw = t->nvcsw;
	l->nivcsw = t->nivcsw;
	bpf_probe_read_kernel(l->comm, sizeof(l->comm), t->comm);
}

/* Keeps the record of a task that ended where it is, until it is read. */
static __noinline int keep_record(struct worker *w, struct task_struct *t, u32 slot)
{
	struct last *l = bpf_map_lookup_elem(&st_last, &slot);

	if (l)
		fill_last(l, t);
	let_go(w, KEY_ENDED);
	if (!bpf_map_push_elem(&st_ended, &slot, BPF_ANY))
		return 0;
	w->key = 0;
	__sync_fetch_and_add(&st_totals.dropped_tasks, 1);
	free_slot(slot);
	return 0;
}

/* The last switch of a watched task, whose record goes to the collector. */
static __noinline int retire(struct worker *w, struct task_struct *t, u32 slot, u64 now)
{
	struct obituary *o;

	if (w->counted) {
		count_life(w, t, now);
	} else {
		o = bpf_ringbuf_reserve(&st_ring, sizeof(*o), 0);
		if (!o)
			return keep_record(w, t, slot);
		o->record = RECORD_OBITUARY;
		o->slot = slot;
		o->worker = *w;
		fill_last(&o->last, t);
		bpf_ringbuf_submit(o, ring_flags());
	}
	let_go(w, 0);
	free_slot(slot);
	return 0;
}

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
