/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * Who takes a task's core, and who wakes it. The sums only grow, so that a reader, which stops nobody, takes the
 * difference to what it has read before. Where all places have partners, a new one gets that of the partner that
 * came up most seldom, whose sums are then added to those of all others ("space saving": those that come up most
 * often keep their places).
 */

#include "facts.h"
#include "layout_why.h"

BIND(struct partners, partners_type);
BIND(struct partner_list, partner_list_type);
BIND(struct partner, partner_type);
BIND(struct partner_sum, partner_sum_type);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct partners);
} st_partners SEC(".maps");

u32 st_names; /* given so far */

/* What stands for interrupts in place of a task's name. */
#define NAME_INTERRUPT 1

static const struct partners no_partners;

/* Without exchanges two tasks of one nanosecond could get the same number. */
static __always_inline u32 new_name(void)
{
	u32 n = exchanges ? __sync_fetch_and_add(&st_names, 1) : (u32)bpf_ktime_get_ns();

	return n <= NAME_INTERRUPT ? n + NAME_INTERRUPT + 1 : n;
}

/* A task is watched from now on, in this slot. */
static __noinline int begin_pairs(struct watched_task *w, u32 slot)
{
	struct partners *p;

	bpf_map_update_elem(&st_partners, &slot, &no_partners, BPF_ANY);
	p = bpf_map_lookup_elem(&st_partners, &slot);
	if (!p)
		return 0;
	w->name = new_name();
	exchange(&p->born, w->born);
	return 0;
}

static __always_inline bool is_same_partner(struct partner *a, struct partner *b)
{
	u64 *x = (void *)a->comm, *y = (void *)b->comm;

	return a->tgid == b->tgid && x[0] == y[0] && x[1] == y[1];
}

/*
 * A place for a partner whose task, with the record in this slot, was not the last one in any: one more than its
 * index. Tasks of one process and name share it.
 */
static __noinline u32 claim_place(struct partner_list *l, u32 slot, u32 name)
{
	struct task_facts *f = bpf_map_lookup_elem(&st_facts, &slot);
	u32 i, place = 0, least = ~0U;
	struct partner who = {}, *to;

	if (!f)
		return PARTNERS + 1;
	if (name != NAME_INTERRUPT) {
		who.tgid = f->tgid;
		who.flags = f->flags;
		who.cgroup = f->cgroup;
		who.uid = f->uid;
		__builtin_memcpy(who.comm, f->comm, sizeof(who.comm));
	}
#pragma clang loop unroll(full)
	for (i = 0; i < PARTNERS; i++) {
		if (l->who[i].turn && is_same_partner(&l->who[i], &who)) {
			l->name[i] = name;
			return i + 1;
		}
		if (l->weight[i] < least) {
			least = l->weight[i];
			place = i;
		}
	}
	if (place >= PARTNERS) /* for the verifier */
		return PARTNERS + 1;
	to = &l->who[place];
	exchange(&l->changes, l->changes + 1);
	l->sum[PARTNERS].count += l->sum[place].count;
	l->sum[PARTNERS].wait += l->sum[place].wait;
	l->sum[place].count = 0;
	l->sum[place].wait = 0;
	who.turn = to->turn + 1;
	*to = who;
	exchange(&l->changes, l->changes + 1);
	l->name[place] = name;
	return place + 1;
}

/* The same for any partner. name is 0 for a task that is not watched. */
static __always_inline u32 place_of(struct partner_list *l, u32 slot, u32 name)
{
	u32 i;

	if (!name)
		return PARTNERS + 1;
#pragma clang loop unroll(full)
	for (i = 0; i < PARTNERS; i++)
		if (l->name[i] == name)
			return i + 1;
	return claim_place(l, slot, name);
}

static __always_inline void add_to_place(struct partner_list *l, u32 place, u64 waited)
{
	u32 i = place - 1;

	if (i >= PARTNERS)
		i = PARTNERS;
	else
		l->weight[i]++;
	l->sum[i].count++;
	l->sum[i].wait += waited;
}

/* Whether another task takes the core at the end of such a slice. After a yield or by a quota it is left to others. */
static __always_inline bool is_taking(u32 cause)
{
	return cause == ENDED_TICK || cause == ENDED_WAKEUP || cause == ENDED_OTHER;
}

/* A task, whose record is w and by_slot, takes the core of the one in slot. */
static __always_inline void pair_taken(u32 slot, struct watched_task *w, u32 by_slot)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);

	if (p)
		p->taker = place_of(&p->takers, by_slot, w ? w->name : 0);
}

/*
 * Whether an interrupt has come to the current task, and does what fires this tracepoint. ctx is on the stack that
 * the kernel uses: an interrupt has its own. Only on x86, one that comes to a program outside the kernel uses that
 * task's, whose registers then have no system call's number.
 */
static __always_inline bool in_interrupt(void *ctx, struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	u64 low = (u64)t->stack, high = (u64)regs;

	if (!t->pid)
		return true;
#if defined(__TARGET_ARCH_x86)
	if (!(t->flags & PF_KTHREAD) && (s32)regs->orig_ax == -1)
		return true;
#endif
	barrier_var(low);
	barrier_var(high);
	return (u64)ctx < low || (u64)ctx >= high;
}

/*
 * A task is woken. It may still be on its way to sleep: what counts is who woke it last before it is back. A task
 * that wakes itself does not sleep yet. The wakeups of one task come one after the other (pi_lock), and none comes
 * between another and the task's return.
 */
static __always_inline void pair_woken(void *ctx, struct task_struct *p, u32 slot)
{
	struct partners *to = bpf_map_lookup_elem(&st_partners, &slot);
	struct task_struct *t = bpf_get_current_task_btf();
	struct cpu_state *c = this_cpu();
	struct watched_task *w = NULL;
	u32 name = NAME_INTERRUPT;

	if (!to || !c || (u64)t == (u64)p)
		return;
	if (!in_interrupt(ctx, t)) {
		if (c->task == (u64)t && c->occupant == OCCUPANT_WATCHED)
			w = watched_at(c->slot);
		name = w ? w->name : 0;
	}
	to->waker = place_of(&to->wakers, c->slot, name);
}

/* A task is back on a core, for which it has waited for so long. */
static __always_inline void pair_returns(struct watched_task *w, u32 slot, u64 waited)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);

	if (!p)
		return;
	if (w->left && w->last_cause == ENDED_BLOCKED)
		add_to_place(&p->wakers, p->waker, waited);
	else if (w->left && is_taking(w->last_cause))
		add_to_place(&p->takers, p->taker, waited);
	p->taker = 0;
	p->waker = 0;
}
