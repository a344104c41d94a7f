//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * A planted slowdown. Attached to sched_switch after st_switch, it makes every switch phase
 * longer by a number of turns of a loop, each of a nanosecond or two. With 0 turns it costs
 * what any program on the hook does.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define MOST_TURNS 4096

volatile u32 slowdown_turns = 0;

SEC("tp_btf/sched_switch")
int st_slowdown(void *ctx)
{
	u32 i, turns = slowdown_turns;
	u64 x = turns;

	for (i = 0; i < MOST_TURNS && i < turns; i++) {
		x *= 0x2545f4914f6cdd1d;
		barrier_var(x);
	}
	return 0;
}
