/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Of which class a switch is, and why the slice before it ended. */

#include "core_fixes.h"
#include "maps.h"

/*
 * A task that exits has dropped its mm and, like a kernel thread, runs on whichever
 * was loaded when it took the core: so a switch to it changes no address space, and
 * one away from it does unless next's is the one that is loaded.
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

/* Notes on its core who was woken. The kernel holds the core's rq lock meanwhile. */
static __always_inline void note_woken(struct cpu_state *c, u32 tid)
{
	c->woken[c->wakes % WOKEN] = tid;
	c->wakes++;
}

/* A tick that asks for no switch forgets the wakeups before it: they did not either. */
static __always_inline bool was_woken(struct cpu_state *c, u32 tid)
{
	u32 i;

	for (i = 0; i < WOKEN && i < c->wakes; i++)
		if (c->woken[i] == tid)
			return true;
	return false;
}

/*
 * Why prev lost the core although it would have gone on. More are woken at once than
 * the core has marks for when one task wakes all that wait for it: then the kernel's
 * own stamps, which are of one clock, say whether next joined the queue within prev's
 * slice.
 */
static __noinline u32 preempt_cause(struct cpu_state *c, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (is_throttled(prev))
		return ENDED_THROTTLED;
	if (!preempt && is_sched_yield(prev))
		return ENDED_YIELD;
	if (was_woken(c, next->pid))
		return ENDED_WAKEUP;
	if (c->tick_asked)
		return ENDED_TICK;
	if (c->wakes > WOKEN && queued_since(prev, next))
		return ENDED_WAKEUP;
	return ENDED_OTHER;
}

/*
 * Voluntary exactly as __schedule counts it: not preempted, and not running,
 * or about to block and made running again by a signal: then only the counter,
 * which is raised before the tracepoint, tells it.
 */
static __always_inline u32 cause_of(struct cpu_state *c, bool preempt, struct task_struct *prev,
				    struct task_struct *next, u32 state)
{
	if (!preempt && (state || (c->nvcsw != ~0ULL && c->nvcsw != prev->nvcsw)))
		return state & TASK_DEAD ? ENDED_EXITED : ENDED_BLOCKED;
	return preempt_cause(c, preempt, prev, next);
}
