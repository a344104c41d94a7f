/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Every trick that a kernel's age makes necessary stands here. */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Before 2f064a59a11f ("sched: Change task_struct::state"), 5.14. */
struct task_struct___state {
	volatile long state;
};

/* Before bcf9033e5449 ("sched: move CPU field back into thread_info"), 5.16. */
struct task_struct___cpu {
	unsigned int cpu;
};

#pragma clang attribute pop

static __always_inline u64 task_state(struct task_struct *t)
{
	if (bpf_core_field_exists(t->__state))
		return t->__state;
	return ((struct task_struct___state *)t)->state;
}

static __always_inline u32 task_cpu(struct task_struct *t)
{
	struct task_struct___cpu *old = (void *)t;

	if (bpf_core_field_exists(old->cpu))
		return old->cpu;
	return t->thread_info.cpu;
}

/*
 * The system call from which the task last entered the kernel, or -1 when an
 * interrupt brought it there. bpf_task_pt_regs is as old as 5.15.
 */
static __always_inline s32 task_syscall(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	return (s32)regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

#define SYMBOL_BYTES 32

/*
 * The start of a kernel function's name. From 37cce22dbd51 (6.14) to
 * 802eef5afb18 ("bpf: Fix memory access flags in helper prototypes", January
 * 2026) the verifier takes it that bpf_snprintf leaves its buffer as it was,
 * and removes what is done if it was not: so the name is read back by a helper
 * of which it knows better.
 */
static __always_inline void symbol_name(u64 address, char name[SYMBOL_BYTES])
{
	char said[SYMBOL_BYTES] = {};

	/* Named, so that it needs no map of its own as a string literal does. */
	static const char format[] = "%ps";

	bpf_snprintf(said, sizeof(said), format, &address, sizeof(address));
	bpf_probe_read_kernel(name, SYMBOL_BYTES, said);
}

#if defined(__TARGET_ARCH_x86)
#define NR_SCHED_YIELD 24
#else
#define NR_SCHED_YIELD 124
#endif
