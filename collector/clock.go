package collector

import "golang.org/x/sys/unix"

// Now is CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns and of every stamp here,
// in nanoseconds.
func Now() int64 {
	var now unix.Timespec
	// The call fails only for a clock that does not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}
