package bpf

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -type cpu_state -type sums -type snapshot -type hist -type class_hists -type watched_task -type task_exit -type final_state -type exited_counts -type events -type event -type event_buf -type task_name -type index -cflags "-O2 -g -Wall -Werror" slicetrace slicetrace.bpf.c -- -Iheaders
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" floor floor.bpf.c -- -Iheaders
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" others others.bpf.c -- -Iheaders
