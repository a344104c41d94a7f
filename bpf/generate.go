package bpf

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -type core -type sums -type snapshot -type spread -type class_page -type worker -type obituary -type last -type lives -type events -type event -type raw -type task_name -type index -cflags "-O2 -g -Wall -Werror" slicetrace slicetrace.bpf.c -- -Iheaders
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" floor floor.bpf.c -- -Iheaders
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package bpf -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" others others.bpf.c -- -Iheaders
