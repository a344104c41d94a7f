//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * A planted slowdown: attached to sched_switch after st_switch, it lengthens every
 * switch phase by a known number of clock reads.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define MOST_TURNS 1024

const volatile u32 burn_turns = 0;

SEC("tp_btf/sched_switch")
int st_burn(void *ctx)
{
	u32 i;

	for (i = 0; i < MOST_TURNS && i < burn_turns; i++)
		bpf_ktime_get_ns();
	return 0;
}
