//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * The light way of watching, for a machine that runs: light.h. All tasks are watched, each
 * from the moment on at which it is first seen to take a core or to have one. hooks.h has
 * the programs that time phases, which are attached for moments only.
 */

#include "kernel.h"
#include <bpf/bpf_tracing.h>
#include "hooks.h"
#include "light.h"
#include "visit.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(st_light, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u32 cpu = bpf_get_smp_processor_id(), slot = 0;
	struct cpu_state *c = bpf_map_lookup_elem(&st_cpus, &cpu);
	struct sums *s = bpf_map_lookup_elem(&st_sums, &cpu);
	struct watched_task *w;
	u64 now, s0 = 0;
	bool moved;

	if (!c || !s) {
		__sync_fetch_and_add(&st_globals.unwatched_core, 1);
		return 0;
	}
	if (c->entry_stamp) {
		if (st_timing)
			s0 = bpf_ktime_get_ns();
		else
			c->entry_stamp = 0; /* left from when they were */
	}
	now = switch_time(next);
	switch_counted(&c->begun);
	if (c->slice_start && c->task != (u64)prev)
		light_find_occupant(c, s, prev, now, !preempt && switch_state(ctx, prev));
	w = light_find(next, &slot);
	moved = kernel_times && w && w->run_delay != next->sched_info.run_delay;
	if (c->pick_valid | c->switch_stamp)
		light_phases(c, s);
	if (c->slice_start) {
		charge_occupant(c, now);
		if (c->occupant == OCCUPANT_WATCHED)
			light_out(c, s, preempt, prev, next, switch_state(ctx, prev), moved, now);
	}
	c->class = has_part(PART_CLASS) ? class_of(prev, next) : CLASS_THREAD;
	c->classes[c->class % CLASSES]++;
	c->exit_stamp = 0;
	c->tick_asked = 0;
	c->wakes = 0;
	light_hand_over(c, s, w, slot, next, moved, now);
	if (kernel_times && has_part(PART_QUEUE))
		note_queue(c, rq_of(next), now);
	if (next->pid == st_clock.reader) {
		st_clock.rq_clock = now;
		st_clock.monotonic = bpf_ktime_get_ns();
	}
	c->pick_valid = s0 != 0;
	c->switch_stamp = 0;
	if (s0) {
		c->pick_ns = short_time(s0 - c->entry_stamp);
		c->entry_stamp = 0;
		c->switch_stamp = bpf_ktime_get_ns();
	}
	switch_counted(&c->switches);
	return 0;
}

/* Attached only where the kernel keeps no times of waits. */
SEC("tp_btf/sched_wakeup")
int BPF_PROG(st_wakeup, struct task_struct *p)
{
	return light_wakes(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(st_wakeup_new, struct task_struct *p)
{
	return light_wakes(p);
}

SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(st_tick_end, struct hrtimer *timer)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct cpu_state *c = this_cpu();
	u64 now;

	if (!c || (c->timer != (u64)timer && c->tick_timer != (u64)timer))
		return 0;
	now = kernel_times ? rq_of(current)->clock : bpf_ktime_get_ns();
	if (timer_ends(c, (u64)timer, !current->pid, current->thread_info.flags))
		c->tick_clock = now;
	if (kernel_times && c->tick_timer == (u64)timer)
		note_queue(c, rq_of(current), now);
	return 0;
}

/* It fires at an execution too. */
SEC("tp_btf/task_rename")
int BPF_PROG(st_rename, struct task_struct *p, const char *comm)
{
	struct watched_task *w;
	struct task_facts *f;
	u32 slot;

	w = find_watched(p, &slot);
	if (!w)
		return 0;
	f = bpf_map_lookup_elem(&st_facts, &slot);
	if (!f)
		return 0;
	copy_name(f->comm, comm);
	if (p->pid == p->tgid)
		copy_name(f->process, comm);
	return 0;
}

/* A thread that executes a program gets the tid of its process's first thread (de_thread). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(st_exec, struct task_struct *p, int old_pid)
{
	struct watched_task *w;
	u32 slot;

	w = find_watched(p, &slot);
	if (w)
		w->tid = p->pid;
	return 0;
}

/* Begins the account of a core that has not switched yet. It runs on that core, between two of its switches. */
SEC("raw_tp")
int st_begin(void *ctx)
{
	struct cpu_state *c = this_cpu();
	struct task_struct *current = bpf_get_current_task_btf();
	struct watched_task *w;
	u32 slot = 0;
	u64 now;

	if (!c)
		return 1;
	if (c->slice_start)
		return 0;
	now = switch_time(current);
	c->class = CLASSES;
	c->task = (u64)current;
	c->slice_start = now;
	c->occupant = current->pid ? OCCUPANT_OTHER : OCCUPANT_IDLE;
	w = light_find(current, &slot);
	if (!w)
		return 0;
	w->cpu = bpf_get_smp_processor_id();
	w->first = now;
	c->occupant = OCCUPANT_WATCHED;
	c->slot = slot;
	return 0;
}

/* The reader runs it itself, since it may not know its tid outside its own PID namespace. */
SEC("raw_tp")
int st_reader(void *ctx)
{
	st_clock.reader = bpf_get_current_pid_tgid();
	return 0;
}

#define READ_TRIES 32

/*
 * Copies the page of a core, whose number is the argument, between two of that core's switches.
 * The core is not disturbed: so the copy is made again if it switches meanwhile. Returns 2 if
 * it always did.
 */
SEC("raw_tp")
int st_read(u64 *args)
{
	u32 cpu = args[0], zero = 0, i;
	struct core_page *p = bpf_map_lookup_elem(&st_page, &zero);
	struct cpu_state *c = bpf_map_lookup_elem(&st_cpus, &cpu);

	if (!p || !c)
		return 1;
#pragma clang loop unroll(disable)
	for (i = 0; i < READ_TRIES; i++)
		if (copy_page(p, c))
			return 0;
	return 2;
}

/* For what has no event that is worth a hook. */
SEC("iter/task")
int st_visit(struct iter_task *ctx)
{
	return ctx->task ? visit_task(ctx->meta->seq, ctx->task) : 0;
}
