//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/* Programs that do nothing on the hooks of slicetrace.bpf.c: the least that any tracer there costs. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define EMPTY(hook) \
	SEC("tp_btf/" #hook) int st_empty_##hook(void *ctx) { return 0; }

EMPTY(sched_entry_tp)
EMPTY(sched_switch)
EMPTY(sched_exit_tp)
EMPTY(sched_wakeup)
EMPTY(sched_wakeup_new)
EMPTY(sched_process_fork)
EMPTY(sched_process_exec)
EMPTY(sched_process_exit)
EMPTY(hrtimer_expire_entry)
EMPTY(hrtimer_expire_exit)
