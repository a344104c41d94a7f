//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * The kernel half of slicetrace. One switch on one core passes through
 *
 *   st_entry    stamps e0
 *   st_switch   s0; ends prev's slice, counts the switch before this one,
 *               begins next's slice; s1
 *   st_exit     stamps x0
 *
 * so that pick = s0 - e0, switch = x0 - s1, and all bookkeeping lies between
 * s0 and s1. st_entry, st_switch, st_exit and st_tick run with preemption or
 * interrupts off, so a core's data has one writer.
 */

#include "kernel.h"
#include "core_fixes.h"
#include <bpf/bpf_tracing.h>
#include "layout.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Set before load. */
const volatile u64 tick_recent = 2000000; /* ns after a tick in which it can still end a slice */

/* The hot and the cold half of each core, by its number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct core);
} st_cores SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sums);
} st_sums SEC(".maps");

/* Where st_snapshot leaves a copy of one core. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct snapshot);
} st_shadow SEC(".maps");

/* Watched tasks, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct worker);
} st_workers SEC(".maps");

/* tid to slot. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} st_slots SEC(".maps");

/*
 * Where a tid's slot probably is: index tid modulo the size, value slot + 1. An
 * entry is never cleared, so 0 says for certain that the tid is not watched;
 * another tid's entry says to ask st_slots.
 */
#define GUESSES 2048

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUESSES);
	__type(key, u32);
	__type(value, u32);
} st_guesses SEC(".maps");

/* Slots that no task holds. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, u32);
} st_free SEC(".maps");

#define ENDED_BYTES (64 * 1024)

/* struct obituary of each watched task that ended. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ENDED_BYTES);
} st_ended SEC(".maps");

struct totals st_totals;

/* Brings the type into the BTF, for the bindings. */
const struct obituary *obituary_type __attribute__((unused));

static __always_inline struct core *this_core(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&st_cores, &cpu);
}

static __always_inline struct worker *worker_at(u32 slot)
{
	return bpf_map_lookup_elem(&st_workers, &slot);
}

/* The record of a watched task, and its slot; NULL if the task is not watched. */
static __always_inline struct worker *worker_of(u32 tid, u32 *slot)
{
	u32 i = tid % GUESSES;
	u32 *guess = bpf_map_lookup_elem(&st_guesses, &i);
	struct worker *w;

	if (!guess || !*guess)
		return NULL;
	*slot = *guess - 1;
	w = worker_at(*slot);
	if (w && w->tid == tid)
		return w;
	guess = bpf_map_lookup_elem(&st_slots, &tid);
	if (!guess)
		return NULL;
	*slot = *guess;
	return worker_at(*slot);
}

/* A fixed string and the start of a name; a suffix such as .cfi may follow. */
#define same(name, want) (!__builtin_memcmp(name, want, sizeof(want) - 1))

static __always_inline u32 log2(u64 v)
{
	u32 r = 0;

	if (v >> 32) { v >>= 32; r += 32; }
	if (v >> 16) { v >>= 16; r += 16; }
	if (v >> 8) { v >>= 8; r += 8; }
	if (v >> 4) { v >>= 4; r += 4; }
	if (v >> 2) { v >>= 2; r += 2; }
	return r + (v >> 1);
}

/* The index that report.BucketOf gives, at most last. */
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

static __always_inline void spread_add(struct spread *s, u64 v)
{
	s->sum += v;
	raise(&s->max, v);
	s->bucket[bucket_of(v, SLICE_BUCKETS - 1)]++;
}

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

/*
 * A task that exits has dropped its mm but still stands in it as active_mm, so
 * prev is judged by the address space that is loaded.
 */
static __always_inline u32 class_of(struct task_struct *prev, struct task_struct *next)
{
	if (!prev->pid)
		return CLASS_IDLE_OUT;
	if (!next->pid)
		return CLASS_IDLE_IN;
	if ((prev->flags | next->flags) & PF_KTHREAD)
		return CLASS_KERNEL;
	return prev->active_mm == next->mm ? CLASS_THREAD : CLASS_PROCESS;
}

/*
 * Voluntary exactly as __schedule counts it: not preempted, and not running,
 * or about to block and made running again by a signal: then only the counter,
 * which is raised before the tracepoint, tells it. A tick forgets the wakeups before it, so a wakeup that is still noted came
 * after the tick and names next if it took the core.
 */
static __always_inline u32 cause_of(struct core *c, bool preempt, struct task_struct *prev,
				    struct task_struct *next, u64 s0)
{
	u64 state = task_state(prev);

	if (!preempt && (state || (c->nvcsw != ~0ULL && c->nvcsw != prev->nvcsw)))
		return state & TASK_DEAD ? ENDED_EXITED : ENDED_BLOCKED;
	if (!preempt && task_syscall(prev) == NR_SCHED_YIELD)
		return ENDED_YIELD;
	if (c->woken && c->woken == (u32)next->pid)
		return ENDED_WAKEUP;
	if (c->tick_at && s0 - c->tick_at < tick_recent)
		return ENDED_TICK;
	return ENDED_OTHER;
}

/* Only if the entry is the task's own: tids can have been exchanged. */
static __always_inline void forget_slot(u32 tid, u32 slot)
{
	u32 *now = bpf_map_lookup_elem(&st_slots, &tid);

	if (now && *now == slot)
		bpf_map_delete_elem(&st_slots, &tid);
}

static __always_inline int note_slot(u32 tid, u32 slot)
{
	u32 i = tid % GUESSES, guess = slot + 1;

	if (bpf_map_update_elem(&st_slots, &tid, &slot, BPF_ANY))
		return -1;
	bpf_map_update_elem(&st_guesses, &i, &guess, BPF_ANY); /* an index that exists */
	return 0;
}

/*
 * A thread that executes a program takes over the tid of its process's first
 * thread, which takes over the thread's (de_thread).
 */
static __noinline int rename(struct worker *w, u32 slot, u32 tid)
{
	if (w->tid == tid)
		return 0;
	forget_slot(w->tid, slot);
	w->tid = tid;
	if (note_slot(tid, slot))
		__sync_fetch_and_add(&st_totals.map_full, 1);
	return 0;
}

/* The last switch of a watched task: its record goes to the collector. */
static __noinline void retire(struct worker *w, struct task_struct *t, u32 slot)
{
	struct obituary *o = bpf_ringbuf_reserve(&st_ended, sizeof(*o), 0);
	u32 tid = t->pid;

	if (o) {
		o->worker = *w;
		o->nvcsw = t->nvcsw;
		o->nivcsw = t->nivcsw;
		bpf_probe_read_kernel(o->comm, sizeof(o->comm), t->comm);
		/* The reader sleeps while it need not hurry: waking it is a switch too. */
		bpf_ringbuf_submit(o, bpf_ringbuf_query(&st_ended, BPF_RB_AVAIL_DATA) > ENDED_BYTES / 4 ?
					      BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	} else {
		__sync_fetch_and_add(&st_totals.dropped_tasks, 1);
	}
	w->tid = 0;
	forget_slot(tid, slot);
	bpf_map_push_elem(&st_free, &slot, BPF_ANY);
}

static __always_inline void switch_out(struct core *c, struct entry *e, bool preempt,
				       struct task_struct *prev, struct task_struct *next, u64 s0)
{
	u32 slot = c->slot, cause;
	struct worker *w = worker_at(slot);
	u64 slice = s0 - c->since;

	if (!w)
		return;
	if (c->tid != (u32)prev->pid)
		rename(w, slot, prev->pid);
	cause = cause_of(c, preempt, prev, next, s0);
	w->on_cpu += slice;
	w->ended[cause]++;
	w->runnable = cause >= ENDED_TICK || !task_state(prev) ? s0 : 0;
	if (slice) { /* else its begin was not seen */
		e->slice = slice;
		e->cause = cause;
	}
	if (cause == ENDED_EXITED)
		retire(w, prev, slot);
}

static __always_inline void switch_in(struct entry *e, struct worker *w, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	u64 waited;

	if (w->cpu != cpu) {
		if (w->cpu == ~0U)
			w->first = now;
		else
			w->migrations++;
		w->cpu = cpu;
	}
	if (!w->runnable)
		return;
	/* Stamped on another core, whose clock may be a little ahead. */
	waited = now > w->runnable ? now - w->runnable : 0;
	w->runnable = 0;
	w->wait += waited;
	raise(&w->wait_max, waited);
	e->wait = waited;
	e->waited = 1;
}

/* Notes who holds the core from now on. */
static __always_inline void hand_over(struct core *c, struct entry *e, struct task_struct *next, u64 now)
{
	u32 tid = next->pid, slot;
	struct worker *w;

	c->tid = tid;
	c->task = (u64)next;
	if (!tid) {
		c->holder = HOLDER_IDLE;
		return;
	}
	c->holder = HOLDER_OTHER;
	w = worker_of(tid, &slot);
	if (!w)
		return;
	c->holder = HOLDER_WORKER;
	c->slot = slot;
	c->nvcsw = next->nvcsw;
	switch_in(e, w, now);
}

static __always_inline void end_holding(struct core *c, u64 now)
{
	u32 holder = c->holder;

	if (holder < HOLDERS)
		c->time[holder] += now - c->since;
}

/*
 * A kernel may hide tasks from tracing: then no hook fires while one is
 * current, and the switch away from it is not seen. The task that took the
 * core from it has left its own sched_exit_tp stamp, the first since the
 * hidden one came, and from there its slice is counted.
 */
static __noinline int find_holder(struct core *c, struct task_struct *holder, u64 now)
{
	u64 from = c->exit ? c->exit : now;
	struct entry *e = next_entry(c);

	end_holding(c, from);
	c->exit = 0; /* it did not end the switch to the hidden task */
	log_phases(c, e);
	c->class = CLASSES;
	c->exit = from;
	c->since = from;
	c->unseen++;
	if (c->tick_at < from)
		c->tick_at = 0;
	hand_over(c, e, holder, from);
	c->nvcsw = ~0ULL; /* the kernel may have counted the switch under way */
	end_entry(c);
	return 0;
}

/* A core that has not switched since attaching: its account begins now. */
static __noinline int first_holder(struct core *c, struct task_struct *holder, u64 now)
{
	c->class = CLASSES;
	c->exit = now;
	c->since = now;
	hand_over(c, next_entry(c), holder, now);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(st_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 s0 = bpf_ktime_get_ns();
	struct core *c = this_core();
	struct entry *e;
	u64 s1;

	if (!c) {
		__sync_fetch_and_add(&st_totals.unwatched_core, 1);
		return 0;
	}
	if (c->since && c->task != (u64)prev)
		find_holder(c, prev, s0);
	e = next_entry(c);
	e->class = CLASSES;
	if (c->since) {
		end_holding(c, s0);
		log_phases(c, e);
		if (c->holder == HOLDER_WORKER)
			switch_out(c, e, preempt, prev, next, s0);
	}
	c->switches++;
	c->class = class_of(prev, next);
	c->picked = c->entry != 0;
	c->pick = short_time(s0 - c->entry);
	c->entry = 0;
	c->exit = 0;
	c->tick_at = 0;
	c->woken = 0;
	hand_over(c, e, next, s0);
	end_entry(c);
	s1 = bpf_ktime_get_ns();
	c->since = s1;
	c->self += s1 - s0;
	return 0;
}

SEC("tp_btf/sched_entry_tp")
int BPF_PROG(st_entry)
{
	struct core *c = this_core();

	if (!c)
		return 0;
	/* Brings the page into the TLB before the stamp, not within the phase. */
	barrier_var(c->entry);
	c->entry = bpf_ktime_get_ns();
	return 0;
}

/*
 * Fires without a switch too: then the last switch has its stamp already, and
 * the entry stamp belongs to nothing.
 */
static __always_inline int switch_ends(u64 x0)
{
	struct core *c = this_core();

	if (!c)
		return 0;
	if (c->exit)
		c->entry = 0;
	else
		c->exit = x0;
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int BPF_PROG(st_exit)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Before 6.15: attached to finish_task_switch, by its name in kallsyms. */
SEC("kprobe")
int st_finish(void *ctx)
{
	return switch_ends(bpf_ktime_get_ns());
}

/* Runs on the waker's core; the marks belong to the core that the task joins. */
static __always_inline int runnable(struct task_struct *p)
{
	u32 cpu = task_cpu(p), tid = p->pid, slot;
	struct core *c = bpf_map_lookup_elem(&st_cores, &cpu);
	struct worker *w = worker_of(tid, &slot);

	if (c)
		c->woken = tid;
	/* One that was preempted on its way to block waits since then. */
	if (w && !w->runnable)
		w->runnable = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(st_wakeup, struct task_struct *p)
{
	return runnable(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(st_wakeup_new, struct task_struct *p)
{
	return runnable(p);
}

static __always_inline void watch_child(struct task_struct *child)
{
	struct worker fresh = {};
	u32 slot, tid = child->pid;

	if (bpf_map_pop_elem(&st_free, &slot)) {
		__sync_fetch_and_add(&st_totals.map_full, 1);
		return;
	}
	fresh.cpu = ~0U;
	fresh.born = bpf_ktime_get_ns();
	fresh.tid = tid;
	fresh.id = tid;
	fresh.tgid = child->tgid;
	fresh.follow = 1;
	if (bpf_map_update_elem(&st_workers, &slot, &fresh, BPF_ANY) || note_slot(tid, slot)) {
		__sync_fetch_and_add(&st_totals.map_full, 1);
		bpf_map_push_elem(&st_free, &slot, BPF_ANY);
	}
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(st_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 slot;
	struct worker *w = worker_of(parent->pid, &slot);

	if (w && w->follow)
		watch_child(child);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(st_exec, struct task_struct *p, int old_pid)
{
	struct core *c = this_core();
	struct worker *w;
	u32 slot;

	if (old_pid == p->pid)
		return 0;
	w = worker_of(old_pid, &slot);
	if (w)
		rename(w, slot, p->pid);
	if (c && c->task == (u64)p)
		c->tid = p->pid;
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(st_process_exit, struct task_struct *p)
{
	u32 slot;
	struct worker *w = worker_of(p->pid, &slot);

	if (w)
		w->exit = bpf_ktime_get_ns();
	return 0;
}

enum timer_kind {
	TIMER_PLAIN,
	TIMER_TICK,
	TIMER_HRTICK, /* ends a slice when it is due, on by default in newer kernels (the feature HRTICK) */
};

/*
 * What a timer's callback is. The kernel itself tells its name, so that no
 * privilege to read addresses in kallsyms is needed; it is asked a bounded
 * number of times, and not again and again for the same callback.
 */
static __noinline u32 kind_of_timer(u64 function)
{
	char name[SYMBOL_BYTES];

	if (function == st_totals.tick_function)
		return TIMER_TICK;
	if (function == st_totals.hrtick_function)
		return TIMER_HRTICK;
	if (function == st_totals.plain_function || st_totals.timers_asked >= 4096)
		return TIMER_PLAIN;
	st_totals.timers_asked++;
	symbol_name(function, name);
	if (same(name, "tick_nohz_handler") || /* since 6.10 */
	    same(name, "tick_nohz_highres_handler") || /* since 6.7 */
	    same(name, "tick_sched_timer")) {
		st_totals.tick_function = function;
		return TIMER_TICK;
	}
	if (same(name, "hrtick")) {
		st_totals.hrtick_function = function;
		return TIMER_HRTICK;
	}
	st_totals.plain_function = function;
	return TIMER_PLAIN;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(st_tick, struct hrtimer *timer)
{
	u32 kind = kind_of_timer((u64)timer->function);
	struct core *c;

	if (kind == TIMER_PLAIN)
		return 0;
	c = this_core();
	if (!c)
		return 0;
	c->tick_at = bpf_ktime_get_ns();
	c->woken = 0;
	if (kind == TIMER_HRTICK)
		return 0;
	c->ticks++;
	if (c->holder != HOLDER_IDLE)
		c->busy_ticks++;
	return 0;
}

/*
 * Copies this core's data to the shadow and starts its maxima anew. Never
 * attached: the collector runs it on each core in turn, from an interrupt, so
 * the copy is of one instant.
 */
SEC("raw_tp")
int st_snapshot(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id(), zero = 0, i;
	struct core *c = this_core();
	struct sums *sums = bpf_map_lookup_elem(&st_sums, &cpu);
	struct snapshot *s = bpf_map_lookup_elem(&st_shadow, &zero);
	struct task_struct *current = bpf_get_current_task_btf();
	struct worker *w;

	if (!c || !s || !sums)
		return 1;
	if (!c->since)
		first_holder(c, current, bpf_ktime_get_ns());
	else if (c->exit && c->task != (u64)current)
		find_holder(c, current, bpf_ktime_get_ns());
	flush(c);
	if (bpf_probe_read_kernel(&s->core, sizeof(s->core), c) ||
	    bpf_probe_read_kernel(&s->sums, sizeof(s->sums), sums))
		return 2;
	s->now = bpf_ktime_get_ns();
	w = worker_at(c->slot);
	if (w && c->holder == HOLDER_WORKER)
		s->held = w->on_cpu;
	for (i = 0; i < CLASSES; i++) {
		sums->classes[i].pick_max = 0;
		sums->classes[i].switch_max = 0;
		sums->classes[i].cost_max = 0;
	}
	for (i = 0; i < CAUSES; i++)
		sums->ended[i].max = 0;
	sums->wait.max = 0;
	return 0;
}
