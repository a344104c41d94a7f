package collector_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
)

const holdVariable = "SLICETRACE_TEST_HOLD"

// holdCollector makes this process, if asked to, one that traces until it is killed.
func holdCollector() {
	if os.Getenv(holdVariable) == "" {
		return
	}
	if _, err := collector.Open(collector.Options{}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("tracing")
	time.Sleep(time.Minute)
	os.Exit(1)
}

// ours returns the programs of slicetrace in the kernel.
func ours(t testing.TB) map[ebpf.ProgramID]string {
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

// checkGone waits until no programs but those of before are in the kernel.
func checkGone(t *testing.T, before map[ebpf.ProgramID]string) {
	t.Helper()
	var left []string
	for range 100 {
		left = left[:0]
		for id, name := range ours(t) {
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

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	bpftest.Require(t)
	before := ours(t)
	c, err := collector.Open(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ours(t)) <= len(before) {
		t.Error("an open collector has no programs in the kernel: the test sees nothing")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	checkGone(t, before)
}

func TestKilledCollectorLeavesNothingInTheKernel(t *testing.T) {
	bpftest.Require(t)
	before := ours(t)
	held := exec.Command("/proc/self/exe")
	held.Env = append(os.Environ(), holdVariable+"=1")
	out, err := held.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("tracing"))
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "tracing" {
		t.Errorf("it said %q, %v", said, err)
	}
	if err := held.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = held.Wait() // it was killed
	checkGone(t, before)
}
