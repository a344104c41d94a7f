//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * Three ways to find a watched task's slot: the index of the other programs, a hash map, and
 * task storage. Each program looks for the current task LOOKUPS times.
 */

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "index.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define LOOKUPS 1024

#define BPF_MAP_TYPE_TASK_STORAGE 29
#define BPF_F_NO_PREALLOC 1
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, u64);
	__type(value, u32);
} st_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} st_storage SEC(".maps");

u32 lookup_found;

/* Makes the current task one that all three find, in slot 0. */
SEC("raw_tp")
int st_lookup_add(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct watched_task *w = watched_at(0);
	u64 key = key_of(t);
	u32 slot = 0;

	if (!w)
		return 1;
	w->key = key;
	if (index_add(key, slot) || bpf_map_update_elem(&st_hash, &key, &slot, BPF_ANY))
		return 2;
	return bpf_task_storage_get(&st_storage, t, &slot, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : 3;
}

SEC("raw_tp")
int st_lookup_index(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u32 i, slot, found = 0;

	for (i = 0; i < LOOKUPS; i++)
		found += find_watched(t, &slot) != NULL;
	lookup_found = found;
	return 0;
}

SEC("raw_tp")
int st_lookup_hash(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u32 i, *slot, found = 0;

	for (i = 0; i < LOOKUPS; i++) {
		u64 key = key_of(t);

		slot = bpf_map_lookup_elem(&st_hash, &key);
		found += slot && watched_at(*slot);
	}
	lookup_found = found;
	return 0;
}

SEC("raw_tp")
int st_lookup_storage(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u32 i, *slot, found = 0;

	for (i = 0; i < LOOKUPS; i++) {
		slot = bpf_task_storage_get(&st_storage, t, NULL, 0);
		found += slot && watched_at(*slot);
	}
	lookup_found = found;
	return 0;
}
