package bpf

//go:generate -command bpf2go go tool bpf2go -cc clang-19 -target amd64,arm64 -cflags "-O2 -g -Wall -Werror"
//go:generate bpf2go -type hist -type class_hists -type exited_counts -type task_exit -type task_name -type events -type event -type occupant -type switch_class -type ended_by -type follow -type record_type -type event_flag -type watching -type partners -type partner_list -type partner -type partner_sum -type paired_exit slicetrace slicetrace.bpf.c -- -Iheaders
//go:generate bpf2go -type sampled -type distance -type light_part -type visit -type visited -type stack_sample -type stack_budget -type waker light light.bpf.c -- -mcpu=v3 -Iheaders
//go:generate bpf2go floor floor.bpf.c -- -Iheaders
//go:generate bpf2go others others.bpf.c -- -Iheaders
