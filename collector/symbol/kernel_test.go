package symbol

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

const kallsyms = `ffffffff81000000 T _text
ffffffff81000000 T _stext
ffffffff81000010 T schedule
ffffffff81000010 W __alias_of_schedule
0000000000000008 A fixed_percpu
ffffffff81000100 t finish_task_switch.isra.0
ffffffff81000180 d some_data
ffffffff81000200 t finish_task_switch.isra.0.cold
ffffffff81000300 t helper.llvm.1234567
ffffffff81000380 t _RNvCs1234_7mycrate3foo
nonsense
ffffffff81000400 T _etext
ffffffff82000000 T _sinittext
ffffffff82000000 t start_kernel
ffffffff82000100 T _einittext
ffffffffc0001000 t read_disk	[disk]
ffffffffc0001100 t write_disk	[disk]
ffffffffc0009000 t bpf_prog_0123456789abcdef_st_switch	[bpf]
`

const kernelModules = `disk 4096 1 - Live 0xffffffffc0001000
other 4096 0 - Live 0x0000000000000000
`

func TestKernelFunctions(t *testing.T) {
	k := readKernel(strings.NewReader(kallsyms), strings.NewReader(kernelModules))
	for address, want := range map[uint64]string{
		0xffffffff81000000: "_text kernel",
		0xffffffff8100000f: "_text kernel",
		0xffffffff81000010: "schedule kernel",
		0xffffffff810000ff: "schedule kernel",
		0xffffffff81000190: "finish_task_switch.isra.0 kernel",
		0xffffffff81000200: "finish_task_switch.isra.0.cold kernel",
		0xffffffff8100037f: "helper.llvm.1234567 kernel",
		0xffffffff81000380: "mycrate::foo kernel",
		0xffffffff810003ff: "mycrate::foo kernel",
		0xffffffff81000400: " kernel",
		0xffffffff81ffffff: " kernel",
		0xffffffff82000080: "_sinittext kernel",
		0xffffffff82000100: " kernel",
		0xffffffffc0001000: "read_disk disk",
		0xffffffffc0001fff: "write_disk disk",
		0xffffffffc0002000: " kernel",
		0xffffffffc0009001: "bpf_prog_0123456789abcdef_st_switch bpf",
		0xffffffffffffffff: " kernel",
		0x10:               " kernel",
	} {
		f := k.Frames([]uint64{address})[0]
		if got := f.Function + " " + f.Module; got != want || (f.Reason == NotKernel) != (f.Function == "") {
			t.Errorf("%#x: got %q (%s), want %q", address, got, f.Reason, want)
		}
	}
	// A call as the last instruction of a function returns to the next one.
	if f := k.Frames([]uint64{0, 0xffffffff81000100})[1]; f.Function != "schedule" || f.Address != 0xffffffff81000100 {
		t.Errorf("got %+v", f)
	}
}

func TestKernelThatHides(t *testing.T) {
	hidden := regexp.MustCompile(`(?m)^[0-9a-f]{16}`).ReplaceAllString(kallsyms, "0000000000000000")
	for list, want := range map[string]string{hidden: "kptr_restrict", "": "CONFIG_KALLSYMS"} {
		k := readKernel(strings.NewReader(list), strings.NewReader(kernelModules))
		if f := k.Frames([]uint64{1})[0]; f.Reason != Hidden || !strings.Contains(k.Remedy(), want) {
			t.Errorf("got %+v (%s), remedy %q", f, f.Reason, k.Remedy())
		}
	}
}

func TestRealKernel(t *testing.T) {
	bpftest.Require(t)
	k := ReadKernel()
	if k.Remedy() != "" {
		t.Fatal(k.Remedy())
	}
	text, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		t.Fatal(err)
	}
	first, compared := map[uint64]bool{}, 0
	for line := range strings.Lines(string(text)) {
		s, ok := parseKernelSymbol([]byte(line))
		if !ok || s.module != "" || first[s.address] {
			continue
		}
		first[s.address] = true
		if name, _, reason := k.find(s.address); name != s.name && reason == Named {
			t.Errorf("%#x: got %q, want %q", s.address, name, s.name)
		} else if reason == Named {
			compared++
		}
	}
	if compared < 10000 {
		t.Errorf("%d functions were compared", compared)
	}
}

// The kernel prints the stack of a task that sleeps: names, offsets and sizes of its functions.
func TestStackOfASleeper(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	stack, err := os.ReadFile(fmt.Sprintf("/proc/%d/stack", s.pid()))
	if err != nil {
		bpftest.Lacks(t, false, "/proc/PID/stack: %v", err)
	}
	k := ReadKernel()
	lines := regexp.MustCompile(`(\S+)\+0x([0-9a-f]+)/0x([0-9a-f]+)`).FindAllSubmatch(stack, -1)
	if len(lines) < 3 {
		t.Fatalf("the stack is %q", stack)
	}
	for _, line := range lines {
		name, size := string(line[1]), hexadecimal(t, string(line[3]))
		for _, f := range k.list {
			if string(k.text[f.name:][:f.size]) != name || f.module != 0 {
				continue
			}
			for offset, inside := range map[uint64]bool{
				0: true, hexadecimal(t, string(line[2])): true, size - 1: true, size: false,
			} {
				if got, _, _ := k.find(f.start + offset); (got == name) != inside {
					t.Errorf("%s+%#x: got %q", name, offset, got)
				}
			}
		}
	}
}

// Without the right to see the kernel's addresses, frames say so.
func TestKernelWithoutRights(t *testing.T) {
	bpftest.Require(t)
	if os.Getenv("SYMBOL_WITHOUT_RIGHTS") == "1" {
		k := ReadKernel()
		fmt.Printf("%s: %s\n", k.Frames([]uint64{1})[0].Reason, k.Remedy())
		return
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		bpftest.Lacks(t, false, "setpriv")
	}
	without := func(program string, args ...string) string {
		args = append([]string{"--bounding-set=-syslog", "--inh-caps=-syslog", program}, args...)
		cmd := exec.Command("setpriv", args...)
		cmd.Env = append(os.Environ(), "SYMBOL_WITHOUT_RIGHTS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if first := without("head", "-c16", "/proc/kallsyms"); first != "0000000000000000" {
		bpftest.Lacks(t, false, "a kernel that hides its addresses, which needs kernel.perf_event_paranoid > 1")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := without(self, "-test.run=^TestKernelWithoutRights$")
	if !strings.Contains(out, "the kernel hides its addresses: ") || !strings.Contains(out, "root") {
		t.Errorf("got %q", out)
	}
}

func FuzzKernel(f *testing.F) {
	f.Add(kallsyms, kernelModules, uint64(0xffffffff81000100))
	f.Add("1 t a [b]\n", "b 1 1 - Live 0x1\n", uint64(1))
	f.Fuzz(func(t *testing.T, list, modules string, address uint64) {
		k := readKernel(strings.NewReader(list), strings.NewReader(modules))
		for _, frame := range k.Frames([]uint64{address, address, 0}) {
			if (frame.Function == "") == (frame.Reason == Named) {
				t.Errorf("%+v", frame)
			}
		}
	})
}

// Where the list breaks off, what was read of it is used, and Remedy says so.
func TestKernelListThatBreaksOff(t *testing.T) {
	list := io.MultiReader(strings.NewReader("ffff000000001000 T first\n"), iotest.ErrReader(errors.New("no more")))
	k := readKernel(list, strings.NewReader(""))
	if len(k.list) != 1 || !strings.HasSuffix(k.Remedy(), "no more") {
		t.Errorf("%d functions, remedy %q", len(k.list), k.Remedy())
	}
}
