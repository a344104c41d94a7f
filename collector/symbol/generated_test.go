package symbol

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// writePerfMap appends to a perf map, and removes it after the test.
func writePerfMap(t *testing.T, path, format string, args ...any) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
	defer f.Close()
	if _, err := fmt.Fprintf(f, format, args...); err != nil {
		t.Fatal(err)
	}
}

func TestGeneratedCode(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	code, path := s.addresses["[anon]"], fmt.Sprintf("/tmp/perf-%d.map", s.pid())
	p := watch(t, s.pid())
	wantReason(t, p, code, NoPerfMap)

	writePerfMap(t, path, "%x 20 first\nnonsense\n%x 10 half a li", code, code+0x40)
	if f := p.at(code + 0x1f); f.Function != "first" || f.Module != "[anon]" {
		t.Errorf("got %+v", f)
	}
	wantReason(t, p, code+0x20, NotInMap)
	wantReason(t, p, code+0x40, NotInMap)
	writePerfMap(t, path, "ne\n%#x 8 in the place of first\n", code)
	for address, want := range map[uint64]string{0x40: "half a line", 0x8: "first", 0x41: "half a line"} {
		if f := p.at(code + address); f.Function != want {
			t.Errorf("%#x: got %+v, want %s", address, f, want)
		}
	}
	if f := p.at(code); f.Function != "in the place of first" {
		t.Errorf("got %+v", f)
	}
	s.end()
	writePerfMap(t, path, "%x 8 late\n", code+0x80)
	if f := p.at(code + 0x80); f.Function != "late" {
		t.Errorf("after the end: %+v", f)
	}
	// The program's own functions are never named by its perf map.
	writePerfMap(t, path, "%x 100 liar\n", s.addresses["main"])
	wantNames(t, p, s, "sleeper", "main")
}

// A perf map of another user does not count: everybody may write to /tmp.
func TestPerfMapOfAnotherUser(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	path := fmt.Sprintf("/tmp/perf-%d.map", s.pid())
	writePerfMap(t, path, "%x 20 planted\n", s.addresses["[anon]"])
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	wantReason(t, watch(t, s.pid()), s.addresses["[anon]"], NoPerfMap)
}

// A process in a container has its own root and its own number.
func TestContainer(t *testing.T) {
	bpftest.Require(t)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"tmp", "bin"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(compile(t, "-static"), filepath.Join(root, "bin/sleeper")); err != nil {
		t.Fatal(err)
	}
	s := start(t, &syscall.SysProcAttr{
		Chroot: root, Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
	}, "/bin/sleeper")
	code := s.addresses["[anon]"]
	writePerfMap(t, filepath.Join(root, "tmp/perf-1.map"), "%x 20 inside\n", code)
	writePerfMap(t, fmt.Sprintf("/tmp/perf-%d.map", s.pid()), "%x 20 outside\n", code)
	p := watch(t, s.pid())
	wantNames(t, p, s, "sleeper", "local_one", "main")
	if f := p.at(code); f.Function != "inside" {
		t.Errorf("got %+v", f)
	}
	f, err := openAtPath(int(s.pid()), p.known(s.addresses["main"]))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()

	// A link cannot lead out of the root.
	outside := filepath.Join(t.TempDir(), "outside.map")
	writePerfMap(t, outside, "%x 20 escaped\n", code)
	if err := os.Remove(filepath.Join(root, "tmp/perf-1.map")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "tmp/perf-1.map")); err != nil {
		t.Fatal(err)
	}
	wantReason(t, watch(t, s.pid()), code, NoPerfMap)
	if f, err := openInRoot(root, "../../../../../../etc/passwd"); err == nil {
		f.Close()
		t.Error("a path led out of the root")
	}
}

// What is no regular file is not opened: a pipe without a writer would block for ever.
func TestPerfMapThatIsAPipe(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	path := fmt.Sprintf("/tmp/perf-%d.map", s.pid())
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	wantReason(t, watch(t, s.pid()), s.addresses["[anon]"], NoPerfMap)
}

func TestVDSO(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	p := watch(t, s.pid())
	var vdso *mapping
	for i := range p.maps {
		if p.maps[i].path == "[vdso]" {
			vdso = &p.maps[i]
		}
	}
	if vdso == nil {
		bpftest.Lacks(t, false, "a vdso")
	}
	image, err := readMemory(int(s.pid()), vdso.start, vdso.end-vdso.start)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	byAddress := map[uint64]string{}
	for _, symbol := range symbols {
		byAddress[symbol.Value] += " " + symbol.Name
	}
	s.end()
	named := 0
	for _, symbol := range symbols {
		if elf.ST_TYPE(symbol.Info) != elf.STT_FUNC {
			continue
		}
		named++
		got := p.at(vdso.start + symbol.Value)
		if got.Module != "[vdso]" || !strings.Contains(byAddress[symbol.Value]+" ", " "+got.Function+" ") {
			t.Errorf("%s: got %+v", symbol.Name, got)
		}
	}
	if named < 3 {
		t.Errorf("%d functions", named)
	}
}

// Node lists its functions in a perf map if it is asked to.
func TestNode(t *testing.T) {
	bpftest.Require(t)
	if _, err := exec.LookPath("node"); err != nil {
		bpftest.Lacks(t, false, "node")
	}
	const program = `function busyCart(n) { let s = 0; for (let i = 0; i < n; i++) s += i % 7; return s; }
		for (let i = 0; i < 300; i++) busyCart(100000);
		console.log("ready"); setInterval(() => {}, 1e6);`
	s := launch(t, nil, "node", "--perf-basic-prof", "-e", program)
	defer func() { _ = s.cmd.Process.Kill() }()
	path := fmt.Sprintf("/tmp/perf-%d.map", s.pid())
	defer os.Remove(path)
	if _, err := s.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	checkListed(t, s, path, `(?m)^([0-9a-f]+) [0-9a-f]+ (JS:.*busyCart.*)$`)
}

// Python does since 3.12.
func TestPython(t *testing.T) {
	bpftest.Require(t)
	if err := exec.Command("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 12))").Run(); err != nil {
		bpftest.Lacks(t, false, "Python 3.12 or later")
	}
	s := launch(t, nil, "python3", "-X", "perf", "-c",
		"def cart(n):\n  return n + 1\nprint(cart(3), flush=True)\nimport sys; sys.stdin.read()")
	path := fmt.Sprintf("/tmp/perf-%d.map", s.pid())
	defer os.Remove(path)
	if _, err := s.out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	checkListed(t, s, path, `(?m)^([0-9a-f]+) [0-9a-f]+ (py::cart:.*)$`)
}

// checkListed checks that a function that a runtime lists has its name.
func checkListed(t *testing.T, s *sleeper, path, line string) {
	t.Helper()
	p := watch(t, s.pid())
	var found [][]byte
	for end := time.Now().Add(30 * time.Second); found == nil; time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			if all := regexp.MustCompile(line).FindAllSubmatch(text, -1); all != nil {
				found = all[len(all)-1] // earlier ones may have been replaced
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s lists no such function", path)
		}
	}
	time.Sleep(2 * rereadAfter) // code that was mapped since is known then
	address, want := hexadecimal(t, string(found[1])), string(found[2])
	if f := p.at(address); f.Function != want {
		t.Errorf("got %+v (%s), want %s", f, f.Reason, want)
	}
}
