package collector

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report/sched"
)

// hotplug finds out which cores go offline or come online. The kernel sends one message for
// each on a netlink socket, which costs nothing until then. Without such a socket, or if
// messages found no room in it, only those cores are known that readings find offline.
type hotplug struct {
	fd   int // -1: there is no socket
	seen map[sched.CPU]bool
	deaf bool // messages were lost
}

func listenHotplug() *hotplug {
	h := &hotplug{fd: -1, seen: make(map[sched.CPU]bool), deaf: true}
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_NETLINK, kind, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return h
	}
	const kernel = 1 // the group of the kernel's own messages
	err = errors.Join(onlyOnOff(fd), unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernel}))
	if err != nil {
		unix.Close(fd)
		return h
	}
	h.fd, h.deaf = fd, false
	return h
}

// onlyOnOff keeps out messages that start with another letter than "online" and "offline".
// Devices send many of those, and they would fill the socket.
func onlyOnOff(fd int) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 'o', Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
}

// noticed notes a core that a reading has found to have gone offline or come online.
func (h *hotplug) noticed(cpu sched.CPU) { h.seen[cpu] = true }

// changed returns the cores that have gone offline or come online so far, ascending, and
// whether the list is complete.
func (h *hotplug) changed() (cores []sched.CPU, all bool) {
	message := make([]byte, 4096)
	for h.fd >= 0 {
		n, from, err := unix.Recvfrom(h.fd, message, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.ENOBUFS) {
			h.deaf = true
			continue
		}
		if err != nil {
			break
		}
		// Other processes may send to the group; the kernel's port is 0.
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue
		}
		if cpu, ok := parseHotplug(message[:n]); ok {
			h.seen[cpu] = true
		}
	}
	return slices.Sorted(maps.Keys(h.seen)), !h.deaf
}

// parseHotplug reads "offline@/devices/system/cpu/cpu1"; what follows a NUL does not matter.
func parseHotplug(message []byte) (cpu sched.CPU, ok bool) {
	head, _, _ := bytes.Cut(message, []byte{0})
	action, path, _ := strings.Cut(string(head), "@")
	if action != "offline" && action != "online" {
		return 0, false
	}
	name, ok := strings.CutPrefix(path, "/devices/system/cpu/cpu")
	if !ok {
		return 0, false
	}
	cpu, err := hostinfo.ParseCPU(name)
	return cpu, err == nil
}

func (h *hotplug) close() error {
	if h.fd < 0 {
		return nil
	}
	err := unix.Close(h.fd)
	if h.fd = -1; err != nil {
		return fmt.Errorf("close hotplug socket: %w", err)
	}
	return nil
}
