/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What is kept to tell where tasks were when they were off their cores: why.h. */

#include "layout.h"

#define KERNEL_FRAMES 64 /* of one stack, at most */
#define USER_FRAMES 126
#define COPY_STEP 1024 /* bytes of a user stack that are copied at once */
#define COPY_STEPS 8   /* at most */
#define WAKER_KERNEL_FRAMES 32
#define WAKER_USER_FRAMES 32

/* Who has woken a task, and where it was. */
struct waker {
	u64 left; /* when the task that was woken had left its core: tells which sleep this is about */
	u64 start_time; /* of its process, which tells processes of one tgid apart */
	u64 program;    /* as in stack_sample */
	u32 tid;  /* of the task that ran on the waking core; an interrupt may have come to it */
	u32 tgid;
	char comm[16];
	char process[16];
	u16 kernel_bytes; /* of stack: the kernel's frames, then the program's */
	u16 user_bytes;
	u32 pad;
	u64 stack[WAKER_KERNEL_FRAMES + WAKER_USER_FRAMES];
};

/* A task that is back on a core. This is also what is sent, up to the end of its stack. */
struct stack_sample {
	u64 away;       /* for how long it had no core */
	u64 waited;     /* for how much of that it waited for one, or for its quota */
	u64 stands_for; /* the time away that this sample stands for: at least away */
	u64 cgroup;
	u64 start_time; /* of the process */
	u64 program;    /* mm_struct's start_stack: by chance, another program of the process has it elsewhere */
	u32 tid;
	u32 tgid;
	u32 uid;
	u32 state; /* __state, as it left its core; 0: it would have gone on */
	u8 cause;  /* enum ended_by of its last slice */
	u8 iowait;
	u8 has_waker;
	u8 pad;
	u16 kernel_bytes; /* of stack: the kernel's frames, then the program's, then a copy of its stack from sp on */
	u16 user_bytes;
	u32 copied_bytes;
	u64 pc; /* the program's registers */
	u64 sp;
	u64 fp;
	u64 other; /* rdi or x30: the return address of functions that keep it in a register */
	char comm[16];
	char process[16];
	struct waker waker;
	u64 stack[KERNEL_FRAMES + USER_FRAMES + COPY_STEP * COPY_STEPS / 8];
};

/* A process from one execution of a program to the next. */
struct program_key {
	u64 start_time;
	u64 program;
	u32 tgid;
	u32 pad;
};

/* How many stacks a core takes, and which. */
struct stack_budget {
	u64 threshold; /* shorter absences are taken with a probability of their length over this */
	u64 window;    /* when the time over which walks are counted began */
	u64 in_window;
	u64 taken;
	u64 skipped;
	u64 lost; /* stacks that found no room in the ring */
	u64 walk_ns;
	u64 woken;   /* when the reader was woken last */
	u64 walk_from; /* when the walk under way began */
	u64 walking; /* how many walks are under way: an interrupt can come to one and make another */
};

#define PARTNERS 12 /* of one task and kind, at most, that are told apart */

/* How often, and for how long the task then waited for a core. */
struct partner_sum {
	u64 count;
	u64 wait;
};

/* Who it is: a thread name of a process, or interrupts, which have neither. */
struct partner {
	u64 turn; /* how many partners have had this place so far */
	u64 cgroup;
	u32 tgid;
	u32 flags; /* the kernel's, PF_ */
	u32 uid;
	u32 pad;
	char comm[16];
};

struct partner_list {
	u64 changes; /* of places to other partners; odd while one is being made */
	u32 name[PARTNERS];   /* the number of the partner that was here last, see name_of; 0: none */
	u32 weight[PARTNERS]; /* how often the partner came up, and all that had the place before, at most */
	struct partner_sum sum[PARTNERS + 1]; /* the last is of those who have no place, or have lost theirs */
	struct partner who[PARTNERS];
};

/* Who takes a task's core, and who wakes it: pairs.h. */
struct partners {
	u64 born;  /* the record's, once the rest is this task's */
	u32 taker; /* who has taken its core: one more than the index in takers; 0: nobody, or it has a core */
	u32 waker; /* who has woken it, since it last took a core */
	struct partner_list takers;
	struct partner_list wakers;
	struct partner owner; /* the full way: the task itself */
	char process[16];     /* the full way: the name of its process's first thread */
};

/* The full way: a watched task at its last switch, with its partners. This is sent in place of a task_exit. */
struct paired_exit {
	struct task_exit exit;
	struct partners partners;
};
