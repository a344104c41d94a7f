package symbol

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// run runs a program that the test needs, and returns its output.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		bpftest.Lacks(t, false, "%s", name)
	}
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%s %q: %v\n%s", name, args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return string(out)
}

// compile builds the sleeper with options of gcc.
func compile(t *testing.T, options ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sleeper")
	run(t, "gcc", append([]string{"-O1", "-o", program, "testdata/c/sleeper.c"}, options...)...)
	return program
}

// sleeper is a running program that printed addresses of its functions.
type sleeper struct {
	cmd       *exec.Cmd
	input     io.WriteCloser
	out       *bufio.Reader
	addresses map[string]uint64
}

func (s *sleeper) pid() sched.PID { return sched.PID(s.cmd.Process.Pid) }

// end ends the program and waits for it.
func (s *sleeper) end() {
	s.input.Close()
	_ = s.cmd.Wait()
}

// launch starts a program that waits until its input ends.
func launch(t testing.TB, attributes *syscall.SysProcAttr, name string, args ...string) *sleeper {
	t.Helper()
	s := &sleeper{cmd: exec.Command(name, args...), addresses: map[string]uint64{}}
	s.cmd.SysProcAttr, s.cmd.Stderr = attributes, os.Stderr
	if attributes == nil {
		s.cmd.Dir = t.TempDir() // node leaves a file behind
	}
	input, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.input, s.out = input, bufio.NewReader(output); s.cmd.Start() != nil {
		t.Fatalf("%s cannot be started", name)
	}
	t.Cleanup(s.end)
	return s
}

// start starts a sleeper and reads its addresses.
func start(t *testing.T, attributes *syscall.SysProcAttr, name string) *sleeper {
	t.Helper()
	s := launch(t, attributes, name)
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		function, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		if function == "sum" {
			return s
		}
		if s.addresses[function], err = strconv.ParseUint(address, 0, 64); err != nil {
			t.Fatal(err)
		}
	}
}

// watch notes the mappings of a process for one test.
func watch(t testing.TB, pid sched.PID) *Process {
	t.Helper()
	files := NewFiles()
	t.Cleanup(files.Close)
	process := files.ReadMaps(pid, 0)
	t.Cleanup(process.Close)
	return process
}

// at returns the frame of an address where a task stood.
func (p *Process) at(address uint64) Frame { return p.Frames([]uint64{address})[0] }

// wantNames checks that functions have their names, at their start and after it.
func wantNames(t *testing.T, p *Process, s *sleeper, module string, functions ...string) {
	t.Helper()
	for _, function := range functions {
		address := s.addresses[function]
		for _, f := range p.Frames([]uint64{address, address + 1, address + 2}) {
			if f.Function != function || f.Reason != Named || module != "" && f.Module != module {
				t.Errorf("%s: got %+v (%s)", function, f, f.Reason)
			}
		}
	}
}

// wantReason checks that an address has no name, and why.
func wantReason(t *testing.T, p *Process, address uint64, want Reason) {
	t.Helper()
	if f := p.at(address); f.Reason != want || f.Function != "" || f.Address != address {
		t.Errorf("%#x: got %+v (%s), want %q", address, f, f.Reason, want)
	}
}

func TestProgramsInC(t *testing.T) {
	bpftest.Require(t)
	all := []string{"local_one", "global_one", "bare_one", "main"}
	for name, c := range map[string]struct {
		options []string
		named   []string
		reason  Reason // of local_one, if it has no name
	}{
		"position-independent":    {[]string{"-pie", "-fPIE"}, all, Named},
		"fixed":                   {[]string{"-no-pie"}, all, Named},
		"fixed elsewhere":         {[]string{"-no-pie", "-Wl,-Ttext-segment=0x12340000"}, all, Named},
		"without debugging":       {[]string{"-g0"}, all, Named},
		"with debugging":          {[]string{"-g"}, all, Named},
		"static":                  {[]string{"-static"}, all, Named},
		"static, position-indep.": {[]string{"-static-pie"}, all, Named},
		"one segment":             {[]string{"-Wl,-z,noseparate-code"}, all, Named},
		"two executable segments": {
			[]string{"-no-pie", "-DFAR", "-Wl,--section-start=.far=0x900000"},
			append([]string{"far_one"}, all...), Named,
		},
		"stripped":                {[]string{"-s"}, nil, Stripped},
		"stripped static":         {[]string{"-s", "-static"}, nil, Stripped},
		"stripped, dynamic names": {[]string{"-s", "-rdynamic"}, []string{"global_one", "main"}, NoSymbol},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil, compile(t, c.options...))
			p := watch(t, s.pid())
			wantNames(t, p, s, "sleeper", c.named...)
			if c.reason != Named {
				wantReason(t, p, s.addresses["local_one"], c.reason)
			}
			wantReason(t, p, 0x10, NoMapping)
			wantReason(t, p, s.addresses["[anon]"], NoPerfMap)
			s.end()
			wantNames(t, p, s, "sleeper", c.named...)
		})
	}
}

// A 32-bit program needs a compiler for it, and a kernel that runs it.
func TestProgramOf32Bits(t *testing.T) {
	bpftest.Require(t)
	program := filepath.Join(t.TempDir(), "sleeper")
	if err := exec.Command("gcc", "-m32", "-static", "-o", program, "testdata/c/sleeper.c").Run(); err != nil {
		bpftest.Lacks(t, false, "a 32-bit C library")
	}
	s := start(t, nil, program)
	wantNames(t, watch(t, s.pid()), s, "sleeper", "local_one", "global_one", "main")
}

func TestSharedLibrary(t *testing.T) {
	bpftest.Require(t)
	library := filepath.Join(t.TempDir(), "libthing.so")
	run(t, "gcc", "-shared", "-fPIC", "-O1", "-s", "-o", library, "testdata/c/library.c")
	s := start(t, nil, compile(t, "-DLIBRARY", library, "-Wl,-rpath,"+filepath.Dir(library)))
	p := watch(t, s.pid())
	wantNames(t, p, s, "libthing.so", "in_library")
	wantNames(t, p, s, "sleeper", "main")
}

func TestFilesThatChange(t *testing.T) {
	bpftest.Require(t)
	t.Run("deleted before", func(t *testing.T) {
		program := compile(t)
		s := start(t, nil, program)
		if err := os.Remove(program); err != nil {
			t.Fatal(err)
		}
		wantNames(t, watch(t, s.pid()), s, "sleeper", "local_one", "main")
	})
	t.Run("upgraded before", func(t *testing.T) {
		program, other := compile(t), compile(t, "-static", "-s")
		s := start(t, nil, program)
		if err := os.Rename(other, program); err != nil {
			t.Fatal(err)
		}
		wantNames(t, watch(t, s.pid()), s, "sleeper", "local_one", "main")
	})
	t.Run("deleted after, and ended", func(t *testing.T) {
		program := compile(t)
		s := start(t, nil, program)
		p := watch(t, s.pid())
		if err := os.Remove(program); err != nil {
			t.Fatal(err)
		}
		s.end()
		wantNames(t, p, s, "sleeper", "local_one", "main")
	})
	t.Run("ended before", func(t *testing.T) {
		s := start(t, nil, compile(t))
		s.end()
		wantReason(t, watch(t, s.pid()), s.addresses["main"], Ended)
	})
	t.Run("ending", func(t *testing.T) {
		s := start(t, nil, compile(t))
		_ = s.input.Close()
		if _, err := s.out.ReadByte(); err != io.EOF {
			t.Fatal(err)
		}
		for { // it is a zombie until somebody waits for it
			status, err := os.ReadFile("/proc/" + strconv.Itoa(int(s.pid())) + "/stat")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(status), ") Z ") {
				break
			}
		}
		wantReason(t, watch(t, s.pid()), s.addresses["main"], Ended)
	})
}

// Where the kernel's links to mapped files may not be used, the path is, if its file is the same.
func TestFilesByPath(t *testing.T) {
	bpftest.Require(t)
	program, other := compile(t), compile(t, "-static")
	s := start(t, nil, program)
	find := func() *mapping {
		return watch(t, s.pid()).known(s.addresses["main"])
	}
	m := find()
	f, err := openAtPath(int(s.pid()), m)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.Rename(other, program); err != nil {
		t.Fatal(err)
	}
	if _, err := openAtPath(int(s.pid()), m); err != Replaced {
		t.Errorf("replaced: %v", err)
	}
	if _, err := openAtPath(int(s.pid()), find()); err != Gone {
		t.Errorf("deleted: %v", err)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if _, err := openAtPath(int(s.pid()), m); err != Gone {
		t.Errorf("without a file: %v", err)
	}
}
