/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * Ticks, and which switches they ask for. A tick asks by setting a flag of the task that it
 * interrupts, so the flags are compared before and after it. Which bit that is depends on
 * the kernel. It is learned from the idle task, whose flags timers set for no other reason.
 */

#include "core_fixes.h"
#include "maps.h"
#include "symbols.h"

/* Whether name starts with a fixed string; a suffix such as .cfi may follow. */
#define same(name, want) (!__builtin_memcmp(name, want, sizeof(want) - 1))

enum timer_kind {
	TIMER_PLAIN,
	TIMER_TICK,
	TIMER_HRTICK, /* ends a slice when it is due: the scheduler feature HRTICK, which newer kernels enable */
};

/*
 * What a timer's callback is. The kernel is asked for its name, once for each callback, so
 * that no privilege to read addresses in kallsyms is needed. Kernels have some twenty
 * callbacks. If more than PLAIN_TIMERS take turns, the names of some are asked for again
 * and again, which is slow but not wrong.
 */
static __noinline u32 kind_of_timer(u64 function)
{
	char name[SYMBOL_BYTES];
	u32 i;

	if (function == st_globals.tick_function)
		return TIMER_TICK;
	if (function == st_globals.hrtick_function)
		return TIMER_HRTICK;
	for (i = 0; i < PLAIN_TIMERS; i++)
		if (function == st_globals.plain_function[i])
			return TIMER_PLAIN;
	symbol_name(function, name);
	if (same(name, "tick_nohz_handler") || /* since 6.10 */
	    same(name, "tick_nohz_highres_handler") || /* since 6.7 */
	    same(name, "tick_sched_timer")) {
		st_globals.tick_function = function;
		return TIMER_TICK;
	}
	if (same(name, "hrtick")) {
		st_globals.hrtick_function = function;
		return TIMER_HRTICK;
	}
	st_globals.plain_function[st_globals.plain_timers++ % PLAIN_TIMERS] = function;
	return TIMER_PLAIN;
}

static __always_inline u64 resched_flags(void)
{
	return st_globals.resched_flags ? st_globals.resched_flags : resched_guess;
}

/* A single bit is the flag. The idle task never gets the lazy one, which is lazy_shift bits higher. */
static __always_inline void learn_flag(u64 set)
{
	if (set && !(set & (set - 1)))
		st_globals.resched_flags = lazy_shift ? set | set << lazy_shift : set;
}

static __always_inline void count_tick(struct cpu_state *c)
{
	c->ticks++;
	if (c->occupant != OCCUPANT_IDLE)
		c->busy_ticks++;
}

/*
 * The kernel skips a program that is already running on the core. So when a tick interrupts
 * a timer that is served with interrupts on, either its beginning or its end can be missed,
 * but not both. Such a tick is counted too; whether it asked for a switch is not known.
 */
static __always_inline void timer_begins(struct cpu_state *c, u64 timer, u32 kind, u64 flags)
{
	if (kind == TIMER_TICK) {
		if (c->timer == timer)
			count_tick(c);
		c->tick_timer = timer;
	}
	c->timer = timer;
	c->flags_before = flags;
	if (kind != TIMER_PLAIN && !(flags & resched_flags())) {
		c->tick_asked = 0; /* an earlier request has been served, without a switch */
		c->wakes = 0;
	}
}

/* Returns whether the timer has asked for a switch. */
static __always_inline bool timer_ends(struct cpu_state *c, u64 timer, bool idle, u64 flags)
{
	u64 set = flags & ~c->flags_before;
	bool asked = false;

	if (timer == c->timer) {
		c->timer = 0;
		if (idle && !st_globals.resched_flags)
			learn_flag(set);
		else if (set & resched_flags())
			c->tick_asked = asked = true;
	} else if (timer == c->tick_timer) {
		c->wakes = 0;
	}
	if (timer == c->tick_timer)
		count_tick(c);
	return asked;
}
