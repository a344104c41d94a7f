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

// The maps take as much as bpf/README.md says, and at most 128 KiB for each core and 368 bytes
// for each task: a record of three cache lines, its task's last counts and name, and an entry
// in each of the index, st_collisions and the two queues of slots.
func TestKernelMemory(t *testing.T) {
	bpftest.Require(t)
	readme, err := os.ReadFile("../bpf/README.md")
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
		most := uint64(cores)<<17 + 368*uint64(tasks)
		row := fmt.Sprintf("| %d | %d | %d KiB |", cores, tasks, bytes>>10)
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README has no row %q", row)
		}
		if bytes > most || bytes < uint64(cores)<<15 {
			t.Errorf("maps for %d cores and %d tasks take %d bytes, want at most %d", cores, tasks, bytes, most)
		}
	}
}

// A machine can have room for many more cores than it has. Each of those takes only its
// counters: what the cores share is no larger for them.
func TestKernelMemoryOfCoresToCome(t *testing.T) {
	bpftest.Require(t)
	readme, err := os.ReadFile("../bpf/README.md")
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := bpf.ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	memory := func(o bpf.Options) uint64 {
		t.Helper()
		objs, err := bpf.Load(kernel, o)
		if err != nil {
			t.Fatal(err)
		}
		defer objs.Close()
		bytes, err := objs.Memory()
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	const online, possible = 4, 240
	// A recording adds events on their way, and room for wakeups that come meanwhile.
	for record, most := range map[bool]uint64{false: 48, true: 50} {
		few := memory(bpf.Options{Cores: online, Online: online, Tasks: 1024, Record: record})
		many := memory(bpf.Options{Cores: possible, Online: online, Tasks: 1024, Record: record})
		each := (many - few) / (possible - online) >> 10
		sentence := fmt.Sprintf("A core that could yet come takes %d KiB", each)
		if !record && !strings.Contains(string(readme), sentence) || each > most {
			t.Errorf("recording %v: each core that could yet come takes %d KiB", record, each)
		}
	}
}
