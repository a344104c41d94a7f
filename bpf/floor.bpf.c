//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * What remains inside a phase although nothing happens in it: one program's
 * return, the way to the next program, and its entry. The two stand on one
 * tracepoint, which the collector fires by renaming its own thread.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define FLOOR_SAMPLES 1024

const volatile u32 floor_tid = 0;

u64 floor_from;
u32 floor_count;
u32 floor_ns[FLOOR_SAMPLES];

SEC("tp_btf/task_rename")
int st_floor_first(void *ctx)
{
	if ((u32)bpf_get_current_pid_tgid() == floor_tid)
		floor_from = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/task_rename")
int st_floor_second(void *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u32 i = floor_count;

	if ((u32)bpf_get_current_pid_tgid() != floor_tid || i >= FLOOR_SAMPLES)
		return 0;
	floor_ns[i] = now - floor_from;
	floor_count = i + 1;
	return 0;
}
