/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Where everything is kept. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "layout.h"

/* Set before load. */
const volatile u64 tick_recent = 2000000; /* ns after a tick in which it can still end a slice */

const volatile u32 guess_mask = 2047;       /* size of st_guesses, a power of two, less one */
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

/* tid to slot. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} st_slots SEC(".maps");

/*
 * Where a tid's slot probably is: index tid modulo the size, value slot + 1. An
 * entry is never cleared, so 0 says for certain that the tid is not watched;
 * another tid's entry says to ask st_slots.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2048);
	__type(key, u32);
	__type(value, u32);
} st_guesses SEC(".maps");

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
	__type(value, struct events);
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

/* The record of a watched task, and its slot; NULL if the task is not watched. */
static __always_inline struct worker *worker_of(u32 tid, u32 *slot)
{
	u32 i = tid & guess_mask;
	u32 *guess = bpf_map_lookup_elem(&st_guesses, &i);
	struct worker *w;

	if (!guess || !*guess)
		return NULL;
	*slot = *guess - 1;
	w = worker_at(*slot);
	if (w && w->tid == tid)
		return w;
	guess = bpf_map_lookup_elem(&st_slots, &tid);
	if (!guess)
		return NULL;
	*slot = *guess;
	return worker_at(*slot);
}
