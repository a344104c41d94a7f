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
)

// hotplug hears of cores that go offline or come online. The kernel tells it once,
// by a message on a netlink socket, which costs nothing until then. Where there is
// no such socket, or messages found no room in it, only what readings of the cores
// find is known.
type hotplug struct {
	fd   int // -1: none
	seen map[int]bool
	deaf bool // messages were lost
}

func listenHotplug() *hotplug {
	h := &hotplug{fd: -1, seen: make(map[int]bool), deaf: true}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
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

// onlyOnOff keeps messages out that begin with another letter than "online" and
// "offline" do, of which devices make many: so that these few have the socket's room.
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

// noticed says that a reading of the cores has found one that went or came.
func (h *hotplug) noticed(cpu int) { h.seen[cpu] = true }

// changed returns the cores that have gone or come so far, ascending, and whether those
// are all.
func (h *hotplug) changed() (cores []int, all bool) {
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
		// Others may send to the group; the kernel's port is 0.
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue
		}
		if cpu, ok := parseHotplug(message[:n]); ok {
			h.seen[cpu] = true
		}
	}
	return slices.Sorted(maps.Keys(h.seen)), !h.deaf
}

// parseHotplug reads "offline@/devices/system/cpu/cpu1", and what follows a NUL.
func parseHotplug(message []byte) (cpu int, ok bool) {
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
