/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What only the light way keeps, beside what layout.h has. */

#include "layout.h"

/*
 * Distributions of one task, in steps of half an octave: eight of a histogram's buckets each.
 * The first step also holds what is below it.
 */
#define FIRST_STEP 8 /* from 128 ns on */
#define STEPS (SLICE_BUCKETS / 8 - FIRST_STEP)

struct dists {
	u32 waits[STEPS];
	u32 slices[STEPS];
};

/* What can be left out of the program on sched_switch, to measure what it takes. */
enum light_part {
	PART_TASKS = 1,     /* the tasks' records, and with them all that follows but the queue's length */
	PART_CAUSE = 2,     /* why a slice ended */
	PART_DISTS = 4,     /* tasks' distributions */
	PART_HISTS = 8,     /* cores' distributions, and with them the tasks' */
	PART_MOVES = 16,    /* migrations */
	PART_QUEUE = 32,    /* the run queue's length */
	PART_CLASS = 64,    /* the switch's class */
};

/* Who knows of a watched task. */
enum sampled {
	SAMPLED_NEVER, /* no reader has seen the record yet: the reader changes it to SAMPLED_ONCE */
	SAMPLED_ONCE,  /* when the task ends, its record is kept for the reader */
	SAMPLED_ENDED, /* the task ended unseen, and is part of the sums of ended tasks */
};

/* What is known of a watched task beside its counts. */
struct task_facts {
	u64 sampled; /* enum sampled, which is changed in one step only */
	u32 flags;   /* the kernel's, PF_ */
	u32 tgid;
	u32 uid; /* the effective user, in the first user namespace */
	u32 pad;
	u64 cgroup; /* the number of its control group */
	u64 start_time;
	/* The kernel's counters at the moment from which the record counts. */
	u64 nvcsw;
	u64 nivcsw;
	u64 run_delay;
	u64 runtime;
	char comm[16];
	char process[16]; /* of the process's first thread */
};

/* Tasks that no reader has seen, by what they had in common when they ended. */
struct ended_key {
	u64 cgroup;
	u32 uid;
	u32 tgid; /* if it is one of st_told_apart, otherwise 0 */
	char comm[16];
};

#define TOLD_APART 1024 /* at most */

struct ended_sums {
	u64 tasks;
	u64 unreconciled; /* tasks whose switch counts differed from the kernel's: none, unless something is wrong */
	u64 on_cpu;
	u64 wait;
	u64 wait_max;
	u64 throttled;
	u64 slices[CAUSES];
	u64 moves[MOVES];
	struct dists dists;
};

/* Where a core is. Numbers are of the first core that is in the same place. */
struct core_place {
	u16 core;
	u16 cache;
	u16 node;
	u16 pad;
};

/* One core between two of its switches. */
struct core_page {
	struct cpu_state cpu; /* without its log, which the light way does not use */
	u64 occupant_on_cpu;  /* as in struct snapshot */
	u64 occupant_born;
	u64 order; /* for the order of reads on arm64 */
};

/* The run queue's clock and CLOCK_MONOTONIC at a switch to the reader. */
struct clock_pair {
	u64 rq_clock;
	u64 monotonic;
	u32 reader; /* its tid */
	u32 pad;
};

/* What the visit of all tasks is for. */
enum visit {
	VISIT_CHANGES = 1,  /* to read again what changes without an event */
	VISIT_UNPLACED = 2, /* to find the tasks that have no place */
	VISIT_WAITS = 4,    /* to find those that wait for a core */
};

#define NO_SLOT 0xffffffff

/* What a visit tells of a task. */
struct visited {
	u32 slot; /* of its record; NO_SLOT: it has none */
	u32 tid;
	u64 born;      /* of the record */
	u64 run_delay; /* of the record: another value from the moment on at which the wait ends */
	u64 queued;    /* the run queue's clock when the task joined the queue; 0: it does not wait */
	u64 waited;    /* for how long this wait lasted before, in other queues */
	u32 unplaced;  /* it has run, and there was no place for it */
	u32 pad;
	struct task_facts facts; /* of a task without a record: who it is */
};
