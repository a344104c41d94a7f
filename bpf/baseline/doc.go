// Package baseline has eBPF programs that only tests and benchmarks load: ones that do
// nothing on slicetrace's hooks, ones that only read the clock there, and one that makes
// every switch longer.
package baseline

//go:generate -command bpf2go go tool bpf2go -cc clang-19 -target amd64,arm64 -cflags "-O2 -g -Wall -Werror"
//go:generate bpf2go empty empty.bpf.c -- -I../headers -I..
//go:generate bpf2go stamps stamps.bpf.c -- -I../headers -I..
//go:generate bpf2go slowdown slowdown.bpf.c -- -I../headers -I..
