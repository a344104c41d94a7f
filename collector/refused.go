package collector

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
)

// RefusedError says what stood in the way of tracing, why, and how to get past it.
type RefusedError struct {
	// Object is what failed, Cause why, and Remedy what to do.
	Object, Cause, Remedy string
	// Err is the kernel's error, nil if it was not asked.
	Err error
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("%s: %s: %s", e.Object, e.Cause, e.Remedy)
	if e.Err != nil {
		text += fmt.Sprintf(" (the kernel says: %v)", e.Err)
	}
	return text
}

func (e *RefusedError) Unwrap() error { return e.Err }

// checkMounts returns a *RefusedError if /proc or /sys cannot be seen. Without them, other
// things would seem to be missing.
func checkMounts() error {
	for _, m := range []struct{ object, needed, remedy string }{
		{"/proc", "/proc/self/status", "mount -t proc proc /proc"},
		{"/sys", "/sys/devices/system/cpu", "mount -t sysfs sysfs /sys"},
	} {
		if _, err := os.Stat(m.needed); err != nil {
			remedy := m.remedy + ", or run outside of the container that hides it"
			return &RefusedError{m.object, "not mounted here, or hidden", remedy, nil}
		}
	}
	return nil
}

// explain finds out why the kernel refused, if its error alone tells too little.
func explain(err error) error {
	refused := func(object, cause, remedy string) error { return &RefusedError{object, cause, remedy, err} }
	switch {
	case errors.Is(err, bpf.ErrNoBTF), errors.Is(err, bpf.ErrTooOld): // they explain themselves
		return err
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return refused("open files", openFiles(), "raise the limit, as by: ulimit -n 1024")
	case confidential():
		return refused("kernel lockdown",
			"the kernel is locked down for confidentiality, and lets no program read its memory",
			"boot with lockdown=integrity or without lockdown")
	case errors.Is(err, unix.EPERM):
		cause, remedy := forbidder()
		return refused("system call bpf", cause, remedy)
	case errors.Is(err, unix.ENOMEM):
		return refused("memory for the maps", "the kernel has none, or this control group may have no more",
			"raise the group's limit on memory, or watch fewer tasks")
	case errors.Is(err, ebpf.ErrNotSupported):
		return refused("eBPF", "this kernel lacks a part that slicetrace needs", "use Linux 5.15 or later")
	}
	return err
}

// filesNeeded is how many files a collector and the rest of the process have open at most,
// with some to spare.
const filesNeeded = 96

// checkFiles returns a *RefusedError if that many files cannot be opened. It runs first,
// since code that runs into the limit may misread it: the eBPF library takes a map that it
// could not try for one that the kernel does not know, and libpsx ends the process.
func checkFiles() error {
	opened := make([]int, 0, filesNeeded)
	defer func() {
		for _, fd := range opened {
			_ = unix.Close(fd) // it was only opened to be counted
		}
	}()
	for range filesNeeded {
		fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
			return explain(err)
		}
		if err != nil {
			return fmt.Errorf("open /: %w", err)
		}
		opened = append(opened, fd)
	}
	return nil
}

// openFiles says how many files may be open.
func openFiles() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return "too many are open"
	}
	return fmt.Sprintf("this process may have %d, and needs %d beside those it already has",
		limit.Cur, filesNeeded)
}

// confidential reports whether the kernel is locked down so that tracing is impossible. If
// securityfs is not mounted, the kernel's command line tells.
func confidential() bool {
	text, err := os.ReadFile("/sys/kernel/security/lockdown")
	if err == nil {
		return strings.Contains(string(text), "[confidentiality]")
	}
	text, err = os.ReadFile("/proc/cmdline")
	return err == nil && strings.Contains(" "+strings.TrimSpace(string(text))+" ", " lockdown=confidentiality ")
}

// forbidder tells what refuses a system call to a process that has the capabilities.
func forbidder() (cause, remedy string) {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil && strings.Contains(string(status), "\nSeccomp:\t2") {
		return "a seccomp filter, as a container or a service has, may refuse it although the capabilities are there",
			"run on the host, or the container with --security-opt seccomp=unconfined"
	}
	list, err := os.ReadFile("/sys/kernel/security/lsm")
	if modules := strings.TrimSpace(string(list)); err == nil {
		return "refused although the capabilities are there; the security modules are " + modules,
			"look for its denial in the kernel's log (dmesg, or ausearch -m avc), and allow it"
	}
	return "refused although the capabilities are there, as by a security module or a container",
		"run on the host, or look for the denial in the kernel's log (dmesg)"
}
