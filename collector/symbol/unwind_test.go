package symbol

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// waiting returns the registers of a task that waits in a system call, and the top of its stack.
func waiting(t testing.TB, tid int, size int) (Registers, []byte) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(tid); err != nil {
		bpftest.Lacks(t, false, "ptrace: %v", err)
	}
	defer func() {
		if err := syscall.PtraceDetach(tid); err != nil {
			t.Error(err)
		}
	}()
	if _, err := syscall.Wait4(tid, nil, unix.WALL, nil); err != nil {
		t.Fatal(err)
	}
	var raw syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &raw); err != nil {
		t.Fatal(err)
	}
	r := registersOf(&raw)
	stack, _ := readMemory(tid, r.SP, uint64(size)) // up to the end of the mapping
	if len(stack) == 0 {
		t.Fatal("the stack cannot be read")
	}
	return r, stack
}

// deep is a program that waits deep in functions.
type deep struct {
	*Process
	registers Registers
	stack     []byte
}

// launchDeep starts such a program, and takes its registers and its stack when it waits.
func launchDeep(t testing.TB, name string, args ...string) deep {
	t.Helper()
	s := launch(t, nil, name, args...)
	line, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	tid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	d := deep{Process: watch(t, s.pid())}
	d.registers, d.stack = waiting(t, tid, 256<<10)
	return d
}

// names returns the names of the stack, those in other modules than one left out.
func (d deep) names(t *testing.T, module string) (names []string, complete bool) {
	t.Helper()
	addresses, complete := d.Unwind(d.registers, d.stack)
	var all strings.Builder
	for _, f := range d.Frames(addresses) {
		fmt.Fprintf(&all, "\n%#x %s %s (%s)", f.Address, f.Function, f.Module, f.Reason)
		if f.Function != "" && (module == "" || f.Module == module) {
			names = append(names, f.Function)
		}
	}
	t.Logf("complete: %v%s", complete, all.String())
	return names, complete
}

// inOrder reports whether names hold all that is wanted, in this order.
func inOrder(names []string, want ...string) bool {
	for _, name := range names {
		if len(want) > 0 && name == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

func recursion(n int, before ...string) []string {
	return append(before, slices.Repeat([]string{"recursive"}, n)...)
}

// ways are the arguments of testdata/c/deep.c, and the functions of the program that are on the stack.
var ways = map[string][]string{
	"recursion":   append(recursion(5, "wait_here"), "main", "_start"),
	"alloca":      {"wait_here", "with_alloca", "main", "_start"},
	"large frame": {"wait_here", "with_arguments", "with_large_frame", "main", "_start"},
	"aligned":     {"wait_here", "with_aligned", "main", "_start"},
	"qsort":       {"wait_here", "compare", "sorts", "main", "_start"},
	"signal":      {"wait_here", "handler", "raises", "main", "_start"},
	"fault":       {"wait_here", "on_fault", "faults", "main", "_start"},
	"thread":      recursion(4, "wait_here"),
}

// compileDeep builds a program whose functions keep their frames when they call the next as their last act.
func compileDeep(t testing.TB, compiler, source string, options ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "deep")
	run(t, compiler, append([]string{
		"-o", program, source, "-pthread", "-fno-optimize-sibling-calls",
	}, options...)...)
	return program
}

func TestUnwind(t *testing.T) {
	bpftest.Require(t)
	ways := maps.Clone(ways)
	ways["thread"] = append(ways["thread"], "in_thread")
	for name, options := range map[string][]string{
		"optimised":           {"-O2", "-fomit-frame-pointer"},
		"position-dependent":  {"-O2", "-no-pie", "-fno-pie"},
		"not optimised":       {"-O0"},
		"for size":            {"-Os", "-fomit-frame-pointer"},
		"without table":       {"-O2", "-Wl,--no-eh-frame-hdr"},
		"with frame pointers": {"-O2", "-fno-omit-frame-pointer"},
	} {
		program := compileDeep(t, "gcc", "testdata/c/deep.c", options...)
		for way, want := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				names, complete := launchDeep(t, program, way).names(t, "deep")
				if !complete || !slices.Equal(names, want) {
					t.Errorf("got %q, complete: %v; want %q", names, complete, want)
				}
			})
		}
	}
}

// In a static program the C library's functions have their names too.
func TestUnwindStatic(t *testing.T) {
	bpftest.Require(t)
	for _, option := range []string{"-static", "-static-pie"} {
		program := compileDeep(t, "gcc", "testdata/c/deep.c", "-O2", option)
		for way, want := range map[string][]string{
			"recursion": append(recursion(5, "wait_here"), "main", "__libc_start_call_main", "_start"),
			"qsort":     {"wait_here", "compare", "sorts", "main", "_start"},
			"signal":    {"wait_here", "handler", "raises", "main", "_start"},
			"fault":     {"wait_here", "on_fault", "faults", "main", "_start"},
			"thread":    append(recursion(4, "wait_here"), "in_thread", "start_thread"),
		} {
			t.Run(option+", "+way, func(t *testing.T) {
				names, complete := launchDeep(t, program, way).names(t, "deep")
				if !complete || !inOrder(names, want...) {
					t.Errorf("got %q, complete: %v; want %q", names, complete, want)
				}
			})
		}
	}
}

// What is on the stack of a library that has no names is known all the same.
func TestUnwindLibrary(t *testing.T) {
	bpftest.Require(t)
	library := filepath.Join(t.TempDir(), "libthing.so")
	run(t, "gcc", "-shared", "-fPIC", "-O2", "-fno-optimize-sibling-calls", "-o", library, "testdata/c/library.c")
	program := compileDeep(t, "gcc", "testdata/c/deep.c", "-O2", "-DLIBRARY", library,
		"-Wl,-rpath,"+filepath.Dir(library))
	d := launchDeep(t, program, "library")
	names, complete := d.names(t, "")
	if want := []string{"wait_here", "library_calls", "main", "_start"}; !complete || !inOrder(names, want...) {
		t.Errorf("got %q, complete: %v; want %q", names, complete, want)
	}
}

func TestUnwindExceptions(t *testing.T) {
	bpftest.Require(t)
	for _, option := range []string{"-O0", "-O2"} {
		program := compileDeep(t, "g++", "testdata/c/deep.cc", option)
		for way, want := range map[string][]string{
			"handler": {"wait_here", "shop::catches", "main", "_start"},
			"cleanup": {"wait_here", "shop::cart::~cart", "shop::cleans", "shop::catches", "main", "_start"},
		} {
			t.Run(option+", "+way, func(t *testing.T) {
				names, complete := launchDeep(t, program, way).names(t, "deep")
				for i, name := range names {
					names[i] = strings.TrimSuffix(name, ".cold")
				}
				if !complete || !slices.Equal(names, want) {
					t.Errorf("got %q, complete: %v; want %q", names, complete, want)
				}
			})
		}
	}
}

// Programs in Go have frame pointers. The function that waits has none, and its caller is left out.
func TestUnwindGo(t *testing.T) {
	bpftest.Require(t)
	program := filepath.Join(t.TempDir(), "deepgo")
	if out, err := goCommand(t, "build", "-o", program, "./testdata/deepgo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	names, complete := launchDeep(t, program).names(t, "")
	want := []string{"main.waitHere"}
	for range 5 {
		want = append(want, "main.recursive")
	}
	if want = append(want, "main.main", "runtime.main", "runtime.goexit"); !complete || !inOrder(names, want...) {
		t.Errorf("got %q, complete: %v; want %q", names, complete, want)
	}
}

func TestUnwindPython(t *testing.T) {
	bpftest.Require(t)
	const program = `import os, time
def inner(): print(os.getpid(), flush=True); time.sleep(100)
def outer(): inner()
list(map(lambda _: outer(), [1]))`
	if err := exec.Command("python3", "-c", "").Run(); err != nil {
		bpftest.Lacks(t, false, "python3")
	}
	d := launchDeep(t, "python3", "-c", program)
	if p, err := os.FindProcess(d.pid); err == nil {
		defer func() { _ = p.Kill() }()
	}
	names, complete := d.names(t, "")
	if stripped := !slices.Contains(names, "Py_RunMain"); stripped && !slices.Contains(names, "Py_BytesMain") {
		t.Errorf("got %q", names)
	}
	if !complete {
		t.Error("the outermost function was not reached")
	}
}

// A stack of some twenty functions takes a few microseconds.
func BenchmarkUnwind(b *testing.B) {
	program := compileDeep(b, "gcc", "testdata/c/deep.c", "-O2")
	d := launchDeep(b, program, "deep recursion")
	addresses, _ := d.Unwind(d.registers, d.stack[:1<<10])
	for b.Loop() {
		d.Unwind(d.registers, d.stack[:1<<10])
	}
	b.ReportMetric(float64(len(addresses)), "frames")
}
