package collector

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// hotplug hears of cores that go offline or come online. The kernel tells it once,
// by a message on a netlink socket, which costs nothing until then. Where there is
// no such socket nothing is heard.
type hotplug struct {
	fd   int // -1: none
	seen map[int]bool
}

func listenHotplug() hotplug {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return hotplug{fd: -1}
	}
	const kernel = 1 // the group of the kernel's own messages
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernel}); err != nil {
		unix.Close(fd)
		return hotplug{fd: -1}
	}
	return hotplug{fd, make(map[int]bool)}
}

// changed returns the cores that have gone or come so far, ascending.
func (h hotplug) changed() []int {
	if h.fd < 0 {
		return nil
	}
	message := make([]byte, 4096)
	for {
		n, from, err := unix.Recvfrom(h.fd, message, 0)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOBUFS) { // what found no room is lost
			continue
		}
		if err != nil {
			return slices.Sorted(maps.Keys(h.seen))
		}
		// Others may send to the group; the kernel's port is 0.
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue
		}
		if cpu, ok := parseHotplug(message[:n]); ok {
			h.seen[cpu] = true
		}
	}
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
	cpu, err := parseCPU(name)
	return cpu, err == nil
}

func (h hotplug) close() error {
	if h.fd < 0 {
		return nil
	}
	if err := unix.Close(h.fd); err != nil {
		return fmt.Errorf("close hotplug socket: %w", err)
	}
	return nil
}
