/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * Who takes a task's core, and who wakes it. The sums only grow, so that a reader, which stops nobody, takes the
 * difference to what it has read before. Where all places have partners, a new one gets that of the partner that
 * came up most seldom, whose sums are then added to those of all others ("space saving": those that come up most
 * often keep their places).
 */

#include "identity.h"
#include "layout_why.h"
#include "maps.h"
#include "order.h"

BIND(struct paired_exit, paired_exit_type);
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

/* What stands for interrupts in place of a task's name. */
#define NAME_INTERRUPT 1

static const struct partners no_partners;

/*
 * The number by which a partner is found again: from its process and name, so that the tasks that share these share
 * their place. Two of some four billion have the same.
 */
static __always_inline u32 name_of(struct task_struct *t)
{
	const u64 *comm = (const u64 *)t->comm;
	u64 h = comm[0] + (u32)t->tgid * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL + comm[1];
	h = ((h ^ h >> 32) * 0x94d049bb133111ebULL) >> 32;
	return h <= NAME_INTERRUPT ? h + NAME_INTERRUPT + 1 : h;
}

/* Who a task is. */
static __noinline int identify(struct partner *who, struct task_struct *t)
{
	who->tgid = t->tgid;
	who->flags = t->flags;
	who->cgroup = cgroup_of(t);
	who->uid = BPF_CORE_READ(t, cred, euid.val);
	copy_name(who->comm, t->comm);
	return 0;
}

/* What a reader is to know of a task itself. The light way knows it anyway: facts.h. */
static __always_inline void identify_owner(struct partners *p, struct task_struct *t)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);

	identify(&p->owner, t);
	copy_name(p->process, __builtin_preserve_access_index(&leader->comm));
}

/* A task is watched from now on, in this slot. */
static __noinline struct partners *begin_pairs(u32 slot, u64 born)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);

	if (!p)
		return NULL;
	exchange(&p->born, 0);
	bpf_map_update_elem(&st_partners, &slot, &no_partners, BPF_ANY);
	exchange(&p->born, born);
	return p;
}

static __always_inline bool is_same_partner(struct partner *a, struct partner *b)
{
	u64 *x = (void *)a->comm, *y = (void *)b->comm;

	return a->tgid == b->tgid && x[0] == y[0] && x[1] == y[1];
}

/* A place for a partner whose number is in none: one more than its index. */
static __noinline u32 claim_place(struct partner_list *l, struct task_struct *t, u32 name)
{
	u32 i, least = ~0U;
	u64 place = 0;
	struct partner who = {}, *to;

	if (name != NAME_INTERRUPT)
		identify(&who, t);
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
	barrier_var(place); /* as below */
	if (place >= PARTNERS)
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

/* The same for any partner. */
static __always_inline u32 place_of(struct partner_list *l, struct task_struct *t, u32 name)
{
	u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < PARTNERS; i++)
		if (l->name[i] == name)
			return i + 1;
	return claim_place(l, t, name);
}

static __always_inline void add_to_place(struct partner_list *l, u32 place, u64 waited)
{
	u64 i = (u32)(place - 1);

	barrier_var(i); /* for the verifier: what is compared is what is used */
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

/* A task takes the core of the one in slot. */
static __always_inline void pair_taken(u32 slot, struct task_struct *by)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);

	if (p)
		p->taker = by->pid ? place_of(&p->takers, by, name_of(by)) : PARTNERS + 1;
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

	if (!to || (u64)t == (u64)p)
		return;
	to->waker = place_of(&to->wakers, t, in_interrupt(ctx, t) ? NAME_INTERRUPT : name_of(t));
}

/* A task is back on a core, for which it has waited for so long. */
static __always_inline void pair_returns(struct watched_task *w, u32 slot, u64 waited)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);

	if (!p)
		return;
	if (w->left && w->left_cause == ENDED_BLOCKED)
		add_to_place(&p->wakers, p->waker, waited);
	else if (w->left && is_taking(w->left_cause))
		add_to_place(&p->takers, p->taker, waited);
	p->taker = 0;
	p->waker = 0;
}
