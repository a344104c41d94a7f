//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * The hooks of slicetrace.bpf.c with only what measuring a switch's phases and its wait
 * needs: a stamp where each begins and ends, kept per core. There are no sums, counts or
 * tasks: no tracer can measure them with less.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct stamps {
	u64 entry;
	u64 out;
	u64 in;
	u64 exit;
	u64 woken;
	u64 pad[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stamps);
} st_stamps SEC(".maps");

static __always_inline struct stamps *here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_stamps, &cpu);
}

SEC("tp_btf/sched_entry_tp")
int st_stamp_sched_entry_tp(void *ctx)
{
	struct stamps *s = here();

	if (s)
		s->entry = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_switch")
int st_stamp_sched_switch(void *ctx)
{
	u64 s0 = bpf_ktime_get_ns();
	struct stamps *s = here();

	if (!s)
		return 0;
	s->out = s0;
	s->in = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int st_stamp_sched_exit_tp(void *ctx)
{
	u64 x0 = bpf_ktime_get_ns();
	struct stamps *s = here();

	if (s)
		s->exit = x0;
	return 0;
}

SEC("tp_btf/sched_wakeup")
int st_stamp_sched_wakeup(void *ctx)
{
	struct stamps *s = here();

	if (s)
		s->woken = bpf_ktime_get_ns();
	return 0;
}

#define EMPTY(hook) \
	SEC("tp_btf/" #hook) int st_stamp_##hook(void *ctx) { return 0; }

EMPTY(sched_wakeup_new)
EMPTY(sched_process_fork)
EMPTY(sched_process_exec)
EMPTY(sched_process_exit)
EMPTY(hrtimer_expire_entry)
EMPTY(hrtimer_expire_exit)
