/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"

/*
 * What the kernel side keeps and the collector reads. All times are
 * nanoseconds of CLOCK_MONOTONIC.
 */

/*
 * Histograms are log-linear: 16 buckets an octave, as report.BucketOf counts
 * them. Slots are 32 bits wide and wrap; the collector subtracts modulo 2^32
 * and reads often enough that no slot can wrap twice.
 */
#define PHASE_BUCKETS 320 /* to 8.4 ms */
#define SLICE_BUCKETS 576 /* to 9 min */

enum class {
	CLASS_THREAD,
	CLASS_PROCESS,
	CLASS_KERNEL,
	CLASS_IDLE_IN,
	CLASS_IDLE_OUT,
	CLASSES,
};

enum ended_by {
	ENDED_BLOCKED,
	ENDED_EXITED,
	ENDED_TICK,
	ENDED_WAKEUP,
	ENDED_YIELD,
	ENDED_OTHER,
	CAUSES,
};

/* Who holds a core. */
enum holder {
	HOLDER_IDLE,
	HOLDER_WORKER,
	HOLDER_OTHER,
	HOLDERS,
};

/* A distribution of slices or waits. max is since the last snapshot. */
struct spread {
	u64 sum;
	u64 max;
	u32 bucket[SLICE_BUCKETS];
};

/* The switches of one class. One page, since a page touched costs a TLB miss. */
struct class_page {
	u64 switches;
	u64 pick_sum;
	u64 switch_sum;
	u64 cost_sum;
	u64 pick_max; /* since the last snapshot, like all maxima */
	u64 switch_max;
	u64 cost_max;
	u32 pick[PHASE_BUCKETS];
	u32 switch_[PHASE_BUCKETS];
	u32 cost[PHASE_BUCKETS];
	u8 pad[200];
};

/*
 * One core. Only the core itself writes here, with interrupts or preemption
 * off, but for woken, which the waker writes from wherever it runs and which
 * therefore has a cache line of its own.
 *
 * A switch's phases are known at its sched_exit_tp, but are counted at the
 * next sched_switch, between its s0 and s1, where time belongs to no slice and
 * no phase. Until then since, exit, pick and class hold them.
 */
struct core {
	u64 entry; /* e0 of the __schedule under way; 0: none seen */
	u64 since; /* s1 of the last switch; 0: none seen */
	u64 exit;  /* x0 of the last switch, the first since; 0: not yet */
	u64 pick;  /* of the last switch; 0: not timed */
	u32 class; /* of the last switch; CLASSES: not to be counted */
	u32 holder;
	u32 slot; /* of the worker that holds the core */
	u32 tid;  /* of the task that holds the core */
	u64 tick_at; /* last tick of this slice; 0: none */
	u64 held; /* on_cpu of the worker that holds the core; in a snapshot only, like now */

	u64 time[HOLDERS]; /* of ended slices */
	u64 self;
	u64 ticks;
	u64 busy_ticks;
	u64 now; /* when the snapshot was taken */
	u64 switches; /* for live progress */
	u64 unseen; /* times that the kernel did not report who took the core */
	u64 pad0[7];

	u32 woken; /* tid last woken onto this core since its last switch or tick */
	u32 pad1[15];

	/* What is hot of waits and blocked slices shares a page with the above. */
	struct spread wait;
	struct spread ended[CAUSES]; /* workers' slices */

	u8 pad2[3984];
	struct class_page classes[CLASSES];
};

_Static_assert(sizeof(struct class_page) == 4096, "a class is a page");
_Static_assert(__builtin_offsetof(struct core, classes) % 4096 == 0, "classes are page-aligned");
_Static_assert(sizeof(struct core) % 4096 == 0, "a core is whole pages");

/* One watched task: two cache lines. */
struct worker {
	u64 on_cpu;
	u64 wait;
	u64 wait_max;
	u64 runnable; /* since when it waits for a core; 0: it does not */
	u64 ended[CAUSES];
	u32 migrations;
	u32 cpu;   /* last held; 0xffffffff: none yet */
	u64 born;  /* when forked, or watched */
	u64 first; /* its first switch-in while watched */
	u64 exit;  /* sched_process_exit; 0: alive */
	u32 tid;   /* 0: nobody's slot */
	u32 tgid;
	u32 follow; /* its children are watched too */
	u32 pad;
};

_Static_assert(sizeof(struct worker) == 128, "a worker is two cache lines");

/* A watched task at its last switch. */
struct obituary {
	struct worker worker;
	u64 nvcsw; /* the kernel's own counters, of its whole life */
	u64 nivcsw;
	char comm[16];
};

/* What the figures miss, and what has been found out. */
struct totals {
	u64 map_full;
	u64 dropped_tasks;
	u64 unwatched_core;
	u64 tick_function; /* address of the tick's callback; 0: not found yet */
	u64 tick_asked;
};
