/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The life of a task where all tasks are watched, and what is known of it beside its counts. */

#include "core_fixes.h"
#include "hist.h"
#include "identity.h"
#include "index.h"
#include "layout_light.h"
#include "maps.h"
#include "order.h"
#include "slots.h"

const volatile bool kernel_times = false; /* the kernel has run-queue clocks, and sched_info */

const volatile u32 parts_left_out = 0;    /* enum light_part: only benchmarks leave any out */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct task_facts);
} st_facts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct dists);
} st_dists SEC(".maps");

/*
 * Sums of tasks that ended. Those that find no room are added to the entry whose key is all 0, which is there
 * from the start. The two maps take turns: while tasks are added to one, a reader empties the other, so that
 * kinds of tasks that are seen no more leave room for new ones.
 */
struct ended_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ended_key);
	__type(value, struct ended_sums);
};

struct ended_map st_ended_even SEC(".maps"), st_ended_odd SEC(".maps");
u32 st_ended_turn; /* tasks are added to st_ended_odd if this is odd */

/* Processes whose threads are not added to those of others when they end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TOLD_APART);
	__type(key, u32);
	__type(value, u32);
} st_told_apart SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct core_place);
} st_core_places SEC(".maps");

/* Where st_read leaves a copy of one core. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct core_page);
} st_page SEC(".maps");

struct clock_pair st_clock;
u64 st_full_since; /* the time of the first switch to a task without a place; 0: there was none */
u32 st_timing; /* the phases of switches are timed at the moment */

BIND(enum sampled, sampled_type);
BIND(enum light_part, light_part_type);
BIND(enum distance, distance_type);
BIND(struct ended_key, ended_key_type);

static __always_inline struct rq *rq_of(struct task_struct *t)
{
	return t->se.cfs_rq->rq;
}

/* The time of the switch under way. */
static __always_inline u64 switch_time(struct task_struct *next)
{
	return kernel_times ? rq_of(next)->clock : bpf_ktime_get_ns();
}

static const struct dists no_dists;
static const struct ended_sums no_sums;

static __always_inline bool has_part(enum light_part part)
{
	return !(parts_left_out & part);
}

/* A bucket of a histogram lies in this step of a task's distribution. */
static __always_inline u32 step_of(u32 bucket)
{
	u32 step = bucket >> 3;

	return step < FIRST_STEP ? 0 : step - FIRST_STEP;
}

/* Whose a task is. That can change while it lives. */
static __always_inline void note_owner(struct task_facts *f, struct task_struct *t)
{
	f->uid = BPF_CORE_READ(t, cred, euid.val);
	f->cgroup = cgroup_of(t);
}

/* What can change while a task lives. */
static __always_inline void note_changes(struct task_facts *f, struct task_struct *t)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);

	note_owner(f, t);
	copy_name(f->process, __builtin_preserve_access_index(&leader->comm));
}

/* Who a task is. */
static __always_inline void note_identity(struct task_facts *f, struct task_struct *t)
{
	f->flags = t->flags;
	f->tgid = t->tgid;
	f->start_time = t->start_time;
	copy_name(f->comm, t->comm);
	note_changes(f, t);
}

/*
 * Starts to watch a task, which the core that calls runs or is about to run, so that no
 * other core does the same. NULL if there is no place.
 */
static __noinline struct watched_task *adopt_live(struct task_struct *t, u32 *place)
{
	struct watched_task fresh = {}, *w;
	struct task_facts *f;
	u32 slot;

	if (take_slot(&slot))
		goto full;
	f = bpf_map_lookup_elem(&st_facts, &slot);
	if (!f)
		goto full;
	f->sampled = SAMPLED_NEVER;
	note_identity(f, t);
	f->nvcsw = t->nvcsw;
	f->nivcsw = t->nivcsw;
	/* The first wait of a new task can have been divided: the kernel adds what it has waited when it moves it. */
	f->run_delay = bpf_core_field_exists(t->sched_info.run_delay) && t->sched_info.pcount ? t->sched_info.run_delay : 0;
	f->runtime = t->se.sum_exec_runtime;
	fresh.run_delay = kernel_times ? f->run_delay : 0;
	fresh.nvcsw = t->nvcsw;
	fresh.last_cause = CAUSES;
	fresh.cpu = NO_CPU;
	fresh.born = bpf_ktime_get_ns();
	fresh.tid = t->pid;
	fresh.tgid = t->tgid;
	bpf_map_update_elem(&st_dists, &slot, &no_dists, BPF_ANY);
	bpf_map_update_elem(&st_tasks, &slot, &fresh, BPF_ANY);
	w = watched_at(slot);
	if (!w)
		goto full;
	/* By the key a reader knows that the rest is complete. */
	exchange(&w->key, key_of(t));
	if (!index_add(w->key, slot)) {
		*place = slot;
		return w;
	}
	w->key = 0;
	free_slot(slot);
full:
	if (!st_full_since)
		st_full_since = switch_time(t);
	__sync_fetch_and_add(&st_globals.map_full, 1);
	return NULL;
}

static __always_inline void add(u64 *sum, u64 n)
{
	if (n)
		__sync_fetch_and_add(sum, n);
}

#define RAISE_TRIES 16

/*
 * Raises a maximum that other cores may raise at the same time. Each try that fails means that another
 * core has raised it; after so many the value is left out. Without exchanges another core's can be lost.
 */
static __always_inline void raise_shared(u64 *max, u64 v)
{
	u64 was = *(volatile u64 *)max, seen;
	u32 i;

	if (!exchanges) {
		raise(max, v);
		return;
	}
#pragma clang loop unroll(disable)
	for (i = 0; i < RAISE_TRIES && v > was; i++) {
		seen = __sync_val_compare_and_swap(max, was, v);
		if (seen == was)
			return;
		was = seen;
	}
}

/* The sums of a kind of tasks. */
static __always_inline struct ended_sums *sums_of(void *map, struct ended_key *key)
{
	struct ended_sums *s = bpf_map_lookup_elem(map, key);

	if (s)
		return s;
	bpf_map_update_elem(map, key, &no_sums, BPF_NOEXIST);
	s = bpf_map_lookup_elem(map, key);
	if (s)
		return s;
	__builtin_memset(key, 0, sizeof(*key));
	return bpf_map_lookup_elem(map, key);
}

/* Adds a task that ended to the sums of its kind. Several cores may do so at once. */
static __noinline int add_ended(struct watched_task *w, struct task_facts *f, struct dists *d, bool unreconciled)
{
	struct ended_key key = {};
	struct ended_sums *s;
	u32 i;

	key.cgroup = f->cgroup;
	key.uid = f->uid;
	if (bpf_map_lookup_elem(&st_told_apart, &f->tgid))
		key.tgid = f->tgid;
	__builtin_memcpy(key.comm, f->comm, sizeof(key.comm));
	s = st_ended_turn & 1 ? sums_of(&st_ended_odd, &key) : sums_of(&st_ended_even, &key);
	if (!s)
		return 0;
	add(&s->unreconciled, unreconciled);
	add(&s->on_cpu, w->on_cpu);
	add(&s->wait, w->wait);
	add(&s->throttled, w->throttled);
	for (i = 0; i < CAUSES; i++)
		add(&s->slices[i], w->slices[i]);
	for (i = 0; i < MOVES; i++)
		add(&s->moves[i], w->moves[i]);
	raise_shared(&s->wait_max, w->wait_max);
#pragma clang loop unroll(disable)
	for (i = 0; i < STEPS; i++) {
		if (d->waits[i])
			__sync_fetch_and_add(&s->dists.waits[i], d->waits[i]);
		if (d->slices[i])
			__sync_fetch_and_add(&s->dists.slices[i], d->slices[i]);
	}
	add(&s->tasks, 1); /* the last: a reader looks at the rest where this has changed */
	return 0;
}

/* The last switch of a task. Its record is kept if a reader has seen it, and added to the sums otherwise. */
static __noinline int retire_live(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct task_facts *f = bpf_map_lookup_elem(&st_facts, &slot);
	struct dists *d = bpf_map_lookup_elem(&st_dists, &slot);
	u64 voluntary = w->slices[ENDED_BLOCKED] + w->slices[ENDED_EXITED], involuntary = 0;
	u32 i;

	if (!f || !d)
		return 0;
	note_owner(f, t); /* most new processes change it before they execute their program */
	if (exchange(&f->sampled, SAMPLED_ENDED) == SAMPLED_ONCE)
		return keep_record(w, t, slot);
	for (i = ENDED_TICK; i < CAUSES; i++)
		involuntary += w->slices[i];
	add_ended(w, f, d, voluntary != t->nvcsw - f->nvcsw || involuntary != t->nivcsw - f->nivcsw);
	unwatch(w, 0);
	free_slot(slot);
	return 0;
}
