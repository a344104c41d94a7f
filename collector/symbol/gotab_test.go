package symbol

import (
	"encoding/json"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// goFrame is what testdata/stacks prints of a frame.
type goFrame struct {
	Function, File string
	Line           int
}

// goCommand returns a go command, which sudo takes out of PATH. What another user's tests build as root does not
// go into that user's cache.
func goCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		tool = filepath.Join(build.Default.GOROOT, "bin", "go")
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = os.Environ()
	if caller := os.Getenv("SUDO_UID"); caller != "" && caller != "0" {
		cmd.Env = append(cmd.Env, "GOCACHE="+t.TempDir())
	}
	return cmd
}

// buildGo builds testdata/stacks.
func buildGo(t *testing.T, environment []string, options ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "stacks")
	cmd := goCommand(t, append(append([]string{"build", "-o", program}, options...), "./testdata/stacks")...)
	cmd.Env = append(cmd.Env, environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The runtime of a Go program says what its own stack is: functions, files, lines and inlined calls.
func TestProgramsInGo(t *testing.T) {
	bpftest.Require(t)
	for name, c := range map[string]struct{ environment, options []string }{
		"plain":           {nil, nil},
		"stripped":        {nil, []string{"-ldflags=-s -w"}},
		"not optimised":   {nil, []string{"-gcflags=-l -N"}},
		"position-indep.": {nil, []string{"-buildmode=pie"}},
		"stripped pie":    {nil, []string{"-buildmode=pie", "-ldflags=-s -w"}},
		"other linker":    {[]string{"CGO_ENABLED=1"}, []string{"-ldflags=-linkmode=external -s -w"}},
		"other linker, pie": {
			[]string{"CGO_ENABLED=1"}, []string{"-buildmode=pie", "-ldflags=-linkmode=external -s -w"},
		},
		"32 bit":          {[]string{"GOARCH=386", "CGO_ENABLED=0"}, nil},
		"32 bit stripped": {[]string{"GOARCH=386", "CGO_ENABLED=0"}, []string{"-ldflags=-s -w"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := buildGo(t, c.environment, c.options...)
			s := launch(t, nil, program)
			var said struct {
				Stack  []uint64
				Frames []goFrame
			}
			if err := json.NewDecoder(s.out).Decode(&said); err != nil {
				bpftest.Lacks(t, !strings.HasPrefix(name, "32"), "the kernel runs no 32-bit programs: %v", err)
			}
			p := watch(t, s.pid())
			var got []goFrame
			inlined := 0
			for i := 0; i < len(said.Stack); {
				// All are return addresses. The runtime adds one for each inlined call.
				frames := p.Frames([]uint64{0, said.Stack[i]})[1:]
				for _, f := range frames {
					if f.Reason != Named || f.Module != "stacks" {
						t.Errorf("%+v: %s", f, f.Reason)
					}
					if f.Inlined {
						inlined++
					}
					got = append(got, goFrame{f.Function, f.File, f.Line})
				}
				i += len(frames)
			}
			if !slices.Equal(got, said.Frames) {
				t.Errorf("got  %v\nwant %v", got, said.Frames)
			}
			if want := name != "not optimised"; (inlined >= 2) != want {
				t.Errorf("%d inlined frames", inlined)
			}
		})
	}
}

// Every function that the symbols of a Go program list is in its table, at the same address.
func TestAllFunctionsOfGo(t *testing.T) {
	bpftest.Require(t)
	program := buildGo(t, nil)
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := readImage(f, &budget{left: 1 << 30})
	if i.golang == nil || i.golang.calls == nil || i.buildID == "" {
		t.Fatalf("Go's table is incomplete; build id %q", i.buildID)
	}
	functions := 0
	list, err := goCommand(t, "tool", "nm", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		var address uint64
		fields := strings.Fields(line)
		if len(fields) != 3 || !strings.EqualFold(fields[1], "t") || strings.HasPrefix(fields[2], "runtime.") &&
			strings.HasSuffix(fields[2], "text") {
			continue
		}
		if address = hexadecimal(t, fields[0]); address == 0 {
			continue
		}
		got, _ := i.golang.find(address)
		name := textAt(i.golang.names, uint32(got.field(i.golang, 1)))
		if got.start != address || plain(name) != plain(fields[2]) {
			t.Errorf("%#x: got %q at %#x, want %q", address, name, got.start, fields[2])
		}
		functions++
	}
	if functions < 500 {
		t.Errorf("only %d functions were compared", functions)
	}
}

// plain leaves out what symbols have and the table has not: the kind of call, and types' parameters.
func plain(name string) string {
	name, _, _ = strings.Cut(strings.ReplaceAll(strings.TrimSuffix(name, ".abi0"), "·", "."), "[")
	return name
}
