//go:build ignore

/* SPDX-License-Identifier: MIT OR GPL-2.0-only */

/*
 * Lists the functions that the kernel calls at a tracepoint. The list is the one that the
 * kernel itself goes through, so it is complete: programs, perf, tracefs, modules. This
 * program is never attached. The tool runs it with a link of its own to that tracepoint, by
 * which the tracepoint is found without its symbol.
 */

#include "symbols.h" /* maps.h would bring the other programs' maps along */
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define MOST_CALLBACKS 16

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct tracepoint_func {
	void *func;
	void *data;
	int prio;
};

struct tracepoint {
	struct tracepoint_func *funcs;
};

struct bpf_raw_event_map {
	struct tracepoint *tp;
};

struct bpf_prog_aux {
	u32 id;
	char name[16];
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct bpf_link {
	struct bpf_prog *prog;
};

struct bpf_raw_tp_link {
	struct bpf_link link;
	struct bpf_raw_event_map *btp;
	u64 cookie;
};

struct file {
	void *private_data;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct___files {
	struct files_struct *files;
};

struct thread_info___work {
	unsigned long syscall_work;
};

struct task_struct___work {
	struct thread_info___work thread_info;
};

#pragma clang attribute pop

struct callback {
	u32 program; /* the id of the eBPF program that it runs; 0: it runs none */
	u32 pad;
	u8 name[16]; /* the program's */
	u8 function[SYMBOL_BYTES];
};

u32 others_count; /* more than MOST_CALLBACKS: the rest is not listed */
u32 others_knows_work;
u64 others_work; /* what system calls of this task have to do besides their own work */
struct callback others_found[MOST_CALLBACKS];

static __always_inline struct tracepoint *tracepoint_of(u64 fd)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct bpf_raw_tp_link *link;
	struct file *file = NULL;

	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	link = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(link, btp, tp);
}

static __always_inline void note_program(struct callback *c, void *data)
{
	struct bpf_prog *prog = data;

	/* Since d4dfc5700e86 (6.10), just before links got cookies, data is the link. */
	if (bpf_core_field_exists(struct bpf_raw_tp_link, cookie))
		prog = BPF_CORE_READ((struct bpf_raw_tp_link *)data, link.prog);
	c->program = BPF_CORE_READ(prog, aux, id);
	BPF_CORE_READ_INTO(&c->name, prog, aux, name);
}

SEC("raw_tp")
int st_others(u64 *ctx)
{
	struct tracepoint *tp = tracepoint_of(ctx[0]);
	struct tracepoint_func *list = BPF_CORE_READ(tp, funcs);
	struct task_struct___work *task = (void *)bpf_get_current_task();
	u32 i;

	others_knows_work = 0;
	if (bpf_core_field_exists(task->thread_info.syscall_work)) {
		others_work = BPF_CORE_READ(task, thread_info.syscall_work);
		others_knows_work = 1;
	}
	for (i = 0; list && i < MOST_CALLBACKS; i++) {
		struct callback *c = &others_found[i];
		void *func = BPF_CORE_READ(list + i, func);

		if (!func)
			break;
		c->program = 0;
		symbol_name((u64)func, (char *)c->function);
		if (!__builtin_memcmp(c->function, "__bpf_tr", 8))
			note_program(c, BPF_CORE_READ(list + i, data));
	}
	others_count = i;
	return 0;
}
