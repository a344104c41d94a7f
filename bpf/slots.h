/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The slots of watched tasks: taken, given back, and kept until a reader comes. */

#include "index.h"
#include "maps.h"

static __always_inline void free_slot(u32 slot)
{
	if (bpf_map_push_elem(&st_free, &slot, BPF_ANY))
		__sync_fetch_and_add(&st_places.lost, 1);
}

/* Where no slot is free, the oldest record of an ended task is given up. */
static __always_inline int take_slot(u32 *slot)
{
	struct watched_task *w;

	if (bpf_map_pop_elem(&st_free, slot)) {
		if (bpf_map_pop_elem(&st_ended, slot))
			return -1;
		__sync_fetch_and_add(&st_globals.dropped_tasks, 1);
	}
	w = watched_at(*slot);
	if (w && !w->born)
		__sync_fetch_and_add(&st_places.used, 1);
	return 0;
}

/* Parts a record from its task. Its key is 0 from now on, or KEY_ENDED where it is kept for the reader. */
static __always_inline void unwatch(struct watched_task *w, u64 mark)
{
	u64 key = w->key;

	if (w->counted)
		__sync_fetch_and_add(&st_places.counted, -1);
	if (w->exit_start)
		__sync_fetch_and_add(&st_places.leaving, -1);
	w->key = mark;
	index_remove(key);
}

/* One task's stamps can come from two cores, whose clocks differ a little. */
static __always_inline u64 elapsed(u64 then, u64 now)
{
	return now > then ? now - then : 0;
}

static __always_inline void fill_final(struct final_state *l, struct task_struct *t)
{
	l->nvcsw = t->nvcsw;
	l->nivcsw = t->nivcsw;
	bpf_probe_read_kernel(l->comm, sizeof(l->comm), t->comm);
}

/* Keeps the record of a task that ended in its slot until it is read. */
static __noinline int keep_record(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct final_state *l = bpf_map_lookup_elem(&st_final, &slot);

	if (l)
		fill_final(l, t);
	unwatch(w, KEY_ENDED);
	if (!bpf_map_push_elem(&st_ended, &slot, BPF_ANY))
		return 0;
	w->key = 0;
	__sync_fetch_and_add(&st_globals.dropped_tasks, 1);
	free_slot(slot);
	return 0;
}
