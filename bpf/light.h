/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * The light way: all tasks are watched, by one program at each switch that reads no clock.
 * The scheduler has just updated its run queue's clock, and keeps in sched_info for how long
 * each task has waited.
 */

#include "classify.h"
#include "facts.h"
#include "index.h"
#include "log.h"
#include "order.h"
#include "why.h"

const volatile bool why_told_apart = false; /* stacks are taken of processes of st_told_apart only */

static __always_inline u64 why_now(void)
{
	if (!kernel_times)
		return bpf_ktime_get_ns();
	if (!st_clock.monotonic)
		return 0;
	return bpf_ktime_get_ns() - st_clock.monotonic + st_clock.rq_clock;
}

static __always_inline bool why_wants(struct task_struct *t)
{
	u32 tgid = t->tgid;

	return !why_told_apart || bpf_map_lookup_elem(&st_told_apart, &tgid);
}

static __always_inline bool phases_timed(void)
{
	return st_timing;
}

static __always_inline void delay_slice(struct cpu_state *c, u64 by)
{
	switch_counted(&c->walks_begun);
	c->bookkeeping_ns += by;
	c->slice_start += by;
	switch_counted(&c->walks);
}

/* Keeps the order of what is read before and after. */
static __always_inline void reads_ordered(struct core_page *p)
{
#if defined(__TARGET_ARCH_arm64)
	if (exchanges)
		exchange(&p->order, 1);
#else
	barrier();
#endif
}

/* Copies a core's page and what belongs to it. Returns whether the core has made no switch meanwhile. */
static __noinline int copy_page(struct core_page *p, struct cpu_state *c)
{
	u64 switches = *(volatile u64 *)&c->switches, walks = *(volatile u64 *)&c->walks;
	struct watched_task *w = NULL;

	reads_ordered(p);
	bpf_probe_read_kernel(&p->cpu, __builtin_offsetof(struct cpu_state, log), c);
	if (p->cpu.occupant == OCCUPANT_WATCHED)
		w = watched_at(p->cpu.slot);
	p->occupant_on_cpu = w ? w->on_cpu : 0;
	p->occupant_born = w ? w->born : 0;
	reads_ordered(p);
	return *(volatile u64 *)&c->begun == switches && *(volatile u64 *)&c->walks_begun == walks;
}

/* For how long a task has waited for a core so far, up to now. */
static __always_inline u64 delay_until(struct task_struct *t, u64 now)
{
	u64 queued = t->sched_info.last_queued, delay = t->sched_info.run_delay;

	return queued ? delay + elapsed(queued, now) : delay;
}

/* How many tasks of the run queue sleep and are still to be dequeued, as since 6.12. */
static __always_inline u32 delayed_tasks(struct rq *rq)
{
	u32 queued, runnable;

	if (bpf_core_field_exists(rq->cfs.h_nr_delayed))
		return rq->cfs.h_nr_delayed;
	if (!bpf_core_field_exists(rq->cfs.h_nr_runnable))
		return 0;
	queued = rq->cfs.h_nr_queued;
	runnable = rq->cfs.h_nr_runnable;
	return queued > runnable ? queued - runnable : 0;
}

/*
 * How many tasks are runnable on the core, the running one included. nr_running counts those
 * that are still to be dequeued. At a tick another core may change the counts meanwhile.
 */
static __always_inline u32 queue_length(struct rq *rq)
{
	u32 running = rq->nr_running, delayed = delayed_tasks(rq);

	return running > delayed ? running - delayed : 0;
}

static __always_inline void note_queue(struct cpu_state *c, struct rq *rq, u64 now)
{
	if (c->queue_seen)
		c->queue_ns += c->queue * elapsed(c->queue_seen, now);
	c->queue_seen = now;
	c->queue = queue_length(rq);
	if (c->queue > c->queue_max)
		c->queue_max = c->queue;
}

/*
 * Why prev lost the core although it would have gone on. moved says that next was moved to
 * this core while it waited, so that no wakeup has put it into the queue. A tick's request
 * counts unless next came after it: then the request was served without a switch, or the
 * wakeup has chosen the task.
 */
static __always_inline u32 light_preempt_cause(struct cpu_state *c, bool preempt, struct task_struct *prev,
					       struct task_struct *next, bool moved)
{
	u64 queued;

	if (is_throttled(prev))
		return ENDED_THROTTLED;
	if (!preempt && is_sched_yield(prev))
		return ENDED_YIELD;
	if (!kernel_times)
		return was_woken(c, next->pid) ? ENDED_WAKEUP : c->tick_asked ? ENDED_TICK : ENDED_OTHER;
	queued = next->sched_info.last_queued;
	if (c->tick_asked && queued <= c->tick_clock)
		return ENDED_TICK;
	if (queued > c->slice_start && !moved)
		return ENDED_WAKEUP;
	return c->tick_asked ? ENDED_TICK : ENDED_OTHER;
}

/* See cause_of. A switch that the kernel counted as voluntary has raised nvcsw by now. */
static __always_inline u32 light_cause(struct cpu_state *c, struct watched_task *w, bool preempt,
				       struct task_struct *prev, struct task_struct *next, u32 state, bool moved)
{
	if (preempt || (!state && w->nvcsw == prev->nvcsw))
		return light_preempt_cause(c, preempt, prev, next, moved);
	w->nvcsw = prev->nvcsw;
	return state & TASK_DEAD ? ENDED_EXITED : ENDED_BLOCKED;
}

/* Ends the slice of the task that has run here. */
static __always_inline void light_out(struct cpu_state *c, struct sums *s, bool preempt, struct task_struct *prev,
				     struct task_struct *next, u32 state, bool moved, u64 now)
{
	struct dists *d = bpf_map_lookup_elem(&st_dists, &c->slot);
	struct watched_task *w = watched_at(c->slot);
	u64 slice = now - c->slice_start;
	u32 cause, bucket;

	if (!w || !d)
		return;
	cause = has_part(PART_CAUSE) ? light_cause(c, w, preempt, prev, next, state, moved) : ENDED_OTHER;
	w->on_cpu += slice;
	w->slices[cause]++;
	w->last_cause = cause;
	if (!kernel_times)
		w->run_delay = cause >= ENDED_TICK ? now : 0;
	if (why)
		why_leaves(w, c->slot, cause, state, next, now);
	if (has_part(PART_HISTS)) {
		bucket = hist_add(&s->slices[cause], slice);
		if (has_part(PART_DISTS))
			d->slices[step_of(bucket)]++;
	}
	if (cause == ENDED_EXITED)
		retire_live(w, prev, c->slot);
}

/* A task comes to this core from another. */
static __noinline int light_move(struct cpu_state *c, struct watched_task *w, u32 cpu, bool moved)
{
	u32 before = w->cpu, how = TO_REMOTE;
	struct core_place *from = bpf_map_lookup_elem(&st_core_places, &before);
	struct core_place *to = bpf_map_lookup_elem(&st_core_places, &cpu);

	w->cpu = cpu;
	if (before == NO_CPU || !from || !to)
		return 0;
	if (from->core == to->core)
		how = TO_SIBLING;
	else if (from->cache == to->cache)
		how = TO_CACHE;
	else if (from->node == to->node)
		how = TO_NODE;
	w->migrations++;
	w->moves[how]++;
	c->arrivals[how]++;
	if (!moved && w->last_cause == ENDED_BLOCKED) {
		w->moves[WOKEN]++;
		c->arrivals[WOKEN]++;
	}
	return 0;
}

/* How long the wait was that a task ends by taking a core. */
static __always_inline u64 light_waited(struct watched_task *w, struct task_struct *t, u64 now)
{
	u64 then = w->run_delay;

	if (kernel_times) {
		w->run_delay = delay_until(t, now);
		return w->run_delay - then;
	}
	w->run_delay = 0;
	return then ? elapsed(then, now) : 0;
}

/* Ends the wait of the task that takes the core. */
static __always_inline void light_in(struct cpu_state *c, struct sums *s, struct watched_task *w, u32 slot,
				     struct task_struct *t, bool moved, u64 now)
{
	struct dists *d = bpf_map_lookup_elem(&st_dists, &slot);
	u32 cpu = bpf_get_smp_processor_id(), bucket;
	u64 waited;

	if (has_part(PART_MOVES) && w->cpu != cpu)
		light_move(c, w, cpu, moved);
	if (!w->first)
		w->first = now;
	waited = light_waited(w, t, now);
	if (why) {
		pair_returns(w, slot, waited);
		note_return(c, w, waited, now);
	}
	if (w->last_cause == ENDED_THROTTLED) {
		w->throttled += waited;
		return;
	}
	w->wait += waited;
	raise(&w->wait_max, waited);
	if (has_part(PART_HISTS)) {
		bucket = hist_add(&s->wait, waited);
		if (d && has_part(PART_DISTS))
			d->waits[step_of(bucket)]++;
	}
}

/*
 * The kernel did not show the end of the task that was at this address before, so its record
 * is given up. Returns whether that is so: a thread that executes a program has another tid
 * too, but it is older than its record.
 */
static __noinline int light_is_another(struct watched_task *w, struct task_struct *t, u32 slot)
{
	if (t->start_time <= w->born)
		return 0;
	__sync_fetch_and_add(&st_globals.dropped_tasks, 1);
	unwatch(w, 0);
	free_slot(slot);
	return 1;
}

/* The record of the task that takes the core; NULL for the idle task, and where there is no place. */
static __always_inline struct watched_task *light_find(struct task_struct *t, u32 *slot)
{
	struct watched_task *w;

	if (!t->pid || !has_part(PART_TASKS))
		return NULL;
	w = find_watched(t, slot);
	if (w && (w->tid == (u32)t->pid || !light_is_another(w, t, *slot)))
		return w;
	w = adopt_live(t, slot);
	if (why && w)
		begin_pairs(*slot, w->born);
	return w;
}

/* Notes which task runs on the core from now on. */
static __always_inline void light_hand_over(struct cpu_state *c, struct sums *s, struct watched_task *w, u32 slot,
					    struct task_struct *next, bool moved, u64 now)
{
	c->task = (u64)next;
	c->slice_start = now;
	if (!w) {
		c->occupant = next->pid ? OCCUPANT_OTHER : OCCUPANT_IDLE;
		if (why)
			c->away = 0;
		return;
	}
	c->occupant = OCCUPANT_WATCHED;
	c->slot = slot;
	light_in(c, s, w, slot, next, moved, now);
}

/* Where watching begins with the switch by which a task leaves its core, the kernel's counters contain that switch. */
static __always_inline void count_from_before(struct watched_task *w, u32 slot, bool voluntary)
{
	struct task_facts *f = bpf_map_lookup_elem(&st_facts, &slot);

	if (!f)
		return;
	if (voluntary) {
		f->nvcsw--;
		w->nvcsw--;
	} else {
		f->nivcsw--;
	}
}

/*
 * A kernel may hide tasks from tracing: see find_occupant. When the task that took the core
 * from a hidden one did so, the kernel has noted.
 */
static __noinline int light_find_occupant(struct cpu_state *c, struct sums *s, struct task_struct *occupant, u64 now,
					  bool voluntary)
{
	u64 from = kernel_times ? occupant->sched_info.last_arrival : now;
	struct watched_task *w = c->occupant == OCCUPANT_WATCHED ? watched_at(c->slot) : NULL;
	u32 slot = 0;

	if (!occupant->pid || from < c->slice_start || from > now)
		from = now;
	charge_occupant(c, from);
	if (w) {
		w->on_cpu += from - c->slice_start;
		w->hidden++;
		w->left = 0;
	}
	c->class = CLASSES; /* its phases belong to the switch to the hidden task */
	c->hidden_switches++;
	c->tick_asked = 0;
	w = light_find(occupant, &slot);
	if (w && !w->first)
		count_from_before(w, slot, voluntary);
	if (w && !kernel_times) /* its slice was longer, and its wait shorter */
		w->hidden++;
	light_hand_over(c, s, w, slot, occupant, false, from);
	return 0;
}

/* Adds the phases of the switch before this one, as far as they were timed. */
static __noinline int light_phases(struct cpu_state *c, struct sums *s)
{
	u64 pick = c->pick_ns, took = short_time(c->exit_stamp - c->switch_stamp);
	u32 class = c->class;

	/* Or the compiler would bound copies of them, which the verifier of 6.1 does not follow. */
	barrier_var(pick);
	barrier_var(took);
	if (class < CLASSES)
		add_phases(&s->classes[class], pick, took, c->pick_valid, c->exit_stamp && c->switch_stamp);
	return 0;
}

/* Where the kernel keeps no times of waits: a task becomes runnable. */
static __always_inline int light_wakes(struct task_struct *p)
{
	u32 cpu = task_cpu(p), slot;
	struct cpu_state *c = bpf_map_lookup_elem(&st_cpus, &cpu);
	struct watched_task *w = find_watched(p, &slot);

	if (c && c->task != (u64)p)
		note_woken(c, p->pid);
	if (w && !w->run_delay)
		w->run_delay = bpf_ktime_get_ns();
	return 0;
}
