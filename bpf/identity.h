/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/* Who a task is, and whose. */

#include "core_fixes.h"

const volatile bool cpu_groups = false; /* the CPU controller is in a hierarchy of version 1 */

static __always_inline u64 cgroup_of(struct task_struct *t)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	u32 i = bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);

	if (!cpu_groups)
		return BPF_CORE_READ(set, dfl_cgrp, kn, id);
	bpf_probe_read_kernel(&css, sizeof(css), (void *)__builtin_preserve_access_index(&set->subsys) + i * sizeof(css));
	return BPF_CORE_READ(css, cgroup, kn, id);
}

/* What comes after a name's end is 0, so that equal names are equal keys. */
static __always_inline void copy_name(char to[16], const void *from)
{
	char name[16] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), from);
	__builtin_memcpy(to, name, sizeof(name));
}
