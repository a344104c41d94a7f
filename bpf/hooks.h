/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The programs that slicetrace.bpf.c and light.bpf.c share. */

#include "kernel.h"
#include <bpf/bpf_tracing.h>
#include "maps.h"
#include "ticks.h"

static __always_inline int switch_begins(void)
{
	struct cpu_state *c = this_cpu();

	if (!c)
		return 0;
	/* Brings the page into the TLB before the stamp, so that the phase does not contain that. */
	barrier_var(c->entry_stamp);
	c->entry_stamp = bpf_ktime_get_ns();
	return 0;
}

/*
 * The hook fires without a switch too: then the last switch has its stamp already, and the
 * entry stamp belongs to no switch.
 */
static __always_inline int switch_ends(u64 x0)
{
	struct cpu_state *c = this_cpu();

	if (!c)
		return 0;
	if (!c->exit_stamp) {
		c->exit_stamp = x0;
		return 0;
	}
	c->entry_stamp = 0;
	if (c->tick_asked && !(bpf_get_current_task_btf()->thread_info.flags & resched_flags()))
		c->tick_asked = 0; /* the scheduler chose the same task again */
	return 0;
}

SEC("tp_btf/sched_entry_tp")
int BPF_PROG(st_entry)
{
	return switch_begins();
}

/*
 * Before 6.15: __schedule calls this function once, with interrupts off and before it takes the
 * run queue's lock. It is called elsewhere too, and not each call of __schedule leads to a switch:
 * the next stamp replaces one that belongs to no switch.
 */
SEC("fentry/rcu_note_context_switch")
int st_note(void *ctx)
{
	return switch_begins();
}

/*
 * Before 6.15, where the kernel takes no fentry program: that function fires this tracepoint first
 * and last ("Start context switch", "End context switch"), so the second stamp stays. It fires
 * elsewhere too, but not between there and sched_switch, where interrupts are off.
 */
SEC("tp_btf/rcu_utilization")
int st_utilization(void *ctx)
{
	return switch_begins();
}

SEC("tp_btf/sched_exit_tp")
int BPF_PROG(st_exit)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Before 6.15: the next task calls this function first. */
SEC("fentry/finish_task_switch")
int st_finish(void *ctx)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Where fentry programs are refused, or the compiler gave the function another name (kallsyms). */
SEC("kprobe")
int st_finish_kprobe(void *ctx)
{
	return switch_ends(bpf_ktime_get_ns());
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(st_tick, struct hrtimer *timer)
{
	struct task_struct *current = bpf_get_current_task_btf();
	u32 kind = kind_of_timer((u64)timer->function);
	struct cpu_state *c;

	if (kind == TIMER_PLAIN && (st_globals.resched_flags || current->pid))
		return 0;
	c = this_cpu();
	if (c)
		timer_begins(c, (u64)timer, kind, current->thread_info.flags);
	return 0;
}

/* How many slots are made free at once. */
#define FILL 128

/* Makes slots free, the lowest last. The collector runs it until all are. */
SEC("raw_tp")
int st_fill(void *ctx)
{
	u32 i, slot;

	for (i = 0; i < FILL && st_places.filled < most_tasks; i++) {
		st_places.filled++;
		slot = most_tasks - st_places.filled;
		if (bpf_map_push_elem(&st_free, &slot, BPF_ANY))
			return 1;
	}
	return 0;
}

struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq; /* what the reader reads */
};

#pragma clang attribute pop

/* What an iterator over all tasks passes. In the kernel each field is a union with a u64. */
struct iter_task {
	struct bpf_iter_meta *meta;
	struct task_struct *task; /* NULL: there are no more */
};
