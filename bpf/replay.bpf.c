//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * For tests only: the programs of slicetrace.bpf.c, run by hand on made-up tasks, cores and
 * times, to replay sequences that a kernel seldom makes. What the programs ask the kernel
 * for is answered from struct replay_world. The macro BPF_PROG defines each program st_x
 * as a wrapper around a function ____st_x, which is what is called here.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define FAKE_TASKS 8

/* A task as a test wants it. */
struct fake_task {
	u32 pid;
	u32 tgid;
	u32 flags;
	u32 state;
	u64 mm;
	u64 active_mm;
	u64 nvcsw;
	u64 nivcsw;
	u32 cpu;
	s32 syscall;
	u64 arrival;
	u64 queued;
	u32 compat; /* in a system call of the 32-bit table */
	u32 throttled;
	char comm[16];
};

/* The timers of a test. Each core has one of each. */
enum fake_timer {
	FAKE_TICK,
	FAKE_HRTICK,
	FAKE_PLAIN,
	FAKE_TIMERS = 4,
};

enum step {
	STEP_TASK,   /* makes `task` what fake says */
	STEP_ENTRY,
	STEP_SWITCH, /* from `task` to `other` */
	STEP_EXIT,
	STEP_WAKEUP, /* of `task`, seen on the core `cpu` */
	STEP_WAKEUP_NEW,
	STEP_FORK,   /* `task` creates `other` */
	STEP_EXEC,   /* of `task`, which was known as old_tid */
	STEP_LEAVE,  /* sched_process_exit */
	STEP_TIMER_BEGINS, /* the turn of `timer`, which interrupts `current` */
	STEP_TIMER_ENDS,   /* that timer's turn, which has set flags of `current` */
	STEP_RENAME, /* of `task`, by `current`, to what fake.comm says */
	STEP_WATCH,  /* what the iterator does when it comes to `task` */
};

/* Everything that the programs can see. */
struct replay_world {
	u64 now;   /* what the clock shows next */
	u64 pace;  /* how far it goes with each reading */
	enum step step;
	u32 cpu;
	u32 task;
	u32 other;
	u32 preempt;
	u32 old_tid;
	u32 current; /* the task that runs on the core */
	u32 timer;
	u32 prev_state; /* as sched_switch passes it */
	u32 pad;
	u64 sets;
	struct fake_task fake;
};

struct replay_world world;

/* As large as any kernel's task_struct, so that its fields have room at their offsets. */
struct fake_kernel_task {
	char bytes[32768];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FAKE_TASKS);
	__type(key, u32);
	__type(value, struct fake_kernel_task);
} fake_tasks SEC(".maps");

struct fake_kernel_task no_task;
char fake_regs[1024];
s32 fake_syscall[FAKE_TASKS];
char fake_timers[FAKE_TIMERS * 1024];
u64 fake_args[4];
char fake_group[4096];
u32 fake_compat[FAKE_TASKS];

static __always_inline u64 fake_clock(void)
{
	u64 now = world.now;

	world.now = now + world.pace;
	return now;
}

static __always_inline struct task_struct *fake_task(u32 i)
{
	struct task_struct *t = bpf_map_lookup_elem(&fake_tasks, &i);

	return t ? t : (struct task_struct *)&no_task;
}

#define bpf_ktime_get_ns fake_clock
#define bpf_get_smp_processor_id() (world.cpu)
#define bpf_get_current_task_btf() fake_task(world.current)
#define bpf_task_pt_regs(t) ((long)(void *)fake_regs)

#include "slicetrace.bpf.c"

BIND(enum fake_timer, fake_timer_type);

static __always_inline struct cfs_rq *a_throttled_group(void)
{
	struct cfs_rq *group = (struct cfs_rq *)fake_group;

	if (bpf_core_field_exists(group->throttle_count))
		group->throttle_count = 1;
	return group;
}

static __always_inline void set_task(struct task_struct *t, struct fake_task *f, u32 i)
{
	t->pid = f->pid;
	t->tgid = f->tgid;
	t->flags = f->flags;
	t->mm = (void *)f->mm;
	t->active_mm = (void *)f->active_mm;
	t->nvcsw = f->nvcsw;
	t->nivcsw = f->nivcsw;
	if (bpf_core_field_exists(t->__state))
		t->__state = f->state;
	else
		((struct task_struct___state *)t)->state = f->state;
	if (bpf_core_field_exists(((struct task_struct___cpu *)t)->cpu))
		((struct task_struct___cpu *)t)->cpu = f->cpu;
	else
		t->thread_info.cpu = f->cpu;
	if (bpf_core_field_exists(t->sched_info.last_queued)) {
		t->sched_info.last_arrival = f->arrival;
		t->sched_info.last_queued = f->queued;
	}
	t->prio = 120;
	if (throttles_tasks())
		t->throttled = f->throttled;
	else if (bpf_core_field_exists(t->se.cfs_rq))
		t->se.cfs_rq = f->throttled ? a_throttled_group() : NULL;
	t->thread_info.flags = 0;
	__builtin_memcpy(t->comm, f->comm, sizeof(f->comm));
	fake_syscall[i % FAKE_TASKS] = f->syscall;
	fake_compat[i % FAKE_TASKS] = f->compat;
}

static __always_inline void set_syscall(struct task_struct *t, u32 task)
{
	struct pt_regs *regs = (struct pt_regs *)fake_regs;

#if defined(__TARGET_ARCH_x86)
	regs->orig_ax = fake_syscall[task % FAKE_TASKS];
	t->thread_info.status = fake_compat[task % FAKE_TASKS] ? TS_COMPAT : 0;
#else
	regs->syscallno = fake_syscall[task % FAKE_TASKS];
	regs->pstate = fake_compat[task % FAKE_TASKS] ? PSR_MODE32_BIT : 0;
#endif
}

/* The scheduler clears the flags before the tracepoint. */
static __always_inline int switch_from(struct task_struct *prev, struct task_struct *next)
{
	set_syscall(prev, world.task);
	prev->thread_info.flags = 0;
	fake_args[3] = world.prev_state;
	return ____st_switch(fake_args, world.preempt, prev, next);
}

/* The callbacks count as recognised before. */
static __always_inline struct hrtimer *a_timer(void)
{
	u32 i = world.timer % FAKE_TIMERS;
	struct hrtimer *timer;

	barrier_var(i); /* or the verifier would lose its bound */
	timer = (struct hrtimer *)&fake_timers[i * 1024];

	st_globals.tick_function = 1 + FAKE_TICK;
	st_globals.hrtick_function = 1 + FAKE_HRTICK;
	st_globals.plain_function[0] = 1 + FAKE_PLAIN;
	timer->function = (void *)(1 + (u64)world.timer);
	return timer;
}

SEC("raw_tp")
int replay_step(void *ctx)
{
	struct task_struct *task = fake_task(world.task), *other = fake_task(world.other);

	switch (world.step) {
	case STEP_TASK:
		set_task(task, &world.fake, world.task);
		return 0;
	case STEP_ENTRY:
		return ____st_entry(NULL);
	case STEP_SWITCH:
		return switch_from(task, other);
	case STEP_EXIT:
		return ____st_exit(NULL);
	case STEP_WAKEUP:
		return ____st_wakeup(NULL, task);
	case STEP_WAKEUP_NEW:
		return ____st_wakeup_new(NULL, task);
	case STEP_FORK:
		return ____st_fork(NULL, task, other);
	case STEP_EXEC:
		return ____st_exec(NULL, task, world.old_tid);
	case STEP_LEAVE:
		return ____st_process_exit(NULL, task);
	case STEP_TIMER_BEGINS:
		return ____st_tick(NULL, a_timer());
	case STEP_TIMER_ENDS:
		fake_task(world.current)->thread_info.flags |= world.sets;
		return ____st_tick_end(NULL, a_timer());
	case STEP_WATCH:
		return watch(task);
	case STEP_RENAME:
		return ____st_rename(NULL, task, world.fake.comm);
	}
	return 1;
}
