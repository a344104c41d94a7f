/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The class of a switch, and why the slice before it ended. */

#include "core_fixes.h"
#include "maps.h"

/*
 * A task that exits has dropped its mm. Like a kernel thread, it keeps the address space
 * that was loaded when it took the core. So a switch to it loads none, and a switch away
 * from it loads next's, unless that is the one that it kept.
 */
static __always_inline u32 class_without_mm(struct task_struct *prev, struct task_struct *next)
{
	if (next->mm && prev->active_mm != next->mm)
		return CLASS_PROCESS;
	return prev->tgid == next->tgid ? CLASS_THREAD : CLASS_KERNEL;
}

static __always_inline u32 class_of(struct task_struct *prev, struct task_struct *next)
{
	if (!prev->pid)
		return CLASS_IDLE_OUT;
	if (!next->pid)
		return CLASS_IDLE_IN;
	if ((prev->flags | next->flags) & PF_KTHREAD)
		return CLASS_KERNEL;
	if (!prev->mm || !next->mm)
		return class_without_mm(prev, next);
	return prev->mm == next->mm ? CLASS_THREAD : CLASS_PROCESS;
}

/* Notes which task was woken onto a core. The kernel holds that core's rq lock meanwhile. */
static __always_inline void note_woken(struct cpu_state *c, u32 tid)
{
	c->woken[c->wakes % WOKEN_NOTED] = tid;
	c->wakes++;
}

/* A tick that asks for no switch clears the wakeups before it, since they asked for none either. */
static __always_inline bool was_woken(struct cpu_state *c, u32 tid)
{
	u32 i;

	for (i = 0; i < WOKEN_NOTED && i < c->wakes; i++)
		if (c->woken[i] == tid)
			return true;
	return false;
}

/*
 * Why prev lost the core although it would have gone on. When one task wakes all that wait
 * for it, more tasks are woken at once than there is room to note. Then the kernel's own
 * stamps, which come from one clock, tell whether next joined the queue within prev's slice.
 */
static __noinline u32 preempt_cause(struct cpu_state *c, bool preempt, struct task_struct *prev,
				   struct task_struct *next)
{
	if (is_throttled(prev))
		return ENDED_THROTTLED;
	if (!preempt && is_sched_yield(prev))
		return ENDED_YIELD;
	if (was_woken(c, next->pid))
		return ENDED_WAKEUP;
	if (c->tick_asked)
		return ENDED_TICK;
	if (c->wakes > WOKEN_NOTED && queued_since(prev, next))
		return ENDED_WAKEUP;
	return ENDED_OTHER;
}

/*
 * A switch is voluntary exactly where __schedule counts it so: prev was not preempted, and
 * its state was not running. Where a signal has made prev running again on its way to
 * block, only the counter tells, which the kernel raises before the tracepoint.
 */
static __always_inline u32 cause_of(struct cpu_state *c, bool preempt, struct task_struct *prev,
				    struct task_struct *next, u32 state)
{
	if (!preempt && (state || (c->nvcsw != ~0ULL && c->nvcsw != prev->nvcsw)))
		return state & TASK_DEAD ? ENDED_EXITED : ENDED_BLOCKED;
	return preempt_cause(c, preempt, prev, next);
}
