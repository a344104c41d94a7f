//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * Measures how long a phase is in which nothing happens: one program's return, the way to
 * the next program, and its entry. The collector makes the kernel pass the places below, one
 * right after the other, by waiting for a child that does not exist. The first program is
 * attached as the one that starts the phase, and the second as the one that ends it:
 *
 *     do_wait                entry            fentry, first
 *     sched_process_wait     tracepoint       first, or second, or both
 *     add_wait_queue         entry            fentry or kprobe, second
 *
 * Entering a kprobe takes longer by far.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define FLOOR_SAMPLES 1024

const volatile u32 floor_tid = 0;

u64 floor_from;
u32 floor_count;
u32 floor_ns[FLOOR_SAMPLES];

static __always_inline int start(void)
{
	if ((u32)bpf_get_current_pid_tgid() == floor_tid)
		floor_from = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int sample(u64 now)
{
	u32 i = floor_count;

	/* The functions are called from elsewhere too. */
	if ((u32)bpf_get_current_pid_tgid() != floor_tid || !floor_from || i >= FLOOR_SAMPLES)
		return 0;
	floor_ns[i] = now - floor_from;
	floor_count = i + 1;
	floor_from = 0;
	return 0;
}

SEC("tp_btf/sched_process_wait")
int st_floor_first(void *ctx)
{
	return start();
}

SEC("fentry/do_wait")
int st_floor_first_fentry(void *ctx)
{
	return start();
}

SEC("tp_btf/sched_process_wait")
int st_floor_second(void *ctx)
{
	return sample(bpf_ktime_get_ns());
}

SEC("fentry/add_wait_queue")
int st_floor_second_fentry(void *ctx)
{
	return sample(bpf_ktime_get_ns());
}

SEC("kprobe")
int st_floor_second_kprobe(void *ctx)
{
	return sample(bpf_ktime_get_ns());
}
