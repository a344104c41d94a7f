/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* What is done where the iterator comes to a task. */

#include "facts.h"

u64 st_misplaced; /* facts that may have been written into the place of another task */

/*
 * The task can end meanwhile, and its place be given to another, whose facts these are not. No other task has
 * the same key, since the iterator holds this one's memory. So if the key is the same afterwards, no harm was
 * done; otherwise the reader has all tasks visited again, which mends the other's facts. A task that ends
 * before that reads its own group and user again: only its process's name is then wrong.
 */
static __noinline int refresh_facts(struct watched_task *w, struct task_struct *t, u32 slot)
{
	struct task_facts *f = bpf_map_lookup_elem(&st_facts, &slot), now = {};
	u64 key = key_of(t);

	if (!f)
		return 0;
	note_changes(&now, t);
	if (*(volatile u64 *)&w->key != key)
		return 0;
	f->uid = now.uid;
	f->cgroup = now.cgroup;
	__builtin_memcpy(f->process, now.process, sizeof(f->process));
	if (*(volatile u64 *)&w->key != key)
		__sync_fetch_and_add(&st_misplaced, 1);
	return 0;
}
