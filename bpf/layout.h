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
	ENDED_THROTTLED, /* its group had used up its quota of CPU time */
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

/* The switches of one class. */
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
 * What one sched_switch found out: the phases of the switch before it, the slice
 * that it ended, and the wait that it ended.
 */
struct entry {
	u64 slice;
	u64 wait;
	u32 pick;
	u32 took;  /* the switch phase */
	u32 class; /* CLASSES: no switch to count */
	u8 cause;  /* CAUSES: no worker's slice */
	u8 waited; /* wait is a worker's */
	u8 picked; /* pick was timed */
	u8 ended;  /* took was timed */
};

#define LOG_ENTRIES 64
#define WOKEN 8

/*
 * The hot half of one core. After each entry into the kernel (page-table
 * isolation) or change of address space the TLB is cold, and a page touched
 * costs more than all arithmetic here: so a switch only adds an entry to the
 * log, in this same page, and every LOG_ENTRIES switches the log is added to
 * the sums. The map is small enough for the kernel's linear mapping.
 *
 * Only the core itself writes here, with interrupts or preemption off, but for
 * wakes and woken, which the waker writes from wherever it runs.
 *
 * A switch's phases are known at its sched_exit_tp, but are logged at the next
 * sched_switch, between its s0 and s1, where time belongs to no slice and no
 * phase. Until then since, exit, pick and class hold them.
 */
struct core {
	u64 entry; /* e0 of the __schedule under way; 0: none seen */
	u64 since; /* s1 of the last switch; 0: none seen */
	u64 exit;  /* x0 of the last switch, the first since; 0: not yet */
	u32 pick;  /* of the last switch */
	u32 picked; /* pick was timed */
	u32 class; /* of the last switch; CLASSES: not to be counted */
	u32 holder;
	u32 slot; /* of the worker that holds the core */
	u32 asked; /* a tick asked for the switch that is to come */
	u32 logged;
	u32 pad0;
	u64 timer; /* address of the timer that is being served, if it is one of interest */

	u64 time[HOLDERS]; /* of ended slices */
	u64 self;
	u64 switches; /* for live progress */
	u64 ticks;
	u64 busy_ticks;
	u64 unseen; /* times that the kernel did not report who took the core */
	u64 task;   /* address of the task that holds the core */
	u64 nvcsw;  /* of the worker that holds the core, when it took it; ~0: unknown */

	u64 ticker; /* of this core's tick; 0: not seen yet */
	u64 flags;  /* thread_info's, when the timer's turn began */
	u32 wakes; /* onto this core, since its last switch or tick that asked for none */
	u32 woken[WOKEN]; /* tids of the last of them */
	u32 pad1;

	struct entry log[LOG_ENTRIES];
};

/* A distribution of one part of a task's life. max is since the last snapshot. */
struct age {
	u64 sum;
	u64 max;
	u32 bucket[PHASE_BUCKETS];
};

/* The lives, whole, of tasks that are counted when they end, not listed. */
struct lives {
	u64 tasks;
	u64 reconciled; /* of them, those whose switch counts equal the kernel's */
	u64 on_cpu;
	u64 wait;
	u64 throttled;
	struct age start; /* fork to first switch-in */
	struct age run;   /* first switch-in to exit */
	struct age end;   /* exit to last switch */
};

/* The cold half: distributions, and sums of the phases. */
struct sums {
	struct spread wait;
	struct spread ended[CAUSES]; /* workers' slices */
	struct lives lives;
	u8 pad[2088];
	struct class_page classes[CLASSES];
};

_Static_assert(sizeof(struct class_page) == 4096, "a class is a page");
_Static_assert(__builtin_offsetof(struct sums, classes) % 4096 == 0, "classes are page-aligned");

/* One core between two of its switches, its log empty. */
struct snapshot {
	struct core core;
	struct sums sums;
	u64 now;
	u64 held; /* on_cpu of the worker that holds the core */
	u64 born; /* its birth: with core.slot, its name for life */
	u64 sent; /* when recording: what has happened up to here is in the ring */
	u64 lost; /* recorded events that found no room and that no record has told yet */
};

/* What becomes of a watched task's children, and theirs, when they end. */
enum follow {
	FOLLOW_NONE,
	FOLLOW_LISTED,  /* each has an obituary */
	FOLLOW_COUNTED, /* each is added to lives */
};

/*
 * One watched task: three cache lines, of which a switch touches two. Which task it is says its key, from the address
 * of its task_struct: that is constant for life and cannot be another's before the
 * task's last switch, where the record is retired. A tid is neither: a thread that
 * executes a program exchanges its own with that of its process's first thread.
 */
struct worker {
	u64 on_cpu;
	u64 wait;
	u64 wait_max;
	u64 runnable; /* since when it waits for a core; 0: it does not */
	u64 ended[CAUSES];
	u64 key;   /* which task it is; 0: nobody's slot; or KEY_ENDED */
	u32 migrations;
	u16 cpu;     /* last held; NO_CPU: none yet */
	u8 children; /* FOLLOW_NONE: its children are not watched; else what becomes of them */
	u8 counted;  /* is one of FOLLOW_COUNTED */
	u64 held;      /* since when a quota keeps it from running; 0: none does */
	u64 throttled; /* the time that quotas did */
	u64 born;    /* when forked, or watched: with its slot, its name for life */
	u64 first;   /* its first switch-in while watched */
	u64 exit;    /* sched_process_exit; 0: alive */
	u32 tid;
	u32 tgid;
	u64 pad[5];
};

#define NO_CPU 0xffff
#define KEY_ENDED 1 /* its task has ended, and the record is still to be read; no task's key */

_Static_assert(sizeof(struct worker) == 192, "a worker is three cache lines");
_Static_assert(__builtin_offsetof(struct worker, throttled) < 128, "a switch touches two");

/* What the kernel says of a task at its last switch. */
struct last {
	u64 nvcsw; /* of its whole life, as nivcsw */
	u64 nivcsw;
	char comm[16];
};

/* A watched task at its last switch. */
struct obituary {
	u32 record; /* RECORD_OBITUARY */
	u32 slot;
	struct worker worker;
	struct last last;
};

/* What a record in the ring is: its first word. */
enum record {
	RECORD_OBITUARY,
	RECORD_EVENTS,
	RECORD_TASK,
};

#define EVENT_WAKEUP 1 /* else a switch */
#define EVENT_PICKED 2
#define EVENT_ENDED 4
#define EVENT_PREEMPT 8

/*
 * A switch as it is recorded, with the slice that it ends and the phases of the
 * switch before it; or a wakeup.
 */
struct event {
	u64 time;  /* s0, or when it was woken */
	u64 since; /* s1 of the switch before; 0: not seen */
	u32 prev;
	u32 next; /* or who was woken */
	u32 pick; /* of the switch before, as are took, class and two of the flags */
	u32 took;
	u16 state; /* prev's __state */
	u8 class;
	u8 cause;
	u8 flags;
	u8 pad;
	u16 cpu; /* where the woken is to run */
};

#define RAW_EVENTS 64
#define LATE_EVENTS 16 /* a power of two */
#define RENAMES_AT_ONCE 16

/* What is recorded on one core and not sent yet; and, as it is, the record. */
struct events {
	u32 record; /* RECORD_EVENTS */
	u32 cpu;
	u32 count;
	u32 stashed; /* of the switch before the next, the phases are these: */
	u32 pick;
	u32 took;
	u8 class;
	u8 flags;
	u8 sending; /* an interrupt that comes meanwhile puts its events into raw.late */
	u8 named;   /* raw.name is to be sent */
	u8 naming;  /* raw.name is being written */
	u8 renames; /* names that the running task gave itself, up to RENAMES_AT_ONCE */
	u8 pad[2];
	u64 lost; /* events that found no room in the ring, since the last that did */
	struct event event[RAW_EVENTS];
};

/* A task's name. */
struct task_name {
	u32 record; /* RECORD_TASK */
	u32 tid;
	u32 tgid;
	u32 parent; /* who created it just now; 0: it has another name, no more */
	u64 time;
	char comm[16];
};

/* What is recorded on one core, and what of it is not sent as it is. */
struct raw {
	struct events out;
	u32 came;   /* wakeups that came while out was being sent and found room in late */
	u32 taken;  /* of them, those that are in out by now */
	u32 missed; /* those that found none */
	u32 said;   /* of these, those that out.lost has */
	struct event late[LATE_EVENTS];
	struct task_name name; /* the last that the running task gave itself */
};

#define PLAIN_TIMERS 32

/* What the figures miss, and what has been found out. */
struct totals {
	u64 map_full;
	u64 dropped_tasks;
	u64 unwatched_core;
	u64 tick_function;   /* address of the tick's callback; 0: not found yet */
	u64 hrtick_function; /* of the one that ends slices between ticks; 0: not seen */
	u64 resched_flags;   /* of thread_info, that ask for a switch; 0: not learned yet */
	u64 plain_timers;    /* callbacks found to be neither */
	u64 plain_function[PLAIN_TIMERS]; /* the last of them */
	u64 lost_names;      /* task_name records that found no room */
};

/* The places for watched tasks. Each is written at births and ends only. */
struct places {
	u64 filled;  /* slots that st_fill has made free */
	u64 used;    /* slots that have ever been taken: the lowest ones */
	u64 leaving; /* watched tasks that have begun to exit and are still to make their last switch */
	u64 counted; /* watched tasks of FOLLOW_COUNTED */
	u64 lost;    /* times that the kernel did not take a place back */
};

/* What became of a wish to watch a task. */
enum watching {
	WATCHING_NOBODY, /* there is no such task */
	WATCHING,
	WATCHING_ALREADY,
	WATCHING_NO_ROOM,
};

/* A task that the collector wants watched, and how that ended. */
struct wanted {
	u32 tid; /* 0: none */
	u8 children;
	u8 state; /* enum watching */
	u16 pad;
	u32 slot; /* of its record */
	u32 pad1;
	u64 born;
};

#define WANTED 64 /* at once */
