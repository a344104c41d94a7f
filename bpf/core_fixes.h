/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "maps.h"

/* Everything that depends on how old the kernel is. */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Before 2f064a59a11f ("sched: Change task_struct::state"), 5.14. */
struct task_struct___state {
	volatile long state;
};

/* Before bcf9033e5449 ("sched: move CPU field back into thread_info"), 5.16. */
struct task_struct___cpu {
	unsigned int cpu;
};

#pragma clang attribute pop

static __always_inline u64 task_state(struct task_struct *t)
{
	if (bpf_core_field_exists(t->__state))
		return t->__state;
	return ((struct task_struct___state *)t)->state;
}

static __always_inline u32 task_cpu(struct task_struct *t)
{
	struct task_struct___cpu *old = (void *)t;

	if (bpf_core_field_exists(old->cpu))
		return old->cpu;
	return t->thread_info.cpu;
}

/*
 * prev's state as __schedule found it. The tracepoint passes it since fa2c3254d7cf and
 * 9c2136be0878 ("sched/tracing: Append prev_state to tp args instead"), 5.18. Before that
 * it is read from the task, which may have been made running meanwhile.
 */
static __always_inline u32 switch_state(u64 *args, struct task_struct *prev)
{
	return tells_prev_state ? args[3] : task_state(prev);
}

#if defined(__TARGET_ARCH_x86)
#define NR_SCHED_YIELD 24
#define X32_SYSCALL_BIT 0x40000000
#define TS_COMPAT 2 /* the task is in a system call of the 32-bit table */
#else
#define NR_SCHED_YIELD 124
#define PSR_MODE32_BIT 0x10
#endif
#define NR_COMPAT_SCHED_YIELD 158

/*
 * Whether the task last entered the kernel by sched_yield; an interrupt leaves -1 as the
 * number of the system call. Each table of system calls has its own number for
 * sched_yield. bpf_task_pt_regs exists since 5.15.
 */
static __always_inline bool is_sched_yield(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
#if defined(__TARGET_ARCH_x86)
	s32 number = regs->orig_ax;

	if (number == NR_COMPAT_SCHED_YIELD)
		return t->thread_info.status & TS_COMPAT;
	return number == (NR_SCHED_YIELD | X32_SYSCALL_BIT) ||
	       (number == NR_SCHED_YIELD && !(t->thread_info.status & TS_COMPAT));
#else
	if (regs->syscallno == NR_COMPAT_SCHED_YIELD)
		return regs->pstate & PSR_MODE32_BIT;
	return regs->syscallno == NR_SCHED_YIELD && !(regs->pstate & PSR_MODE32_BIT);
#endif
}

/* What a task's registers were when it entered the kernel. other is rdi or x30, in which the return address can be. */
static __always_inline void user_registers(struct task_struct *t, u64 *pc, u64 *sp, u64 *fp, u64 *other)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	*pc = regs->ip;
	*sp = regs->sp;
	*fp = regs->bp;
	*other = regs->di;
#else
	*pc = regs->pc;
	*sp = regs->sp;
	*fp = regs->regs[29];
	*other = regs->regs[30];
#endif
}

/* Whether next joined the core's queue after prev took the core. False if the kernel keeps no such stamps. */
static __always_inline bool queued_since(struct task_struct *prev, struct task_struct *next)
{
	if (bpf_core_field_exists(next->sched_info.last_queued))
		return next->sched_info.last_queued > prev->sched_info.last_arrival;
	return false;
}

/*
 * Whether the kernel stops throttled tasks one by one, each when it leaves the kernel:
 * since e1fad12dcb66 and the commits around it ("sched/fair: Task based throttle"), 6.18.
 */
static __always_inline bool throttles_tasks(void)
{
	return bpf_core_field_exists(((struct task_struct *)0)->throttled);
}

/* Before that, all tasks of the group were taken off the queue at once. */
static __always_inline bool in_throttled_group(struct task_struct *t)
{
	if (!bpf_core_field_exists(((struct sched_entity *)0)->cfs_rq) ||
	    !bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
		return false;
	return t->prio >= MAX_RT_PRIO && BPF_CORE_READ(t, se.cfs_rq, throttle_count) > 0;
}

/* Whether a task that could go on loses the core because its group has used up its quota of CPU time. */
static __always_inline bool is_throttled(struct task_struct *t)
{
	return throttles_tasks() ? t->throttled : in_throttled_group(t);
}
