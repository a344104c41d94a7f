/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"

/*
 * What the kernel side keeps and the collector reads. All times are
 * nanoseconds of CLOCK_MONOTONIC.
 */

/*
 * Histograms are log-linear: 16 buckets an octave, as histogram.BucketOf counts
 * them. Buckets are 32 bits wide and wrap; the collector subtracts modulo 2^32
 * and reads often enough that no bucket can wrap twice.
 */
#define PHASE_BUCKETS 320 /* to 8.4 ms */
#define SLICE_BUCKETS 576 /* to 9 min */

enum switch_class {
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

/* What kind of task runs on a core. */
enum occupant {
	OCCUPANT_IDLE,
	OCCUPANT_WATCHED,
	OCCUPANT_OTHER,
	OCCUPANTS,
};

/* How far a task has come with a switch-in on another core. */
enum distance {
	TO_SIBLING, /* the other hardware thread of a core */
	TO_CACHE,   /* another core with the same last-level cache */
	TO_NODE,    /* another cache of the same NUMA node */
	TO_REMOTE,  /* another node */
	DISTANCES,
	WOKEN = DISTANCES, /* the core was chosen at a wakeup: counted beside the distance */
	MOVES,
};

/* A distribution of slices or waits. max is since the last snapshot. */
struct hist {
	u64 sum;
	u64 max;
	u32 bucket[SLICE_BUCKETS];
};

/* The switches of one class. */
struct class_hists {
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
struct log_entry {
	u64 slice_ns;
	u64 wait_ns;
	u32 pick_ns;
	u32 switch_ns;
	u32 class;       /* enum switch_class; CLASSES: there is no switch to count */
	u8 cause;        /* enum ended_by; CAUSES: the slice was not a watched task's */
	u8 wait_valid;   /* a watched task has waited for wait_ns */
	u8 pick_valid;   /* pick_ns was measured */
	u8 switch_valid; /* switch_ns was measured */
};

#define LOG_ENTRIES 64
#define WOKEN_NOTED 8

/*
 * The hot half of one core. After each entry into the kernel (page-table
 * isolation) or change of address space the TLB is cold, and a page touched
 * costs more than all arithmetic here: so a switch only adds an entry to the
 * log, in this same page, and every LOG_ENTRIES switches the log is added to
 * the sums. The map is small enough for the kernel's linear mapping.
 *
 * Only the core itself writes here, with interrupts or preemption off. The
 * exceptions are wakes and woken, which the waker writes from whichever core
 * it runs on.
 *
 * A switch's phases are known at its sched_exit_tp, but are logged at the next
 * sched_switch, between its s0 and s1, where time belongs to no slice and no
 * phase. Until then slice_start, exit_stamp, pick_ns and class hold them.
 */
struct cpu_state {
	u64 entry_stamp; /* e0 of the __schedule under way; 0: none was seen */
	u64 slice_start; /* s1 of the last switch, or later by what stacks took; 0: none was seen */
	u64 exit_stamp;  /* x0 of the last switch; 0: it has not come yet */
	u32 pick_ns;     /* of the last switch */
	u32 pick_valid;  /* pick_ns was measured */
	u32 class;       /* of the last switch; CLASSES: it is not to be counted */
	enum occupant occupant;
	u32 slot;        /* of the task that runs here, if it is watched */
	u32 tick_asked;  /* a tick asked for the switch that is to come */
	u32 logged;      /* entries in log */
	u32 pad0;
	u64 timer; /* address of the timer that is being served, if it is one of interest */

	u64 occupied_ns[OCCUPANTS]; /* by slices that have ended */
	u64 bookkeeping_ns;         /* from s0 to s1 */
	u64 switches;               /* for live progress */
	u64 ticks;
	u64 busy_ticks;
	u64 hidden_switches; /* switches that the kernel did not report */
	u64 task;            /* address of the task that runs here */
	u64 nvcsw;           /* of that task, when its slice began; ~0: unknown */

	u64 tick_timer;   /* address of this core's tick; 0: not seen yet */
	u64 flags_before; /* thread_info's, when the timer's turn began */

	/* These are used in the light way only. */
	u64 begun;        /* switches that have begun; where it equals switches, none is being counted */
	u64 switch_stamp; /* CLOCK_MONOTONIC at the end of st_light; 0: the switch's phases are not timed */
	u64 tick_clock;   /* the run queue's clock when a tick asked for the switch that is to come */
	u64 queue_ns;     /* the length of the run queue, integrated over time */
	u64 queue_seen;   /* the run queue's clock when queue was read */
	u32 queue;        /* the length then, with the task that runs */
	u32 queue_max;    /* the greatest so far */
	u64 classes[CLASSES]; /* switches of each class; the full way counts them in the sums */
	u64 arrivals[MOVES];  /* tasks that came from other cores, as in watched_task.moves */
	u64 left;   /* why.h: when the task that runs here had left its core; 0: unknown */
	u64 away;   /* for how long it then had none */
	u64 waited; /* for how much of that it waited for one */
	u64 walks_begun; /* walks that have begun to change this page; where it equals walks, none is doing so */
	u64 walks;

	u32 wakes;        /* onto this core, since its last switch or a tick that asked for none */
	u32 woken[WOKEN_NOTED]; /* tids of the last of them */
	u32 pad1;

	struct log_entry log[LOG_ENTRIES];
};

/* A distribution of one part of tasks' lives. max is since the last snapshot. */
struct life_hist {
	u64 sum;
	u64 max;
	u32 bucket[PHASE_BUCKETS];
};

/* The whole lives of tasks that are added up when they end, instead of listed. */
struct exited_counts {
	u64 tasks;
	u64 reconciled; /* tasks whose switch counts equalled the kernel's */
	u64 on_cpu;
	u64 wait;
	u64 throttled;
	struct life_hist start; /* fork to first switch-in */
	struct life_hist run;   /* first switch-in to exit */
	struct life_hist end;   /* exit to last switch */
};

/* The cold half of one core: distributions, and sums of the phases. */
struct sums {
	struct hist wait;
	struct hist slices[CAUSES]; /* of watched tasks */
	struct exited_counts exited;
	u8 pad[2088];
	struct class_hists classes[CLASSES];
};

_Static_assert(sizeof(struct class_hists) == 4096, "a class is a page");
_Static_assert(__builtin_offsetof(struct sums, classes) % 4096 == 0, "classes are page-aligned");

/* One core between two of its switches, its log empty. */
struct snapshot {
	struct cpu_state cpu;
	struct sums sums;
	u64 now;
	u64 occupant_on_cpu; /* on_cpu of the watched task that runs here */
	u64 occupant_born;   /* its birth, which together with cpu.slot identifies it for life */
	u64 sent;            /* when recording: what has happened up to here is in the ring */
	u64 lost;            /* recorded events that found no room and that no record has reported yet */
};

/* What becomes of a watched task's children, and of theirs, when they end. */
enum follow {
	FOLLOW_NONE,
	FOLLOW_LISTED,  /* a struct task_exit is sent for each */
	FOLLOW_COUNTED, /* each is added to exited_counts */
};

/*
 * One watched task: three cache lines, of which a switch touches two. The key tells which
 * task it is. It is made from the address of the task_struct, which stays the same for
 * life and cannot be another task's before this one's last switch, where the record is
 * retired. The tid can change: a thread that executes a program exchanges its own with
 * that of its process's first thread.
 */
struct watched_task {
	u64 on_cpu;
	u64 wait;
	u64 wait_max;
	union {
		u64 runnable_since; /* it waits for a core; 0: it does not */
		u64 run_delay;      /* the light way: sched_info's, when the task last took a core */
	};
	u64 slices[CAUSES];
	u64 key; /* 0: the slot is free; or KEY_ENDED */
	u32 migrations;
	u16 cpu;             /* the last that it ran on; NO_CPU: it has not run yet */
	union {
		u8 children;   /* enum follow */
		u8 last_cause; /* the light way: enum ended_by of its last slice; CAUSES: none has ended */
	};
	u8 counted;          /* it is itself a child of FOLLOW_COUNTED */
	union {
		u64 throttled_since; /* a quota keeps it from running; 0: none does */
		u64 nvcsw;           /* the light way: the kernel's, at its last voluntary switch */
	};
	u64 throttled;       /* for how long quotas did */
	u64 born;       /* when forked, or watched: with its slot, this identifies it for life */
	u64 first;      /* its first switch-in while watched */
	u64 exit_start; /* sched_process_exit; 0: it is alive */
	u32 tid;
	u32 tgid;
	u32 moves[MOVES]; /* the light way: migrations by distance, and how many of them were at wakeups */
	u32 hidden;       /* the light way: how often the task lost its core unseen or, with own times, got it */
	u16 left_state;   /* why.h: prev's state in the switch by which the task left its core */
	u16 left_cause;   /* enum ended_by of the slice that ended then */
	u32 pad;
	u64 left;         /* when that was; 0: it has a core, or that was not seen */
};

#define NO_CPU 0xffff
#define KEY_ENDED 1 /* the task has ended, and its record is still to be read; no task has this key */

_Static_assert(sizeof(struct watched_task) == 192, "a watched task is three cache lines");
_Static_assert(__builtin_offsetof(struct watched_task, throttled) < 128, "a switch touches two");

/* What the kernel knows of a task at its last switch. */
struct final_state {
	u64 nvcsw; /* of its whole life, like nivcsw */
	u64 nivcsw;
	char comm[16];
};

/* A watched task at its last switch. */
struct task_exit {
	u32 record; /* RECORD_TASK_EXIT */
	u32 slot;
	struct watched_task task;
	struct final_state final;
};

/* What a record in the ring is: its first word. */
enum record_type {
	RECORD_TASK_EXIT,
	RECORD_EVENTS,
	RECORD_TASK_NAME,
};

enum event_flag {
	EVENT_WAKEUP = 1,       /* without it, the event is a switch */
	EVENT_PICK_VALID = 2,   /* pick_ns was measured */
	EVENT_SWITCH_VALID = 4, /* switch_ns was measured */
	EVENT_PREEMPT = 8,      /* sched_switch's argument preempt */
};

/*
 * A switch as it is recorded, with the slice that it ends and the phases of the
 * switch before it; or a wakeup.
 */
struct event {
	u64 time;        /* s0, or when the task was woken */
	u64 slice_start; /* s1 of the switch before; 0: it was not seen */
	u32 prev;
	u32 next;      /* of a wakeup, the task that was woken */
	u32 pick_ns;   /* of the switch before, like switch_ns, class and two of the flags */
	u32 switch_ns;
	u16 state; /* prev's __state */
	u8 class;
	u8 cause;
	u8 flags; /* enum event_flag */
	u8 pad;
	u16 cpu; /* of a wakeup, where the task is to run */
};

#define BLOCK_EVENTS 64
#define LATE_EVENTS 16 /* a power of two */
#define RENAMES_AT_ONCE 16

/* The events of one core that are not sent yet. This is also what is sent, as it is. */
struct events {
	u32 record; /* RECORD_EVENTS */
	u32 cpu;
	u32 count;
	u32 pending_phases; /* the next four fields are the last switch's, for the next event */
	u32 pick_ns;
	u32 switch_ns;
	u8 class;
	u8 flags;
	u8 sending;      /* an interrupt that comes meanwhile puts its events into event_buf.late */
	u8 name_pending; /* event_buf.name is to be sent */
	u8 name_busy;    /* event_buf.name is being written */
	u8 renames;      /* names that the running task gave itself, up to RENAMES_AT_ONCE */
	u8 pad[2];
	u64 lost; /* events that found no room in the ring, since the last that did */
	struct event event[BLOCK_EVENTS];
};

/* A task's name. */
struct task_name {
	u32 record; /* RECORD_TASK_NAME */
	u32 tid;
	u32 tgid;
	u32 parent; /* the tid that has just created the task; 0: the task was only renamed */
	u64 time;
	char comm[16];
};

/* What is recorded on one core: the block to be sent, and what does not go into it yet. */
struct event_buf {
	struct events out;
	u32 late_head;   /* wakeups that came while out was being sent and found room in late */
	u32 late_tail;   /* how many of them have been moved to out */
	u32 missed;      /* wakeups that found no room in late */
	u32 missed_sent; /* how many of those are part of out.lost */
	struct event late[LATE_EVENTS];
	struct task_name name; /* the last that the running task gave itself */
};

#define PLAIN_TIMERS 32

/* Counts of what the figures miss, and what has been found out about this kernel. */
struct globals {
	u64 map_full;
	u64 dropped_tasks;
	u64 unwatched_core;
	u64 tick_function;   /* address of the tick's callback; 0: not found yet */
	u64 hrtick_function; /* of the timer that ends slices between ticks; 0: not seen */
	u64 resched_flags;   /* the bits of thread_info.flags that ask for a switch; 0: not learned yet */
	u64 plain_timers;    /* callbacks found to be neither */
	u64 plain_function[PLAIN_TIMERS]; /* the last of them */
	u64 lost_names;      /* task_name records that found no room */
};

/* The places for watched tasks. These are written only when a task is born or ends. */
struct places {
	u64 filled;  /* slots that st_fill has made free */
	u64 used;    /* slots that have ever been taken: the lowest ones */
	u64 leaving; /* watched tasks that have begun to exit and are still to make their last switch */
	u64 counted; /* watched tasks of FOLLOW_COUNTED */
	u64 lost;    /* times that the kernel did not take a place back */
};

/* What became of the request to watch a task. */
enum watching {
	WATCHING_NOBODY, /* there is no such task */
	WATCHING,
	WATCHING_ALREADY,
	WATCHING_NO_ROOM,
};

/* A task that the collector wants watched, and how that ended. */
struct wanted {
	u32 tid; /* 0: the end of the list */
	u8 children; /* enum follow */
	u8 state;    /* enum watching */
	u16 pad;
	u32 slot; /* of its record */
	u32 pad1;
	u64 born;
};

#define WANTED 64 /* at once */
