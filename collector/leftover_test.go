package collector_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
)

const holdVariable = "SLICETRACE_TEST_HOLD"

// holdCollector makes this process, if it is asked to, trace until it is killed.
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

func TestCloseLeavesNothingInTheKernel(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	c, err := collector.Open(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := bpftest.Programs(t)
	maps.DeleteFunc(now, func(id ebpf.ProgramID, _ string) bool { _, there := before[id]; return there })
	if len(now) == 0 {
		t.Error("an open collector has no programs in the kernel: the test sees nothing")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	bpftest.CheckGone(t, before)
}

func TestKilledCollectorLeavesNothingInTheKernel(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
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
	bpftest.CheckGone(t, before)
}
