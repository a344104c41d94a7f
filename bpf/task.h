/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* The life of a watched task, from when it is watched to its last switch. */

#include "hist.h"
#include "index.h"
#include "maps.h"
#include "pairs.h"
#include "slots.h"

/* Starts to watch a task, unless it is watched already. Fails if there is no place. */
static __noinline int adopt(struct task_struct *t, u8 children, u8 counted)
{
	struct watched_task fresh = {};
	struct partners *p;
	u32 slot;

	if (find_watched(t, &slot))
		return 0;
	if (take_slot(&slot))
		return -1;
	fresh.cpu = NO_CPU;
	fresh.born = bpf_ktime_get_ns();
	fresh.key = key_of(t);
	fresh.tid = t->pid;
	fresh.tgid = t->tgid;
	fresh.children = children;
	fresh.counted = counted;
	p = why ? begin_pairs(slot, fresh.born) : NULL;
	if (p)
		identify_owner(p, t);
	if (!bpf_map_update_elem(&st_tasks, &slot, &fresh, BPF_ANY) && !index_add(fresh.key, slot)) {
		if (counted)
			__sync_fetch_and_add(&st_places.counted, 1);
		return 0;
	}
	fresh.key = 0;
	bpf_map_update_elem(&st_tasks, &slot, &fresh, BPF_ANY);
	free_slot(slot);
	return -1;
}

static __noinline int count_exited(struct watched_task *w, struct task_struct *t, u64 now)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct sums *s = bpf_map_lookup_elem(&st_sums, &cpu);
	struct exited_counts *l;
	u64 voluntary = w->slices[ENDED_BLOCKED] + w->slices[ENDED_EXITED];
	u64 involuntary = w->slices[ENDED_TICK] + w->slices[ENDED_WAKEUP] +
			  w->slices[ENDED_YIELD] + w->slices[ENDED_OTHER] + w->slices[ENDED_THROTTLED];

	if (!s)
		return 0;
	l = &s->exited;
	l->tasks++;
	if (voluntary == t->nvcsw && involuntary == t->nivcsw)
		l->reconciled++;
	l->on_cpu += w->on_cpu;
	l->wait += w->wait;
	l->throttled += w->throttled;
	life_hist_add(&l->start, elapsed(w->born, w->first));
	if (!w->exit_start) /* st_process_exit was skipped, as st_fork can be */
		return 0;
	life_hist_add(&l->run, elapsed(w->first, w->exit_start));
	life_hist_add(&l->end, elapsed(w->exit_start, now));
	return 0;
}

static __always_inline void fill_exit(struct task_exit *o, struct watched_task *w, struct task_struct *t, u32 slot)
{
	o->record = RECORD_TASK_EXIT;
	o->slot = slot;
	o->task = *w;
	fill_final(&o->final, t);
}

/* Sends the record of a task with its partners. Fails if there is no room. */
static __noinline int send_paired(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct partners *p = bpf_map_lookup_elem(&st_partners, &slot);
	struct paired_exit *o;

	if (!p)
		return -1;
	identify_owner(p, t);
	o = bpf_ringbuf_reserve(&st_ring, sizeof(*o), 0);
	if (!o)
		return -1;
	fill_exit(&o->exit, w, t, slot);
	bpf_probe_read_kernel(&o->partners, sizeof(o->partners), p);
	bpf_ringbuf_submit(o, ring_flags(&st_ring, ring_bytes));
	return 0;
}

static __always_inline int send_exit(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct task_exit *o = bpf_ringbuf_reserve(&st_ring, sizeof(*o), 0);

	if (!o)
		return -1;
	fill_exit(o, w, t, slot);
	bpf_ringbuf_submit(o, ring_flags(&st_ring, ring_bytes));
	return 0;
}

/* The last switch of a watched task: its record goes to the collector. */
static __noinline int retire(struct watched_task *w, struct task_struct *t, u32 slot, u64 now)
{
	if (w->counted)
		count_exited(w, t, now);
	else if (why ? send_paired(w, t, slot) : send_exit(w, t, slot))
		return keep_record(w, t, slot);
	unwatch(w, 0);
	free_slot(slot);
	return 0;
}

/* The index of a tid in st_wanted; WANTED if it is not there. Not static, for the reason given at add_entry. */
__noinline u32 wanted_place(u32 tid)
{
	u32 i;

	for (i = 0; i < WANTED && st_wanted[i].tid; i++)
		if (st_wanted[i].tid == tid)
			return i;
	return WANTED;
}

/* Watches a task if the collector wants it. */
static __always_inline int watch(struct task_struct *t)
{
	struct wanted *wanted;
	struct watched_task *w;
	u32 i, slot;

	/* A task that is ending may have made its last switch: then nothing would end its record. */
	if (t->flags & PF_EXITING)
		return 0;
	i = wanted_place(t->pid);
	if (i >= WANTED)
		return 0;
	wanted = &st_wanted[i];
	if (find_watched(t, &slot)) {
		wanted->state = WATCHING_ALREADY;
		return 0;
	}
	adopt(t, wanted->children, 0);
	w = find_watched(t, &slot);
	wanted->state = w ? WATCHING : WATCHING_NO_ROOM;
	if (w) {
		wanted->slot = slot;
		wanted->born = w->born;
	}
	return 0;
}
