// Package baseline has eBPF programs that only tests and benchmarks load: ones that do
// nothing on slicetrace's hooks, ones that only read the clock there, and one that makes
// every switch longer.
package baseline

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package baseline -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" empty empty.bpf.c -- -I../headers -I..
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package baseline -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" stamps stamps.bpf.c -- -I../headers -I..
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -go-package baseline -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" slowdown slowdown.bpf.c -- -I../headers -I..
