/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"
#include <bpf/bpf_helpers.h>

#define SYMBOL_BYTES 32

/*
 * Writes the start of a kernel function's name to name. From 37cce22dbd51 (6.14) to
 * 802eef5afb18 ("bpf: Fix memory access flags in helper prototypes", January 2026) the
 * verifier assumes that bpf_snprintf does not write to its buffer, and removes code that
 * depends on what it wrote. So the buffer is copied by a helper that the verifier knows to
 * write.
 */
static __always_inline void symbol_name(u64 address, char name[SYMBOL_BYTES])
{
	char said[SYMBOL_BYTES] = {};

	/* A string literal would need a map of its own. */
	static const char format[] = "%ps";

	bpf_snprintf(said, sizeof(said), format, &address, sizeof(address));
	bpf_probe_read_kernel(name, SYMBOL_BYTES, said);
}
