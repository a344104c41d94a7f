package collector

import "golang.org/x/sys/unix"

// monotonicNow is the clock of bpf_ktime_get_ns, in nanoseconds.
func monotonicNow() uint64 {
	var now unix.Timespec
	// The call fails only for a clock that does not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return uint64(now.Nano())
}
