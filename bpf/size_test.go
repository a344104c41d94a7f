package bpf

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// The README says how large each program is, so that what makes one grow is noticed.
func TestProgramsAreAsLargeAsTheREADMESays(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]int)
	for _, row := range regexp.MustCompile("(?m)^\\| `(st_\\w+)` \\| `(\\w+)` \\|.*\\| (\\d+) \\|$").FindAllStringSubmatch(string(text), -1) {
		if said[row[1]+" "+row[2]], err = strconv.Atoi(row[3]); err != nil {
			t.Fatal(err)
		}
	}
	spec := loadSpec(t, "slicetrace_x86_bpfel.o")
	hooks := 0
	for _, h := range hookPrograms {
		if h.program == slicetraceProgStRename {
			continue // when recording only
		}
		hooks++
		program := spec.Programs[h.program]
		size := int(program.Instructions.Size() / 8)
		if got := said[h.program+" "+program.AttachTo]; got != size || program.AttachTo != h.tracepoint {
			t.Errorf("%s on %s has %d instructions, the README says %d", h.program, program.AttachTo, size, got)
		}
	}
	if len(said) != hooks {
		t.Errorf("the README names %d programs, there are %d", len(said), hooks)
	}
}
