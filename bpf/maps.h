/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Where everything is kept. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "layout.h"

/* Set before load. */
const volatile u64 tick_recent = 2000000; /* ns after a tick in which it can still end a slice */

const volatile u32 index_mask = 2047;       /* cells of st_index, a power of two, less one */
const volatile bool recording = false;      /* every switch and wakeup goes into the ring too */
const volatile u64 ring_bytes = 64 * 1024;  /* size of st_ring */

/* The hot and the cold half of each core, by its number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct core);
} st_cores SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sums);
} st_sums SEC(".maps");

/* Where st_snapshot leaves a copy of one core. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct snapshot);
} st_shadow SEC(".maps");

/* Watched tasks, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct worker);
} st_workers SEC(".maps");

struct index {
	u32 cell[2048]; /* as many as index_mask says */
};

/*
 * tid to slot: the cell at tid modulo their number holds slot + 1. Who finds the
 * cell of its tid taken by another watched task stands in st_overflow instead. A
 * cell is never cleared, so 0 says for certain that no such tid is watched. One
 * value, since an array's value takes 8 bytes at least.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct index);
} st_index SEC(".maps");

/* tid to slot, of few; and INDEX_LOCK | cell, while that cell is being given away. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u32);
} st_overflow SEC(".maps");

#define INDEX_LOCK (1U << 31)

/* Slots that no task holds. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, u32);
} st_free SEC(".maps");

/* Of each watched task that ended, its struct obituary; and what is recorded. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} st_ring SEC(".maps");

/* Events of each core on their way into the ring; a stub unless recording. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct raw);
} st_raw SEC(".maps");

struct totals st_totals;

/* Bring the types into the BTF, for the bindings. */
const struct obituary *obituary_type __attribute__((unused));
const struct task_name *task_name_type __attribute__((unused));

/* The reader sleeps while it need not hurry: waking it is a switch too. */
static __always_inline u64 ring_flags(void)
{
	return bpf_ringbuf_query(&st_ring, BPF_RB_AVAIL_DATA) > ring_bytes / 4 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline struct core *this_core(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_cores, &cpu);
}

static __always_inline struct worker *worker_at(u32 slot)
{
	return bpf_map_lookup_elem(&st_workers, &slot);
}

static __always_inline u32 *cell_of(u32 tid)
{
	u32 zero = 0;
	struct index *index = bpf_map_lookup_elem(&st_index, &zero);

	return index ? &index->cell[tid & index_mask] : NULL;
}

/* The record of a watched task, and its slot; NULL if the task is not watched. */
static __always_inline struct worker *worker_of(u32 tid, u32 *slot)
{
	u32 *cell = cell_of(tid), *other, taken;
	struct worker *w;

	if (!cell)
		return NULL;
	taken = *(volatile u32 *)cell;
	if (!taken)
		return NULL;
	*slot = taken - 1;
	w = worker_at(*slot);
	if (w && w->tid == tid)
		return w;
	other = bpf_map_lookup_elem(&st_overflow, &tid);
	if (!other)
		return NULL;
	*slot = *other;
	return worker_at(*slot);
}
