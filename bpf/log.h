/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The log in a core's hot page, and how it is added to the histograms. */

#include "hist.h"
#include "maps.h"

/*
 * Adds one entry of a core's log to its sums. Not static, so that the verifier
 * looks at it once, and not anew for each turn of the loop in flush.
 */
__noinline int add_entry(u32 cpu, u32 i)
{
	struct core *c = bpf_map_lookup_elem(&st_cores, &cpu);
	struct sums *s = bpf_map_lookup_elem(&st_sums, &cpu);
	struct class_page *p;
	u32 class, cause;
	struct entry *e;
	u64 pick, took;

	if (!c || !s)
		return 0;
	barrier_var(i); /* else the compiler bounds a copy of it */
	e = &c->log[i % LOG_ENTRIES];
	cause = e->cause;
	class = e->class;
	if (e->waited)
		spread_add(&s->wait, e->wait);
	if (cause < CAUSES)
		spread_add(&s->ended[cause], e->slice);
	if (class >= CLASSES)
		return 0;
	pick = e->pick;
	took = e->took;
	p = &s->classes[class];
	p->switches++;
	if (e->picked) {
		p->pick_sum += pick;
		raise(&p->pick_max, pick);
		p->pick[bucket_of(pick, PHASE_BUCKETS - 1)]++;
	}
	if (!e->ended)
		return 0;
	p->switch_sum += took;
	raise(&p->switch_max, took);
	p->switch_[bucket_of(took, PHASE_BUCKETS - 1)]++;
	if (!e->picked)
		return 0;
	p->cost_sum += pick + took;
	raise(&p->cost_max, pick + took);
	p->cost[bucket_of(pick + took, PHASE_BUCKETS - 1)]++;
	return 0;
}

/* Adds the log to the sums and empties it. */
static __noinline int flush(struct core *c)
{
	u32 cpu = bpf_get_smp_processor_id(), i;

	for (i = 0; i < LOG_ENTRIES && i < c->logged; i++)
		add_entry(cpu, i);
	c->logged = 0;
	return 0;
}

/* A phase in 32 bits, which are enough for 4 s. */
static __always_inline u32 short_time(u64 ns)
{
	return ns <= ~0U ? ns : ~0U;
}

/* The phases of the switch before this one, which are complete by now. */
static __always_inline void log_phases(struct core *c, struct entry *e)
{
	e->class = c->class;
	e->pick = c->pick;
	e->picked = c->picked;
	e->ended = c->exit != 0;
	e->took = short_time(c->exit - c->since);
}

static __always_inline struct entry *next_entry(struct core *c)
{
	u32 i = c->logged % LOG_ENTRIES;
	struct entry *e = &c->log[i];

	e->cause = CAUSES;
	e->waited = 0;
	return e;
}

/* To be followed by no use of the entry: it may be added to the sums at once. */
static __always_inline void end_entry(struct core *c)
{
	c->logged++;
	if (c->logged >= LOG_ENTRIES)
		flush(c);
}
