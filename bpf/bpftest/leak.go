package bpftest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// Programs returns the names of slicetrace's programs in the kernel. An attached
// link holds its program, so where there is no program there is no link.
func Programs(t testing.TB) map[ebpf.ProgramID]string {
	t.Helper()
	found := make(map[ebpf.ProgramID]string)
	id := ebpf.ProgramID(0)
	for {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // it has gone
		}
		if info, err := p.Info(); err == nil && strings.HasPrefix(info.Name, "st_") {
			found[id] = info.Name
		}
		p.Close()
	}
}

// heldByOthers returns the programs that other living processes hold open: those of a
// slicetrace that somebody else runs here were not left behind.
func heldByOthers() map[ebpf.ProgramID]bool {
	held := make(map[ebpf.ProgramID]bool)
	files, _ := filepath.Glob("/proc/[0-9]*/fdinfo/*")
	own := fmt.Sprintf("/proc/%d/", os.Getpid())
	for _, name := range files {
		if strings.HasPrefix(name, own) {
			continue
		}
		text, _ := os.ReadFile(name) // it may have gone
		for line := range strings.Lines(string(text)) {
			if id, ok := strings.CutPrefix(line, "prog_id:"); ok {
				if n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 32); err == nil {
					held[ebpf.ProgramID(n)] = true
				}
			}
		}
	}
	return held
}

// CheckGone waits until the kernel has only programs that it had before, or that other
// processes hold. The test fails if that takes more than two seconds.
func CheckGone(t testing.TB, before map[ebpf.ProgramID]string) {
	t.Helper()
	var left []string
	for range 100 {
		left = left[:0]
		now := Programs(t)
		maps.DeleteFunc(now, func(id ebpf.ProgramID, _ string) bool { _, there := before[id]; return there })
		if len(now) == 0 {
			return
		}
		others := heldByOthers()
		for id, name := range now {
			if !others[id] {
				left = append(left, name)
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond) // the kernel frees programs after a grace period
	}
	t.Errorf("left in the kernel: %v", left)
}
