package collector_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
)

func TestKernelMemory(t *testing.T) {
	bpftest.Require(t)
	kernel, err := bpf.ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	for _, cores := range []int{1, 2, 8, 64} {
		objs, err := bpf.Load(kernel, bpf.Options{Cores: cores, Tasks: collector.DefaultTasks(cores)})
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := objs.Memory()
		objs.Close()
		if err != nil {
			t.Fatal(err)
		}
		perCore := bytes / uint64(cores)
		t.Logf("%d cores: %d KiB a core", cores, perCore>>10)
		if perCore > 256<<10 || perCore < 32<<10 {
			t.Errorf("maps for %d cores take %d bytes a core, want at most 256 KiB", cores, perCore)
		}
	}
}
