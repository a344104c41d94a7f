//go:build linux

package workloads

import _ "unsafe" // for go:linkname

// monotonic returns CLOCK_MONOTONIC in nanoseconds by the vDSO, the clock
// of the kernel's bpf_ktime_get_ns. It is the runtime's own: time.Since reads
// the same clock but checks the stack, which a worker's body must not do, and
// clock_gettime as a system call costs ten times as much.
//
//go:linkname monotonic runtime.nanotime
//go:noescape
//go:nosplit
func monotonic() int64

// leaveScheduler tells Go that this thread enters a blocking system call: the
// scheduler gives its processor away and no longer looks at it. The runtime keeps
// the symbol for packages such as gVisor's (go.dev/issue/67401).
//
//go:linkname leaveScheduler runtime.entersyscallblock
//go:nosplit
func leaveScheduler()

// returnToScheduler ends what leaveScheduler began.
//
//go:linkname returnToScheduler runtime.exitsyscall
//go:nosplit
func returnToScheduler()
