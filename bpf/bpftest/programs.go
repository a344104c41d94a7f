package bpftest

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// Programs returns the programs of slicetrace that are in the kernel.
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

// CheckGone waits until no programs but those of before are in the kernel.
func CheckGone(t testing.TB, before map[ebpf.ProgramID]string) {
	t.Helper()
	var left []string
	for range 100 {
		left = left[:0]
		for id, name := range Programs(t) {
			if _, there := before[id]; !there {
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
