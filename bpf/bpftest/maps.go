package bpftest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
)

// Entries counts the used entries of the map of the given name that a process holds open.
// The error wraps os.ErrNotExist if it holds no such map.
func Entries(pid int, name string, used func(value []byte) bool) (int, error) {
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		return 0, err
	}
	for _, info := range infos {
		m, err := openMap(info)
		if err != nil {
			continue // no map, or closed by now
		}
		defer m.Close()
		if described, err := m.Info(); err != nil || described.Name != name {
			continue
		}
		n := 0
		var key, value []byte
		entries := m.Iterate()
		for entries.Next(&key, &value) {
			if used(value) {
				n++
			}
		}
		return n, entries.Err()
	}
	return 0, fmt.Errorf("map %s of process %d: %w", name, pid, os.ErrNotExist)
}

// openMap opens the map that a file of /proc/PID/fdinfo describes.
func openMap(info string) (*ebpf.Map, error) {
	f, err := os.Open(info)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, is := strings.CutPrefix(lines.Text(), "map_id:")
		if !is {
			continue
		}
		id, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
		if err != nil {
			return nil, err
		}
		return ebpf.NewMapFromID(ebpf.MapID(id))
	}
	return nil, errors.New("no map")
}
