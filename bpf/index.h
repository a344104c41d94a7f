/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* From a task to its slot in st_tasks: see st_index in maps.h. */

#include "maps.h"

/*
 * A task's key is its address as a plain number, which can be multiplied. For the verifier
 * only the difference of two pointers is a plain number: so the address of st_globals is
 * subtracted.
 */
static __always_inline u64 key_of(struct task_struct *t)
{
	u64 key = (u64)t;
	struct globals *origin = &st_globals;

	asm volatile("%0 -= %1" : "+r"(key) : "r"(origin));
	return key;
}

/* Tasks lie at multiples of a large number. The upper half of a product spreads their keys over the cells. */
static __always_inline u32 cell_number(u64 key)
{
	return (u32)(key * 0x9e3779b97f4a7c15ULL >> 32) & index_mask;
}

static __always_inline u32 *cell_at(u32 number)
{
	u32 part = number / CELLS;
	struct index *index = bpf_map_lookup_elem(&st_index, &part);

	return index ? &index->cell[number % CELLS] : NULL;
}

/* The record of a watched task, and its slot; NULL if the task is not watched. */
static __always_inline struct watched_task *find_watched(struct task_struct *t, u32 *slot)
{
	u64 key = key_of(t);
	u32 *cell = cell_at(cell_number(key)), *other, taken;
	struct watched_task *w;

	if (!cell)
		return NULL;
	taken = *(volatile u32 *)cell;
	if (!taken)
		return NULL;
	*slot = taken - 1;
	w = watched_at(*slot);
	if (w && w->key == key)
		return w;
	other = bpf_map_lookup_elem(&st_collisions, &key);
	if (!other)
		return NULL;
	*slot = *other;
	w = watched_at(*slot);
	return w && w->key == key ? w : NULL;
}

/* The cell keeps its slot number: find_watched compares the key in that slot. */
static __always_inline void index_remove(u64 key)
{
	if (bpf_map_lookup_elem(&st_collisions, &key) && bpf_map_delete_elem(&st_collisions, &key))
		__sync_fetch_and_add(&st_places.lost, 1);
}

/* Whether the cell leads to a watched task, not the one of this key, whose key hashes to it. */
static __always_inline int cell_taken(u32 cell, u64 key)
{
	struct watched_task *w = cell ? watched_at(cell - 1) : NULL;

	return w && w->key > KEY_ENDED && w->key != key && cell_number(w->key) == cell_number(key);
}

/*
 * Enters a task, whose key is in its slot already. CELL_LOCK keeps two cores from giving
 * the same cell to two tasks; the one that does not get the lock uses st_collisions.
 */
static __always_inline int index_add(u64 key, u32 slot)
{
	u32 number = cell_number(key), *cell = cell_at(number), taken;
	u64 lock = CELL_LOCK(number);

	if (!cell)
		return -1;
	if (!bpf_map_update_elem(&st_collisions, &lock, &slot, BPF_NOEXIST)) {
		taken = cell_taken(*cell, key);
		if (!taken)
			*cell = slot + 1;
		bpf_map_delete_elem(&st_collisions, &lock);
		if (!taken)
			return 0;
	}
	if (bpf_map_update_elem(&st_collisions, &key, &slot, BPF_ANY))
		return -1;
	if (!*cell) /* until the holder of the lock fills the cell, 0 would mean that this task is not watched */
		*cell = slot + 1;
	return 0;
}
