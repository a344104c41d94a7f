package bpf

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// The README says how large each program is, so that what makes one grow is noticed.
func TestProgramsAreAsLargeAsTheREADMESays(t *testing.T) {
	text, err := os.ReadFile("README.md")
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
	// Where there is no tracepoint at a switch's end.
	hooks := append(hookPrograms[:len(hookPrograms):len(hookPrograms)], struct{ tracepoint, program string }{"finish_task_switch", slicetraceProgStFinish})
	for _, h := range hooks {
		program := spec.Programs[h.program]
		size := int(program.Instructions.Size() / 8)
		if got := said[h.program+" "+h.tracepoint]; got != size || program.AttachTo != "" && program.AttachTo != h.tracepoint {
			t.Errorf("%s on %s has %d instructions, the README says %d", h.program, h.tracepoint, size, got)
		}
	}
	if len(said) != len(hooks) {
		t.Errorf("the README names %d programs, there are %d", len(said), len(hooks))
	}
}
