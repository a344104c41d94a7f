package bpf

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// The README tells how large each program is, so that a change that makes one grow is noticed.
func TestProgramsAreAsLargeAsTheREADMESays(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]int)
	rows := regexp.MustCompile("(?m)^\\| `(st_\\w+)` \\| `(\\w+)` \\|.*\\| (\\d+) \\|$")
	for _, row := range rows.FindAllStringSubmatch(string(text), -1) {
		if said[row[1]+" "+row[2]], err = strconv.Atoi(row[3]); err != nil {
			t.Fatal(err)
		}
	}
	spec := loadSpec(t, "slicetrace_x86_bpfel.o")
	hooks := slices.Clone(hookPrograms[:])
	for _, w := range slices.Concat(pickStart, switchEnd) {
		hooks = append(hooks, struct{ tracepoint, program string }{w.place, w.program})
	}
	for _, h := range hooks {
		program := spec.Programs[h.program]
		size := int(program.Instructions.Size() / 8)
		if got := said[h.program+" "+h.tracepoint]; got != size {
			t.Errorf("%s on %s has %d instructions, the README says %d", h.program, h.tracepoint, size, got)
		}
		if program.AttachTo != "" && program.AttachTo != h.tracepoint {
			t.Errorf("%s is for %s, not for %s", h.program, program.AttachTo, h.tracepoint)
		}
	}
	if len(said) != len(hooks) {
		t.Errorf("the README names %d programs, there are %d", len(said), len(hooks))
	}
}
