/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The log in a core's hot page, and how it is added to the histograms. */

#include "hist.h"
#include "maps.h"

/* Adds the phases of a switch that were timed to those of its class. */
static __always_inline void add_phases(struct class_hists *p, u64 pick, u64 switch_ns, bool pick_valid,
				       bool switch_valid)
{
	if (pick_valid) {
		p->pick_sum += pick;
		raise(&p->pick_max, pick);
		p->pick[bucket_of(pick, PHASE_BUCKETS - 1)]++;
	}
	if (!switch_valid)
		return;
	p->switch_sum += switch_ns;
	raise(&p->switch_max, switch_ns);
	p->switch_[bucket_of(switch_ns, PHASE_BUCKETS - 1)]++;
	if (!pick_valid)
		return;
	p->cost_sum += pick + switch_ns;
	raise(&p->cost_max, pick + switch_ns);
	p->cost[bucket_of(pick + switch_ns, PHASE_BUCKETS - 1)]++;
}

/*
 * Adds one entry of a core's log to its sums. Not static, so that the verifier checks it
 * once instead of once for each turn of the loop in flush.
 */
__noinline int add_entry(u32 cpu, u32 i)
{
	struct cpu_state *c = bpf_map_lookup_elem(&st_cpus, &cpu);
	struct sums *s = bpf_map_lookup_elem(&st_sums, &cpu);
	struct class_hists *p;
	u32 class, cause;
	struct log_entry *e;

	if (!c || !s)
		return 0;
	barrier_var(i); /* or the compiler would bound a copy of it, which the verifier does not follow */
	e = &c->log[i % LOG_ENTRIES];
	cause = e->cause;
	class = e->class;
	if (e->wait_valid)
		hist_add(&s->wait, e->wait_ns);
	if (cause < CAUSES)
		hist_add(&s->slices[cause], e->slice_ns);
	if (class >= CLASSES)
		return 0;
	p = &s->classes[class];
	p->switches++;
	add_phases(p, e->pick_ns, e->switch_ns, e->pick_valid, e->switch_valid);
	return 0;
}

/* Adds the log to the sums and empties it. */
static __noinline int flush(struct cpu_state *c)
{
	u32 cpu = bpf_get_smp_processor_id(), i;

	for (i = 0; i < LOG_ENTRIES && i < c->logged; i++)
		add_entry(cpu, i);
	c->logged = 0;
	return 0;
}

/* Adds the time since the slice began to what the kind of task that runs here has had. */
static __always_inline void charge_occupant(struct cpu_state *c, u64 now)
{
	u32 occupant = c->occupant;

	if (occupant < OCCUPANTS)
		c->occupied_ns[occupant] += now - c->slice_start;
}

/* A phase in 32 bits, which hold up to 4.3 s. */
static __always_inline u32 short_time(u64 ns)
{
	return ns <= ~0U ? ns : ~0U;
}

/* Logs the phases of the switch before this one, which are complete by now. */
static __always_inline void log_phases(struct cpu_state *c, struct log_entry *e)
{
	e->class = c->class;
	e->pick_ns = c->pick_ns;
	e->pick_valid = c->pick_valid;
	e->switch_valid = c->exit_stamp != 0;
	e->switch_ns = short_time(c->exit_stamp - c->slice_start);
}

/* Returns the entry that this switch fills. end_entry ends it. */
static __always_inline struct log_entry *next_entry(struct cpu_state *c)
{
	u32 i = c->logged % LOG_ENTRIES;
	struct log_entry *e = &c->log[i];

	e->cause = CAUSES;
	e->wait_valid = 0;
	return e;
}

/* Ends an entry, which must not be used any more: it may be added to the sums at once. */
static __always_inline void end_entry(struct cpu_state *c)
{
	c->logged++;
	if (c->logged >= LOG_ENTRIES)
		flush(c);
}
