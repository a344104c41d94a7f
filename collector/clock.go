package collector

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// NowNS returns CLOCK_MONOTONIC as this process reads it, in nanoseconds. In a time namespace
// it is ahead of or behind the kernel's own clock, from which bpf_ktime_get_ns and so every
// stamp here come. A Collector knows by how much.
func NowNS() int64 {
	var now unix.Timespec
	// The call fails only for a clock that does not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}

// now returns the kernel's own CLOCK_MONOTONIC.
func (c *Collector) now() uint64 { return uint64(NowNS() - c.ahead.Nanoseconds()) }

// ErrTimeNamespace says that this process and its children read different clocks.
var ErrTimeNamespace = errors.New("the children of this process are in another time namespace than itself: " +
	"start slicetrace with unshare --fork, or outside of the namespace")

// initialTimeNamespace is PROC_TIME_INIT_INO of include/uapi/linux/nsfs.h.
const initialTimeNamespace = "time:[4026531834]"

// clockAhead returns how far this process's CLOCK_MONOTONIC is ahead of the kernel's. It is
// 0 outside of time namespaces. The error is ErrTimeNamespace if it cannot be known.
func clockAhead() (time.Duration, error) { return clockAheadIn("/proc/self") }

// clockAheadIn is clockAhead for the process whose directory in /proc is given.
func clockAheadIn(proc string) (time.Duration, error) {
	own, err := os.Readlink(proc + "/ns/time")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // a kernel without time namespaces
	}
	if err != nil {
		return 0, fmt.Errorf("read time namespace: %w", err)
	}
	// timens_offsets describes the children's namespace only.
	if children, err := os.Readlink(proc + "/ns/time_for_children"); err == nil && children != own {
		return 0, ErrTimeNamespace
	}
	if own == initialTimeNamespace {
		return 0, nil
	}
	offsets, err := os.Open(proc + "/timens_offsets")
	if err != nil {
		return 0, fmt.Errorf("read time namespace: %w", err)
	}
	defer offsets.Close()
	return parseClockAhead(offsets)
}

// parseClockAhead reads lines such as "monotonic  100000  0": a clock, seconds and
// nanoseconds. The seconds may be negative.
func parseClockAhead(offsets io.Reader) (time.Duration, error) {
	lines := bufio.NewScanner(offsets)
	for lines.Scan() {
		var clock string
		var seconds, ns int64
		if _, err := fmt.Sscan(lines.Text(), &clock, &seconds, &ns); err != nil {
			return 0, fmt.Errorf("read time namespace: parse offset %q: %w", strings.TrimSpace(lines.Text()), err)
		}
		if clock == "monotonic" {
			return time.Duration(seconds)*time.Second + time.Duration(ns), nil
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("read time namespace: %w", err)
	}
	return 0, errors.New("read time namespace: the kernel lists no offset of the clock monotonic")
}
