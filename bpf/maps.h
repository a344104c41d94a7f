/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The maps and variables. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "layout.h"

/* Set before load. */
const volatile bool tells_prev_state = false; /* sched_switch has prev's state as its last argument */
const volatile u64 resched_guess = 0;         /* the thread_info flags that ask for a switch, until they are learned */
const volatile u32 lazy_shift = 0;            /* by how many bits the lazy flag is higher; 0: there is none */

const volatile u32 index_mask = 2047;      /* cells of st_index, a power of two, less one */
const volatile u32 most_tasks = 1;         /* slots of st_tasks */
const volatile bool why = false;           /* the programs of why.h are attached */
const volatile bool recording = false;     /* every switch and wakeup goes into the ring too */
const volatile u64 ring_bytes = 64 * 1024; /* size of st_ring */

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
 * From a task's key to its slot: the cell that the key hashes to holds slot + 1. If that
 * cell belongs to another watched task, the slot is in st_collisions instead. A cell is
 * never cleared: so 0 means for certain that no task with this hash is watched, which
 * settles most switches to other tasks with one load. A value holds CELLS cells, since an
 * array's value takes at least 8 bytes, and before 6.18 at most 4 MiB.
 *
 * Why not BPF_MAP_TYPE_TASK_STORAGE? The look-up is in every switch and wakeup, of all
 * tasks. On a virtual machine with two cores (Linux 6.18, no page-table isolation) it took
 * 14 ns by this index; by task storage it took 28 ns if the task had an element and 22 ns
 * if it had none. BenchmarkLookup in bpf/baseline repeats that.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct index);
} st_index SEC(".maps");

/* From a key whose cell is taken to its slot, with room for all tasks; and CELL_LOCK of a cell that is being filled. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u64);
	__type(value, u32);
} st_collisions SEC(".maps");

#define CELL_LOCK(number) ((u64)(number) << 1 | 1) /* no task's key, which is even */

/* The free slots. The lowest are used first, so that a reader need not look at all of them. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, u32);
} st_free SEC(".maps");

/* Slots of tasks that ended while the ring was full. They are kept until the collector has read them. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, u32);
} st_ended SEC(".maps");

/* What the kernel knew of such a task at its last switch, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct final_state);
} st_final SEC(".maps");

/* A struct task_exit for each watched task that ended, if there is room; and what is recorded. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} st_ring SEC(".maps");

/* Events of each core on their way into the ring. Without a recording it is a stub. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event_buf);
} st_event_bufs SEC(".maps");

struct globals st_globals;
struct places st_places __attribute__((aligned(64)));
struct wanted st_wanted[WANTED];

/* These bring the types into the BTF, for the bindings. */
#define BIND(type, name) const type *name __attribute__((unused))

BIND(struct task_exit, task_exit_type);
BIND(struct task_name, task_name_type);
BIND(enum switch_class, switch_class_type);
BIND(enum ended_by, ended_by_type);
BIND(enum follow, follow_type);
BIND(enum record_type, record_type_type);
BIND(enum event_flag, event_flag_type);
BIND(enum watching, watching_type);

/* The reader is woken only once a ring is a quarter full, since waking it makes a switch too. */
static __always_inline u64 ring_flags(void *ring, u64 bytes)
{
	u64 filled = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);

	return filled > bytes / 4 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
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
