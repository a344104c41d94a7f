/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

#include "kernel.h"
#include <bpf/bpf_helpers.h>

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
