/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#pragma once

/*
 * The few kernel types that the programs touch, trimmed to the fields they
 * read. Offsets are relocated against the running kernel's BTF at load time.
 */

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1U << 10,
	BPF_RB_NO_WAKEUP = 1U << 0,
	BPF_RB_FORCE_WAKEUP = 1U << 1,
	BPF_RB_AVAIL_DATA = 0,
	BPF_F_USER_STACK = 1U << 8,
};

/* include/linux/sched.h: unchanged since 4.14 (TASK_DEAD) and 2.6 (PF_KTHREAD). */
#define TASK_DEAD 0x80
#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define MAX_RT_PRIO 100 /* ordinary tasks have this prio or more */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	unsigned long start_stack;
};

struct thread_info {
	unsigned long flags;
#if defined(__TARGET_ARCH_x86)
	u32 status;
#endif
	u32 cpu;
};

/* Empty without CONFIG_SCHED_INFO. */
struct sched_info {
	unsigned long pcount; /* how often the task has taken a core */
	u64 run_delay;    /* for how long the task has waited for a core, its waits that ended */
	u64 last_arrival; /* when the task took a core, on the run queue's clock */
	u64 last_queued;  /* when it joined a run queue */
};

struct rq;

struct cfs_rq {
	int throttle_count; /* how many of its group and of the groups above it are throttled: CONFIG_CFS_BANDWIDTH */
	struct rq *rq;      /* the core's run queue: CONFIG_FAIR_GROUP_SCHED */
	u32 h_nr_queued;    /* tasks in it and in the groups below it */
	u32 h_nr_runnable;  /* those of them that do not sleep (delayed dequeue): since 6.14 */
	u32 h_nr_delayed;   /* those that sleep: in 6.12 and 6.13 */
};

/* A core's run queue. */
struct rq {
	u32 nr_running; /* of all classes */
	u64 clock;      /* when the scheduler last looked at its clock, as at each switch */
	struct cfs_rq cfs;
};

struct sched_entity {
	u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq; /* of the task's group on this core: CONFIG_FAIR_GROUP_SCHED */
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

enum cgroup_subsys_id {
	cpu_cgrp_id = 1,
};

/* The control groups of a task: dfl_cgrp of version 2, subsys of the controllers, which may be of version 1. */
struct css_set {
	struct cgroup_subsys_state *subsys[4]; /* one for each controller, more than these */
	struct cgroup *dfl_cgrp;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	int exit_state;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct sched_info sched_info;
	struct sched_entity se;
	int prio;
	bool throttled;
	u64 start_time; /* CLOCK_MONOTONIC */
	struct task_struct *group_leader;
	const struct cred *cred;
	struct css_set *cgroups;
	unsigned in_iowait : 1;
	char comm[16];
};

struct hrtimer {
	void *function;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	s32 syscallno;
	u64 pstate;
};
#else
#error "unknown architecture"
#endif

#pragma clang attribute pop
