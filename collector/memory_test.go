package collector_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
)

// What the README says, and at most 128 KiB a core and 200 bytes a task.
func TestKernelMemory(t *testing.T) {
	bpftest.Require(t)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := bpf.ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	sizes := [][2]int{{2, 10_000}} // cores and tasks
	for _, cores := range []int{1, 2, 8, 64} {
		sizes = append(sizes, [2]int{cores, collector.DefaultTasks(cores)})
	}
	for _, size := range sizes {
		cores, tasks := size[0], size[1]
		objs, err := bpf.Load(kernel, bpf.Options{Cores: cores, Tasks: tasks})
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := objs.Memory()
		objs.Close()
		if err != nil {
			t.Fatal(err)
		}
		most := uint64(cores)<<17 + 200*uint64(tasks)
		row := fmt.Sprintf("| %d | %d | %d KiB |", cores, tasks, bytes>>10)
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README has no row %q", row)
		}
		if bytes > most || bytes < uint64(cores)<<15 {
			t.Errorf("maps for %d cores and %d tasks take %d bytes, want at most %d", cores, tasks, bytes, most)
		}
	}
}
