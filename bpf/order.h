/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What a reader on another core may rely on. */

#include "kernel.h"
#include <bpf/bpf_helpers.h>

const volatile bool exchanges = true; /* the kernel exchanges values in one step: on arm64 since 5.18 */

/*
 * Writes a value, after all that was written before, and returns the one before it. Without
 * exchanges a reader can come between: once in a great while it counts an ended task twice.
 */
static __always_inline u64 exchange(u64 *where, u64 value)
{
	u64 was;

	if (exchanges)
		return __sync_lock_test_and_set(where, value);
	was = *(volatile u64 *)where;
	*(volatile u64 *)where = value;
	return was;
}

/*
 * Raises begun before anything of a switch is written, or switches after all of it: by these
 * two a reader on another core knows that nothing has changed meanwhile. So do walks_begun and
 * walks for what a walk changes.
 */
static __always_inline void switch_counted(u64 *count)
{
#if defined(__TARGET_ARCH_arm64)
	if (exchanges)
		exchange(count, *count + 1); /* ordered */
	else
		++*count;
#else
	barrier(); /* x86 keeps the order of what a core writes */
	++*count;
	barrier();
#endif
}
