package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// keepCapabilities gives up all of this process's capabilities but those given,
// on all of its threads and for good: a program that it executes can have them
// again only as any program can, by being root's or by its file. Those of the
// given that the process does not have it does not get.
//
// The bounding set stays as it is: programs that are started inherit it, and a
// setuid program among them would be less than it is for whoever starts it. So
// does no_new_privs, for the same reason.
func keepCapabilities(keep ...int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("read own capabilities: %w", err)
	}
	var kept [2]uint32
	for _, capability := range keep {
		kept[capability/32] |= 1 << (capability % 32)
	}
	for i := range sets {
		sets[i].Permitted &= kept[i]
		sets[i].Effective &= kept[i]
		// Without them the kernel drops the ambient ones too.
		sets[i].Inheritable = 0
	}
	restore, err := makeRoomForSignals()
	if err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	defer restore()
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0)
	if errno != 0 {
		return fmt.Errorf("give up capabilities: %w", errno)
	}
	return nil
}

// enoughSignals is more than this process has threads.
const enoughSignals = 64

// makeRoomForSignals raises the limit on pending signals, and returns what puts it back
// for the programs that inherit it. psx sends one to each thread and waits until it has
// come; where the limit is used up the kernel sends it without its sender, and psx,
// which asks for that, would wait for ever.
func makeRoomForSignals() (restore func(), err error) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_SIGPENDING, &was); err != nil {
		return nil, fmt.Errorf("read limit on pending signals: %w", err)
	}
	if was.Max < enoughSignals {
		return nil, fmt.Errorf("at most %d signals may be pending (ulimit -i), and each thread needs one: allow %d", was.Max, enoughSignals)
	}
	if err := unix.Setrlimit(unix.RLIMIT_SIGPENDING, &unix.Rlimit{Cur: was.Max, Max: was.Max}); err != nil {
		return nil, fmt.Errorf("raise limit on pending signals: %w", err)
	}
	// What was allowed before is allowed now.
	return func() { _ = unix.Setrlimit(unix.RLIMIT_SIGPENDING, &was) }, nil
}

// commandCapabilities are those of this process's that a program of the user's keeps,
// nil for all that root's keeps. What this process can hand on without us it hands on,
// but for the two that the tool was given for itself.
func commandCapabilities() (*[2]unix.CapUserData, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var own, kept [2]unix.CapUserData
	if err := unix.Capget(&header, &own[0]); err != nil {
		return nil, fmt.Errorf("read own capabilities: %w", err)
	}
	for c := range 64 {
		word, bit := c/32, uint32(1)<<(c%32)
		if c == unix.CAP_BPF || c == unix.CAP_PERFMON {
			continue
		}
		kept[word].Inheritable |= own[word].Inheritable & bit
		// The kernel refuses to tell of those that it does not know.
		ambient, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(c), 0, 0)
		if err == nil && ambient == 1 {
			kept[word].Permitted |= bit
			kept[word].Effective |= bit
		}
	}
	return &kept, nil
}

// dropUnlessRoot gives up the capabilities of a worker host if it is not root's: they
// are the tool's, by its file or because it was started with them, and the work has no
// use for them. Work that is root's keeps what root has.
func dropUnlessRoot() error {
	if os.Geteuid() == 0 {
		return nil
	}
	if err := keepCapabilities(); err != nil {
		return err
	}
	// Executing a file with capabilities hid what /proc says of this process from
	// its own user, who is the tool's too.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("let the tool read /proc: %w", err)
	}
	return nil
}
