package bpf

import (
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// The flag by which this kernel asks for a switch, as learned from the kernel itself, is the
// one that is guessed for kernels of its age.
func TestFlagOfThisKernel(t *testing.T) {
	bpftest.Require(t)
	kernel, err := ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	objs, err := Load(kernel, Options{Cores: runtime.NumCPU(), Tasks: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer objs.Close()
	for _, h := range objs.Hooks {
		if h.Name != "hrtimer_expire_entry" && h.Name != "hrtimer_expire_exit" {
			continue
		}
		l, err := link.AttachTracing(link.TracingOptions{Program: h.Program})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	var globals Globals
	idleBefore, allBefore := bpftest.CPUTicks()
	for start := time.Now(); globals.ReschedFlags == 0 && time.Since(start) < 20*time.Second; {
		time.Sleep(time.Millisecond)
		if err := objs.Globals.Get(&globals); err != nil {
			t.Fatal(err)
		}
	}
	if globals.ReschedFlags == 0 {
		idle, all := bpftest.CPUTicks()
		wasIdle := (idle-idleBefore)*10 > all-allBefore && !bpftest.Emulated()
		bpftest.Lacks(t, wasIdle, "no timer woke an idle core within 20 s")
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	if guess, _ := reschedFlags(runtime.GOARCH, release, kernel.hasLazyResched()); guess != globals.ReschedFlags {
		t.Errorf("the flags are %#x, guessed %#x of %s on %s", globals.ReschedFlags, guess, release, runtime.GOARCH)
	}
}

func TestReschedFlags(t *testing.T) {
	for _, c := range []struct {
		arch, release string
		lazy          bool
		want          uint64
		shift         uint32
	}{
		{"amd64", "5.15.0-91-generic", false, 1 << 3, 0},
		{"amd64", "6.1.0-30-rt-amd64", true, 1<<3 | 1<<19, 16},
		{"amd64", "6.12.48+deb13-rt-amd64", true, 3 << 3, 1},
		{"amd64", "6.17.1", true, 3 << 3, 1},
		{"amd64", "6.18.1", true, 3 << 4, 1},
		{"amd64", "7.2-cloud", true, 3 << 4, 1},
		{"arm64", "6.1.0", false, 1 << 1, 0},
		{"arm64", "6.14.0", true, 1 << 1, 0}, // its bit came later than the scheduler's part
		{"arm64", "7.2.0", true, 3 << 1, 1},
		{"riscv64", "7.2.0", true, 0, 1},
		{"amd64", "unknown", false, 0, 0},
	} {
		if got, shift := reschedFlags(c.arch, c.release, c.lazy); got != c.want || shift != c.shift {
			t.Errorf("of %s on %s: %#x and %d, want %#x and %d", c.release, c.arch, got, shift, c.want, c.shift)
		}
	}
}

// The programs read arguments of sched_switch by their place.
func TestArgumentsOfSchedSwitch(t *testing.T) {
	task := &btf.Pointer{Target: &btf.Struct{Name: "task_struct"}}
	pointer := &btf.Pointer{Target: &btf.Void{}}
	flag, word := &btf.Int{Name: "_Bool", Size: 1}, &btf.Int{Name: "unsigned int", Size: 4}
	for name, c := range map[string]struct {
		args  []btf.Type
		tells bool
		fails bool
	}{
		"since 5.18":            {[]btf.Type{pointer, flag, task, task, word}, true, false},
		"before":                {[]btf.Type{pointer, flag, task, task}, false, false},
		"the state comes first": {[]btf.Type{pointer, flag, word, task, task}, false, true},
		"too few":               {[]btf.Type{pointer, flag, task}, false, true},
	} {
		proto := &btf.FuncProto{Return: &btf.Void{}}
		for _, arg := range c.args {
			proto.Params = append(proto.Params, btf.FuncParam{Type: arg})
		}
		tracepoint := &btf.Typedef{Name: "btf_trace_sched_switch", Type: &btf.Pointer{Target: proto}}
		builder, err := btf.NewBuilder([]btf.Type{tracepoint}, nil)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := builder.Spec()
		if err != nil {
			t.Fatal(err)
		}
		tells, err := (&Kernel{types: spec}).tellsPrevState()
		if tells != c.tells || (err != nil) != c.fails {
			t.Errorf("%s: tells prev's state: %v, error %v", name, tells, err)
		}
	}
}
