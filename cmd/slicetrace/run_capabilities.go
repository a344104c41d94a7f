package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// keepCapabilities gives up all capabilities of this process except those given, in every
// thread and for good. A program that the process executes can get them back only as any
// program can: by running as root, or through its file's capabilities. keepCapabilities
// never adds a capability that the process does not have.
//
// The bounding set and no_new_privs stay as they are, since programs that are started
// inherit them: a setuid program among them would have fewer rights than without us.
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
		// The kernel then drops the ambient capabilities too.
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

// enoughSignals is more than the number of this process's threads.
const enoughSignals = 64

// makeRoomForSignals raises the limit on pending signals, and returns a function that
// restores it for the programs that inherit it. psx sends a signal to each thread and waits
// for its arrival. Beyond the limit the kernel delivers a signal without information about
// its sender; psx ignores such a signal and would wait for ever.
func makeRoomForSignals() (restore func(), err error) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_SIGPENDING, &was); err != nil {
		return nil, fmt.Errorf("read limit on pending signals: %w", err)
	}
	if was.Max < enoughSignals {
		return nil, fmt.Errorf("at most %d signals may be pending (ulimit -i), and each thread needs one: allow %d",
			was.Max, enoughSignals)
	}
	if err := unix.Setrlimit(unix.RLIMIT_SIGPENDING, &unix.Rlimit{Cur: was.Max, Max: was.Max}); err != nil {
		return nil, fmt.Errorf("raise limit on pending signals: %w", err)
	}
	// It cannot fail: the old limit is allowed.
	return func() { _ = unix.Setrlimit(unix.RLIMIT_SIGPENDING, &was) }, nil
}

// commandCapabilities returns the capabilities that the traced program inherits, nil if
// that is decided by its running as root. They are what any program that this process
// executes would inherit, except for the two that are meant for slicetrace itself.
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
		// For a capability that the kernel does not know, the call fails.
		ambient, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(c), 0, 0)
		if err == nil && ambient == 1 {
			kept[word].Permitted |= bit
			kept[word].Effective |= bit
		}
	}
	return &kept, nil
}

// dropUnlessRoot gives up the capabilities of a worker host that does not run as root:
// they are meant for the tool, and the work has no use for them. A host that runs as root
// keeps what root has.
func dropUnlessRoot() error {
	if os.Geteuid() == 0 {
		return nil
	}
	if err := keepCapabilities(); err != nil {
		return err
	}
	// After a file with capabilities was executed, the process's own user may not read its
	// /proc directory. The tool, which runs as that user, has to.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("let the tool read /proc: %w", err)
	}
	return nil
}
