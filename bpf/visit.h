/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What is done where the iterator comes to a task. */

#include "facts.h"

BIND(struct visited, visited_type);
BIND(enum visit, visit_type);

u32 st_visit_for; /* enum visit */
u64 st_misplaced; /* facts that may have been written into the place of another task */

/*
 * The task can end meanwhile, and its place be given to another, whose facts these are not. No other task has
 * the same key, since the iterator holds this one's memory. So if the key is the same afterwards, no harm was
 * done; otherwise the reader has all tasks visited again, which mends the other's facts. A task that ends
 * before that reads its own group and user again: only its process's name is then wrong.
 */
static __noinline int refresh_facts(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct task_facts *f = bpf_map_lookup_elem(&st_facts, &slot), now = {};
	u64 key = key_of(t);

	if (!f)
		return 0;
	note_changes(&now, t);
	if (*(volatile u64 *)&w->key != key)
		return 0;
	f->uid = now.uid;
	f->cgroup = now.cgroup;
	__builtin_memcpy(f->process, now.process, sizeof(f->process));
	if (*(volatile u64 *)&w->key != key)
		__sync_fetch_and_add(&st_misplaced, 1);
	return 0;
}

/* Whether a task that has no record has run since the first one found no place: then it found none either. */
static __always_inline bool is_unplaced(struct task_struct *t)
{
	return kernel_times && st_full_since && !t->exit_state && t->sched_info.last_arrival >= st_full_since;
}

/* A task that a quota keeps from running waits for that, not for a core. */
static __always_inline void note_wait(struct visited *v, struct task_struct *t, struct watched_task *w)
{
	if (!kernel_times || (w && w->last_cause == ENDED_THROTTLED) || is_throttled(t))
		return;
	v->queued = t->sched_info.last_queued;
	if (!w)
		return;
	v->born = w->born;
	v->run_delay = w->run_delay;
	v->waited = elapsed(v->run_delay, t->sched_info.run_delay);
}

/* Reads again what has changed of a task, or tells the reader of it, as far as st_visit_for says. */
static __noinline int visit_task(struct seq_file *to, struct task_struct *t)
{
	struct visited v = {};
	struct watched_task *w = find_watched(t, &v.slot);

	if (w && (st_visit_for & VISIT_CHANGES))
		refresh_facts(w, t, v.slot);
	if (st_visit_for & VISIT_WAITS)
		note_wait(&v, t, w);
	if (!w && (st_visit_for & VISIT_UNPLACED))
		v.unplaced = is_unplaced(t);
	if (!v.queued && !v.unplaced)
		return 0;
	v.tid = t->pid;
	if (!w) {
		v.slot = NO_SLOT;
		note_identity(&v.facts, t);
	}
	bpf_seq_write(to, &v, sizeof(v)); /* where there is no room, the task is visited again */
	return 0;
}
