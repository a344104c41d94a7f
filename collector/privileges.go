package collector

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// PrivilegeError says which capabilities the process lacks.
type PrivilegeError struct {
	Missing []string
}

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("tracing the kernel needs %s: run with sudo,"+
		" or once give the program the capabilities: sudo setcap cap_bpf,cap_perfmon+ep FILE",
		strings.Join(e.Missing, " and "))
}

// The inodes of the first namespaces' files (PROC_PID_INIT_INO and
// PROC_USER_INIT_INO, include/uapi/linux/nsfs.h and before it
// include/linux/proc_ns.h).
const (
	initialPIDNamespace  = "pid:[4026531836]"
	initialUserNamespace = "user:[4026531837]"
)

// ErrUserNamespace says that the process's capabilities do not count for the kernel.
var ErrUserNamespace = errors.New("this process is in a user namespace (a rootless container)," +
	" whose capabilities do not reach the kernel: run slicetrace on the host")

// ErrPIDNamespace says that the process sees other task numbers than the kernel.
var ErrPIDNamespace = errors.New("this process is in a PID namespace (a container)," +
	" where tasks have other numbers than in the kernel: run slicetrace on the host," +
	" or the container with the host's PID namespace and the two capabilities" +
	" (--pid=host --cap-add=BPF --cap-add=PERFMON)")

// checkNamespaces returns ErrUserNamespace, ErrPIDNamespace or ErrTimeNamespace if the kernel
// would ignore this process's capabilities, or if the tasks that it would watch could not be
// recognised, or their times not compared.
func checkNamespaces() error {
	if name, err := os.Readlink("/proc/self/ns/user"); err == nil && name != initialUserNamespace {
		return ErrUserNamespace
	}
	if name, err := os.Readlink("/proc/self/ns/pid"); err == nil && name != initialPIDNamespace {
		return ErrPIDNamespace
	}
	if _, err := clockAhead(); errors.Is(err, ErrTimeNamespace) {
		return err
	}
	return nil
}

// CheckAllowed returns the first reason why this process may not trace, as Open would:
// ErrUserNamespace, ErrPIDNamespace or ErrTimeNamespace, which come first since capabilities
// mean nothing within a container, or a *PrivilegeError.
func CheckAllowed() error {
	if err := checkMounts(); err != nil {
		return err
	}
	if err := checkNamespaces(); err != nil {
		return err
	}
	return checkPrivileges()
}

// checkPrivileges returns a *PrivilegeError unless the process may load and
// attach tracing programs. CAP_SYS_ADMIN stands in for either capability.
func checkPrivileges() error {
	effective, err := effectiveCapabilities()
	if err != nil {
		return fmt.Errorf("read own capabilities: %w", err)
	}
	has := func(capability int) bool { return effective&(1<<capability) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return nil
	}
	var missing []string
	if !has(unix.CAP_BPF) {
		missing = append(missing, "CAP_BPF")
	}
	if !has(unix.CAP_PERFMON) {
		missing = append(missing, "CAP_PERFMON")
	}
	if missing != nil {
		return &PrivilegeError{Missing: missing}
	}
	return nil
}

func effectiveCapabilities() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(os.Getpid())}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, err
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), nil
}
