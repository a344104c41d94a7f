/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Histograms with 16 buckets an octave. */

#include "maps.h"

/*
 * log2 of a byte. With this table, and without branches, the verifier follows two paths
 * through bucket_of instead of thirty-two: all programs take it 13 ms instead of 24.
 */
const u8 log2_byte[256] = {
	0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
	6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
	6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
};

static __always_inline u32 log2(u64 v)
{
	u64 r, s;

	s = (0xffffffffULL - v) >> 63 << 5; barrier_var(s); v >>= s; r = s;
	s = (0xffff - v) >> 63 << 4; barrier_var(s); v >>= s; r |= s;
	s = (0xff - v) >> 63 << 3; barrier_var(s); v >>= s; r |= s;
	return r + log2_byte[v & 255];
}

/* The bucket that histogram.BucketOf gives, at most last. */
static __always_inline u32 bucket_of(u64 v, u32 last)
{
	u32 e, i;

	if (v < 16)
		return v;
	e = log2(v);
	i = ((e - 3) << 4) + ((v >> (e - 4)) & 15);
	return i < last ? i : last;
}

static __always_inline void raise(u64 *max, u64 v)
{
	if (v > *max)
		*max = v;
}

/* Returns the bucket. */
static __always_inline u32 hist_add(struct hist *s, u64 v)
{
	u32 bucket = bucket_of(v, SLICE_BUCKETS - 1);

	s->sum += v;
	raise(&s->max, v);
	s->bucket[bucket]++;
	return bucket;
}

static __always_inline void life_hist_add(struct life_hist *a, u64 v)
{
	a->sum += v;
	raise(&a->max, v);
	a->bucket[bucket_of(v, PHASE_BUCKETS - 1)]++;
}
