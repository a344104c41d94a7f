/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Whose time a core's time is, and why a slice ended. */

#include "core_fixes.h"
#include "maps.h"
#include "record.h"
#include "sums.h"

/*
 * A task that exits has dropped its mm but still stands in it as active_mm, so
 * prev is judged by the address space that is loaded.
 */
static __always_inline u32 class_of(struct task_struct *prev, struct task_struct *next)
{
	if (!prev->pid)
		return CLASS_IDLE_OUT;
	if (!next->pid)
		return CLASS_IDLE_IN;
	if ((prev->flags | next->flags) & PF_KTHREAD)
		return CLASS_KERNEL;
	return prev->active_mm == next->mm ? CLASS_THREAD : CLASS_PROCESS;
}

/*
 * Voluntary exactly as __schedule counts it: not preempted, and not running,
 * or about to block and made running again by a signal: then only the counter,
 * which is raised before the tracepoint, tells it. A tick forgets the wakeups before it, so a wakeup that is still noted came
 * after the tick and names next if it took the core.
 */
static __always_inline u32 cause_of(struct core *c, bool preempt, struct task_struct *prev,
				    struct task_struct *next, u64 s0)
{
	u64 state = task_state(prev);

	if (!preempt && (state || (c->nvcsw != ~0ULL && c->nvcsw != prev->nvcsw)))
		return state & TASK_DEAD ? ENDED_EXITED : ENDED_BLOCKED;
	if (!preempt && task_syscall(prev) == NR_SCHED_YIELD)
		return ENDED_YIELD;
	if (c->woken && c->woken == (u32)next->pid)
		return ENDED_WAKEUP;
	if (c->tick_at && s0 - c->tick_at < tick_recent)
		return ENDED_TICK;
	return ENDED_OTHER;
}

/* A cell needs no clearing. Only if the entry is the task's own: tids can have been exchanged. */
static __always_inline void forget_slot(u32 tid, u32 slot)
{
	u32 *now = bpf_map_lookup_elem(&st_overflow, &tid);

	if (now && *now == slot)
		bpf_map_delete_elem(&st_overflow, &tid);
}

/* Whether another watched task than tid has this cell by right. */
static __always_inline int is_taken(u32 cell, u32 tid)
{
	struct worker *w = cell ? worker_at(cell - 1) : NULL;

	return w && w->tid && w->tid != tid && !((w->tid ^ tid) & index_mask);
}

/* Enters a task, whose tid stands in its slot already. bpf.Index does so too. */
static __always_inline int note_slot(u32 tid, u32 slot)
{
	u32 lock = INDEX_LOCK | (tid & index_mask), taken;
	u32 *cell = cell_of(tid);

	if (!cell)
		return -1;
	if (!bpf_map_update_elem(&st_overflow, &lock, &slot, BPF_NOEXIST)) {
		taken = is_taken(*cell, tid);
		if (!taken)
			*cell = slot + 1;
		bpf_map_delete_elem(&st_overflow, &lock);
		if (!taken)
			return 0;
	}
	if (bpf_map_update_elem(&st_overflow, &tid, &slot, BPF_ANY))
		return -1;
	if (!*cell) /* its new owner is about to write it: 0 would deny us until then */
		*cell = slot + 1;
	return 0;
}

/*
 * A thread that executes a program takes over the tid of its process's first
 * thread, which takes over the thread's (de_thread).
 */
static __noinline int rename(struct worker *w, u32 slot, u32 tid)
{
	if (w->tid == tid)
		return 0;
	forget_slot(w->tid, slot);
	w->tid = tid;
	if (note_slot(tid, slot))
		__sync_fetch_and_add(&st_totals.map_full, 1);
	return 0;
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
			  w->ended[ENDED_YIELD] + w->ended[ENDED_OTHER];

	if (!s)
		return 0;
	l = &s->lives;
	l->tasks++;
	if (voluntary == t->nvcsw && involuntary == t->nivcsw)
		l->reconciled++;
	l->on_cpu += w->on_cpu;
	l->wait += w->wait;
	age_add(&l->start, later(w->born, w->first));
	if (!w->exit) /* st_process_exit was skipped, as st_fork can be */
		return 0;
	age_add(&l->run, later(w->first, w->exit));
	age_add(&l->end, later(w->exit, now));
	return 0;
}

/* Sends the record of a task that ended to the collector. */
static __noinline int send_obituary(struct worker *w, struct task_struct *t)
{
	struct obituary *o = bpf_ringbuf_reserve(&st_ring, sizeof(*o), 0);

	if (o) {
		o->record = RECORD_OBITUARY;
		o->worker = *w;
		o->nvcsw = t->nvcsw;
		o->nivcsw = t->nivcsw;
		bpf_probe_read_kernel(o->comm, sizeof(o->comm), t->comm);
		bpf_ringbuf_submit(o, ring_flags());
	} else {
		__sync_fetch_and_add(&st_totals.dropped_tasks, 1);
	}
	return 0;
}

/* The last switch of a watched task. */
static __always_inline void retire(struct worker *w, struct task_struct *t, u32 slot, u64 now)
{
	u32 tid = w->tid;

	if (w->counted)
		count_life(w, t, now);
	else
		send_obituary(w, t);
	w->tid = 0;
	forget_slot(tid, slot);
	bpf_map_push_elem(&st_free, &slot, BPF_ANY);
}

static __always_inline void switch_out(struct core *c, struct entry *e, bool preempt,
				       struct task_struct *prev, struct task_struct *next, u64 s0)
{
	u32 slot = c->slot, cause;
	struct worker *w = worker_at(slot);
	u64 slice = s0 - c->since;

	if (!w)
		return;
	cause = cause_of(c, preempt, prev, next, s0);
	/* A dying first thread has the tid that its successor is still known by. */
	if (cause != ENDED_EXITED && c->tid != (u32)prev->pid)
		rename(w, slot, prev->pid);
	w->on_cpu += slice;
	w->ended[cause]++;
	w->runnable = cause >= ENDED_TICK || !task_state(prev) ? s0 : 0;
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
		if (w->cpu == ~0U)
			w->first = now;
		else
			w->migrations++;
		w->cpu = cpu;
	}
	if (!w->runnable)
		return;
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
	u32 tid = next->pid, slot;
	struct worker *w;

	c->tid = tid;
	c->task = (u64)next;
	if (!tid) {
		c->holder = HOLDER_IDLE;
		return;
	}
	c->holder = HOLDER_OTHER;
	c->nvcsw = ~0ULL;
	w = worker_of(tid, &slot);
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
	if (c->tick_at < from)
		c->tick_at = 0;
	hand_over(c, e, holder, from);
	c->nvcsw = ~0ULL; /* the kernel may have counted the switch under way */
	end_entry(c);
	return 0;
}

/* A core that has not switched since attaching: its account begins now. */
static __noinline int first_holder(struct core *c, struct task_struct *holder, u64 now)
{
	c->class = CLASSES;
	c->exit = now;
	c->since = now;
	hand_over(c, next_entry(c), holder, now);
	return 0;
}
