/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * Where tasks were when they were off their cores. A task's stack does not change while it has no
 * core: so it is read when the task is back, and only then is it known whether it was away for
 * long enough. What woke it can only be read at the wakeup, and is kept until then.
 */

#include "identity.h"
#include "index.h"
#include "layout_why.h"
#include "maps.h"
#include "pairs.h"
#include "slots.h"

const volatile u64 why_block_ns = 0; /* shorter absences are not looked at */
const volatile u64 why_walks = 0;    /* in one window on one core */
const volatile u64 why_ring_bytes = 0; /* size of st_stacks */

/* The light and the full way have their own of these. */

static __always_inline u64 why_now(void); /* the time on the clock of slices; 0: not known yet */
static __always_inline bool why_wants(struct task_struct *t);
static __always_inline bool phases_timed(void);
static __always_inline void delay_slice(struct cpu_state *c, u64 by); /* later: it is the tool's own time */

#define WALKS_WINDOW 100000000ULL /* ns */
#define WAKE_EVERY 20000000ULL    /* ns */
#define FIRST_THRESHOLD 1024ULL   /* ns */

BIND(struct stack_sample, stack_sample_type);
BIND(struct stack_budget, stack_budget_type);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_budget);
} st_budgets SEC(".maps");

/* Where each core makes up a sample. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_sample);
} st_samples SEC(".maps");

/* Who has woken each task last, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct waker);
} st_wakers SEC(".maps");

/* Programs in processes of which there has been a sample. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct program_key);
	__type(value, u32);
} st_sampled SEC(".maps");

/* The samples. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} st_stacks SEC(".maps");

/* A task leaves its core. */
static __always_inline void note_leaving(struct watched_task *w, u32 cause, u32 state, u64 now)
{
	w->left = now;
	w->left_cause = cause;
	w->left_state = state;
}

/* The same, and next takes it. */
static __always_inline void why_leaves(struct watched_task *w, u32 slot, u32 cause, u32 state,
				       struct task_struct *next, u64 now)
{
	note_leaving(w, cause, state, now);
	if (is_taking(cause))
		pair_taken(slot, next);
}

/* It is back, and has waited for so long. */
static __always_inline void note_return(struct cpu_state *c, struct watched_task *w, u64 waited, u64 now)
{
	c->left = w->left;
	c->away = w->left ? elapsed(w->left, now) : 0;
	c->waited = waited;
	w->left = 0;
}

/*
 * Whether a stack is taken, of an absence of this length. Which absences are is decided by what came before
 * and by chance, in proportion to their length up to a threshold: so the sums of what each sample stands for
 * are right on average, whatever the threshold does.
 */
static __always_inline bool is_taken(struct stack_budget *b, u64 away)
{
	if (away >= b->threshold)
		return true;
	return ((bpf_get_prandom_u32() * b->threshold) >> 32) < away;
}

/* Counts a walk, and adapts the threshold so that there are about as many as wanted. */
static __always_inline void count_walk(struct stack_budget *b, u64 now)
{
	if (elapsed(b->window, now) >= WALKS_WINDOW) {
		if (b->in_window < why_walks / 2)
			b->threshold /= 2;
		if (b->threshold < FIRST_THRESHOLD)
			b->threshold = 0;
		b->window = now;
		b->in_window = 0;
	}
	b->in_window++;
	if (b->in_window < why_walks)
		return;
	b->in_window = why_walks / 2;
	if (b->threshold)
		b->threshold *= 2;
	else
		b->threshold = why_block_ns > FIRST_THRESHOLD ? why_block_ns * 2 : FIRST_THRESHOLD;
}

/* Reads the stacks of the current task: returns how many bytes they are, the kernel's frames before the program's. */
static __always_inline u32 walk(void *ctx, void *to, u16 *kernel_bytes, u16 *user_bytes, u32 kernel_room, u32 user_room)
{
	long kernel = bpf_get_stack(ctx, to, kernel_room, 0), user;

	if (kernel < 0)
		kernel = 0;
	if (kernel > kernel_room)
		kernel = kernel_room;
	user = bpf_get_stack(ctx, to + kernel, user_room, BPF_F_USER_STACK);
	if (user < 0)
		user = 0;
	if (user > user_room)
		user = user_room;
	*kernel_bytes = kernel;
	*user_bytes = user;
	return kernel + user;
}

/*
 * Copies the top of a program's stack, for a reader who knows where each function keeps its caller. to has
 * room for all steps.
 */
static __always_inline u32 copy_user_stack(void *to, u64 sp)
{
	u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < COPY_STEPS; i++)
		if (bpf_probe_read_user(to + i * COPY_STEP, COPY_STEP, (void *)(sp + i * COPY_STEP)))
			break;
	return i * COPY_STEP;
}

static __always_inline u64 program_of(struct task_struct *t)
{
	return t->mm ? BPF_CORE_READ(t, mm, start_stack) : 0;
}

static __always_inline u64 process_start(struct task_struct *t)
{
	return BPF_CORE_READ(t, group_leader, start_time);
}

static __always_inline void begin_walk(struct stack_budget *b, u64 now)
{
	if (!b->walking++)
		b->walk_from = now;
}

/* Ends a walk, which is the tool's own time. A walk within another one, by an interrupt, is part of that. */
static __always_inline void end_walk(struct cpu_state *c, struct stack_budget *b)
{
	u64 took = bpf_ktime_get_ns() - b->walk_from;

	if (--b->walking)
		return;
	b->walk_ns += took;
	if (c->slice_start)
		delay_slice(c, took);
}

static __always_inline void fill_sample(struct stack_sample *s, struct cpu_state *c, struct task_struct *t,
					struct watched_task *w)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);

	s->away = c->away;
	s->waited = c->waited;
	s->cgroup = cgroup_of(t);
	s->start_time = process_start(t);
	s->program = program_of(t);
	s->tid = t->pid;
	s->tgid = t->tgid;
	s->uid = BPF_CORE_READ(t, cred, euid.val);
	s->state = w->left_state;
	s->cause = w->left_cause;
	s->iowait = BPF_CORE_READ_BITFIELD(t, in_iowait);
	copy_name(s->comm, t->comm);
	copy_name(s->process, __builtin_preserve_access_index(&leader->comm));
}

/*
 * The reader is woken by the first sample of each program in a process, and soon after each other one, since it must
 * read what the process has mapped before that ends.
 */
static __always_inline u64 sample_flags(struct stack_budget *b, struct stack_sample *s)
{
	struct program_key key = { .start_time = s->start_time, .program = s->program, .tgid = s->tgid };
	u32 one = 1;

	if (!bpf_map_lookup_elem(&st_sampled, &key))
		bpf_map_update_elem(&st_sampled, &key, &one, BPF_ANY);
	else if (elapsed(b->woken, b->walk_from) < WAKE_EVERY)
		return ring_flags(&st_stacks, why_ring_bytes);
	b->woken = b->walk_from;
	return BPF_RB_FORCE_WAKEUP;
}

/* Takes the stack of a task that is back on this core. */
static __noinline int take_stack(void *ctx, struct cpu_state *c)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u32 cpu = bpf_get_smp_processor_id(), slot = c->slot, bytes;
	struct stack_budget *b = bpf_map_lookup_elem(&st_budgets, &cpu);
	struct stack_sample *s = bpf_map_lookup_elem(&st_samples, &cpu);
	struct waker *k = bpf_map_lookup_elem(&st_wakers, &slot);
	struct watched_task *w = watched_at(slot);

	if (!b || !s || !k || !w)
		return 0;
	if (!is_taken(b, c->away)) {
		b->skipped++;
		return 0;
	}
	begin_walk(b, bpf_ktime_get_ns());
	s->stands_for = c->away > b->threshold ? c->away : b->threshold;
	count_walk(b, c->slice_start);
	fill_sample(s, c, t, w);
	s->has_waker = k->left == c->left;
	if (s->has_waker)
		bpf_probe_read_kernel(&s->waker, sizeof(s->waker), k);
	bytes = walk(ctx, s->stack, &s->kernel_bytes, &s->user_bytes, KERNEL_FRAMES * 8, USER_FRAMES * 8);
	s->copied_bytes = 0;
	if (t->mm) {
		user_registers(t, &s->pc, &s->sp, &s->fp, &s->other);
		if (bytes <= (KERNEL_FRAMES + USER_FRAMES) * 8)
			s->copied_bytes = copy_user_stack((void *)s->stack + bytes, s->sp);
		bytes += s->copied_bytes;
	}
	if (bytes > sizeof(s->stack))
		bytes = sizeof(s->stack);
	b->taken++;
	if (bpf_ringbuf_output(&st_stacks, s, __builtin_offsetof(struct stack_sample, stack) + bytes,
			       sample_flags(b, s)))
		b->lost++;
	end_walk(c, b);
	return 0;
}

/* The task that has just taken this core is current from here on. */
static __always_inline int why_returns(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct cpu_state *c = this_cpu();

	if (!c)
		return 0;
	if (phases_timed() && !c->exit_stamp) /* the phase ends before a walk begins */
		c->exit_stamp = bpf_ktime_get_ns();
	if (!c->away)
		return 0;
	if (c->away >= why_block_ns && c->task == (u64)t && why_wants(t))
		take_stack(ctx, c);
	c->away = 0;
	return 0;
}

/* Notes who wakes a task that has slept for long enough. */
static __noinline int take_waker(void *ctx, struct task_struct *p, u32 slot, u64 left, u64 away)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *c = this_cpu();
	struct stack_budget *b = bpf_map_lookup_elem(&st_budgets, &cpu);
	struct waker *k = bpf_map_lookup_elem(&st_wakers, &slot);
	struct task_struct *leader;

	if (!c || !b || !k || k->left == left || !is_taken(b, away))
		return 0;
	begin_walk(b, bpf_ktime_get_ns());
	k->left = left;
	k->start_time = process_start(t);
	k->program = program_of(t);
	k->tid = t->pid;
	k->tgid = t->tgid;
	copy_name(k->comm, t->comm);
	leader = BPF_CORE_READ(t, group_leader);
	copy_name(k->process, __builtin_preserve_access_index(&leader->comm));
	walk(ctx, k->stack, &k->kernel_bytes, &k->user_bytes, WAKER_KERNEL_FRAMES * 8, WAKER_USER_FRAMES * 8);
	count_walk(b, left + away);
	end_walk(c, b);
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(st_why_waking, struct task_struct *p)
{
	struct watched_task *w;
	u64 now, left;
	u32 slot;

	w = find_watched(p, &slot);
	if (!w)
		return 0;
	pair_woken(ctx, p, slot);
	left = w->left;
	if (!left || w->left_cause != ENDED_BLOCKED || !why_wants(p))
		return 0;
	now = why_now();
	if (now && elapsed(left, now) >= why_block_ns)
		take_waker(ctx, p, slot, left, elapsed(left, now));
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int BPF_PROG(st_why_exit)
{
	return why_returns(ctx);
}

/* Before 6.15: see st_finish_kprobe. */
SEC("kprobe")
int st_why_kprobe(void *ctx)
{
	return why_returns(ctx);
}
