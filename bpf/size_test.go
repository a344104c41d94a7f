package bpf

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The README tells how large each program is, so that a change that makes one grow is noticed.
func TestProgramsAreAsLargeAsTheREADMESays(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	full, light, ok := strings.Cut(string(text), "\n## The light way\n")
	if !ok {
		t.Fatal("the README does not tell of the light way")
	}
	checkSizes(t, full, "slicetrace_x86_bpfel.o", hookPrograms[:], taskReturns)
	checkSizes(t, light, "light_x86_bpfel.o", lightHooks[:], taskReturns)
}

// checkSizes compares the table in a text with the programs of an object, those of tracepoints and those
// that bound phases, and those of more ways.
func checkSizes(t *testing.T, text, object string, programs []hookProgram, more []way) {
	t.Helper()
	said := make(map[string]int)
	rows := regexp.MustCompile("(?m)^\\| `(st_\\w+)` \\| `(\\w+)` \\|.*\\| (\\d+) \\|$")
	for _, row := range rows.FindAllStringSubmatch(text, -1) {
		var err error
		if said[row[1]+" "+row[2]], err = strconv.Atoi(row[3]); err != nil {
			t.Fatal(err)
		}
	}
	spec := loadSpec(t, object)
	hooks := slices.Clone(programs)
	for _, w := range slices.Concat(pickStart, switchEnd, more) {
		hooks = append(hooks, hookProgram{w.place, w.program})
	}
	for _, h := range hooks {
		program := spec.Programs[h.program]
		size := int(program.Instructions.Size() / 8)
		if got := said[h.program+" "+h.tracepoint]; got != size {
			t.Errorf("%s: %s on %s has %d instructions, the README says %d", object, h.program, h.tracepoint, size, got)
		}
		if program.AttachTo != "" && program.AttachTo != h.tracepoint {
			t.Errorf("%s: %s is for %s, not for %s", object, h.program, program.AttachTo, h.tracepoint)
		}
	}
	if len(said) != len(hooks) {
		t.Errorf("%s: the README names %d programs, there are %d", object, len(said), len(hooks))
	}
}
