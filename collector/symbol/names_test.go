package symbol

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

func hexadecimal(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestShownName(t *testing.T) {
	for raw, want := range map[string]string{
		"main":                               "main",
		"_start":                             "_start",
		"_Z3addii":                           "add",
		"_ZNK4shop4cart3addEi":               "shop::cart::add",
		"_ZN4shop5twiceIiEET_S1_":            "shop::twice<int>",
		"_ZNSt6vectorIiSaIiEE9push_backERKi": "std::vector<int, std::allocator<int> >::push_back",
		"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE":                           "core::fmt::Formatter::pad",
		"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.1":                    "core::fmt::Formatter::pad.llvm.1",
		"_RNvCs1234_7mycrate3foo":                                                  "mycrate::foo",
		"_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate": "<std::path::PathBuf>::new",
		"_Znonsense":                "_Znonsense",
		"finish_task_switch.isra.0": "finish_task_switch.isra.0",
		"do_it.part.3.cold":         "do_it.part.3.cold",
		"caf\xe9":                   "caf\uFFFD",
		"\x1b[31m":                  "\x1b[31m", // renderers escape it
	} {
		if got := shownName(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func FuzzShownName(f *testing.F) {
	f.Add("_ZNSt6vectorIiSaIiEE9push_backERKi")
	f.Add("_RNvCs1234_7mycrate3foo")
	f.Add(strings.Repeat("\u00e9", longestShown))
	f.Fuzz(func(t *testing.T, raw string) {
		if got := shownName(raw); len(got) > longestShown || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}

// Names that refer to their own parts grow without bound.
func TestNameThatGrows(t *testing.T) {
	raw := "_Z1fI1aE"
	for range 60 {
		raw += "1gIS_S0_E"
	}
	for _, name := range []string{raw, strings.Repeat("x", 1<<20), "_Z" + strings.Repeat("P", longestName)} {
		if got := shownName(name); len(got) > longestShown {
			t.Errorf("%d bytes", len(got))
		}
	}
}

func TestProgramInCPlusPlus(t *testing.T) {
	bpftest.Require(t)
	program := filepath.Join(t.TempDir(), "names")
	run(t, "g++", "-O1", "-o", program, "testdata/c/names.cc")
	s := start(t, nil, program)
	p := watch(t, s.pid())
	for function, address := range s.addresses {
		if f := p.at(address); f.Function != function {
			t.Errorf("%s: got %q", function, f.Function)
		}
	}
}

// Every function that nm lists in a program has the name that nm gives it.
func TestAllFunctionsOfAProgram(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		options []string
	}{
		"static program":  {compile(t, "-static"), []string{"-S"}},
		"stripped shared": {"/proc/self/exe", nil},
	} {
		if name == "stripped shared" {
			c.program, c.options = cLibrary(t), []string{"-S", "-D"}
		}
		f, err := os.Open(c.program)
		if err != nil {
			t.Fatal(err)
		}
		i := readImage(f, &budget{left: 1 << 30})
		f.Close()
		names, sized := map[uint64][]string{}, 0
		for line := range strings.Lines(run(t, "nm", append(c.options, c.program)...)) {
			fields := strings.Fields(line) // address, size, type, name
			if len(fields) != 4 || !strings.ContainsAny(fields[2], "tTwWi") {
				continue
			}
			address := hexadecimal(t, fields[0])
			symbol, _, _ := strings.Cut(fields[3], "@")
			names[address] = append(names[address], symbol)
		}
		for address, want := range names {
			got := i.frames(nil, Frame{}, address)[0]
			if !contains(want, got.Function) {
				t.Errorf("%s: %#x: got %q (%s), want one of %q", name, address, got.Function, got.Reason, want)
			}
			sized++
		}
		if sized < 500 {
			t.Errorf("%s: only %d functions were compared", name, sized)
		}
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if shownName(n) == name {
			return true
		}
	}
	return false
}

// cLibrary returns the path of the C library that gcc links.
func cLibrary(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(run(t, "gcc", "-print-file-name=libc.so.6"))
}

// addr2line says the same of addresses inside functions.
func TestLikeAddr2line(t *testing.T) {
	bpftest.Require(t)
	program := compile(t, "-no-pie")
	s := start(t, nil, program)
	p := watch(t, s.pid())
	for _, function := range []string{"local_one", "global_one", "main"} {
		address := s.addresses[function] + 3
		said := run(t, "addr2line", "-f", "-e", program, strconv.FormatUint(address, 16))
		if want, _, _ := strings.Cut(said, "\n"); p.at(address).Function != want {
			t.Errorf("%#x: got %q, addr2line says %q", address, p.at(address).Function, want)
		}
	}
}
