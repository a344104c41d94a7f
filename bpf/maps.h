/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Where everything is kept. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "layout.h"

/* Set before load. */
const volatile bool tells_prev_state = false; /* sched_switch has prev's state as its last argument */
const volatile u64 resched_guess = 0;         /* the thread_info flags that ask for a switch, until they are learned */
const volatile u32 lazy_shift = 0;            /* how far above it the lazy one is; 0: there is none */

const volatile u32 index_mask = 2047;       /* cells of st_index, a power of two, less one */
const volatile u32 most_tasks = 1;          /* slots of st_tasks */
const volatile bool recording = false;      /* every switch and wakeup goes into the ring too */
const volatile u64 ring_bytes = 64 * 1024;  /* size of st_ring */

/* The hot and the cold half of each core, by its number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_state);
} st_cpus SEC(".maps");

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
} st_snapshot_buf SEC(".maps");

/* Watched tasks, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct watched_task);
} st_tasks SEC(".maps");

#define CELLS 2048

struct index {
	u32 cell[CELLS];
};

/*
 * A task's key to its slot: the cell that the key hashes to holds slot + 1.
 * Who finds its cell taken by another watched task stands in st_collisions instead. A
 * cell is never cleared, so 0 says for certain that no such task is watched. CELLS in
 * a value, since an array's value takes 8 bytes at least, and before 6.18 4 MiB at most.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct index);
} st_index SEC(".maps");

/* A task's key to its slot, with room for all; and CELL_LOCK of a cell that is being given away. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u64);
	__type(value, u32);
} st_collisions SEC(".maps");

#define CELL_LOCK(number) ((u64)(number) << 1 | 1) /* no task's key, which is even */

/* Slots that no task holds. The lowest ones are taken first, and again, so that a reader need not look at all. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, u32);
} st_free SEC(".maps");

/* Slots of tasks that ended when the ring was full: they are kept until somebody has read them. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, u32);
} st_ended SEC(".maps");

/* What goes with the record of such a task, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct final_state);
} st_final SEC(".maps");

/* Of each watched task that ended, its struct task_exit, if there is room; and what is recorded. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} st_ring SEC(".maps");

/* Events of each core on their way into the ring; a stub unless recording. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event_buf);
} st_event_bufs SEC(".maps");

struct globals st_globals;
struct places st_places __attribute__((aligned(64)));
struct wanted st_wanted[WANTED];

/* Bring the types into the BTF, for the bindings. */
const struct task_exit *task_exit_type __attribute__((unused));
const struct task_name *task_name_type __attribute__((unused));

/* The reader sleeps while it need not hurry: waking it is a switch too. */
static __always_inline u64 ring_flags(void)
{
	return bpf_ringbuf_query(&st_ring, BPF_RB_AVAIL_DATA) > ring_bytes / 4 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline struct cpu_state *this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_cpus, &cpu);
}

static __always_inline struct watched_task *watched_at(u32 slot)
{
	return bpf_map_lookup_elem(&st_tasks, &slot);
}
