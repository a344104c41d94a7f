//go:build linux

package workloads

import _ "unsafe" // for go:linkname

// monotonic returns CLOCK_MONOTONIC in nanoseconds, the clock that the kernel's
// bpf_ktime_get_ns reads too. It is a function of Go's runtime that uses the vDSO.
// time.Since reads the same clock but checks the stack, which a worker's body must not
// do, and clock_gettime as a system call takes ten times as long.
//
//go:linkname monotonic runtime.nanotime
//go:noescape
//go:nosplit
func monotonic() int64

// leaveScheduler tells Go that this thread enters a blocking system call: the
// scheduler gives its processor to other goroutines and ignores the thread. The runtime
// keeps this symbol for packages such as gVisor's (go.dev/issue/67401).
//
//go:linkname leaveScheduler runtime.entersyscallblock
//go:nosplit
func leaveScheduler()

// returnToScheduler ends what leaveScheduler began.
//
//go:linkname returnToScheduler runtime.exitsyscall
//go:nosplit
func returnToScheduler()
