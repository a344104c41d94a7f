package bpf

import "testing"

// The class of a switch, also if one of the tasks has given up its memory.
func TestClasses(t *testing.T) {
	const kthread = 0x00200000
	for name, c := range map[string]struct {
		prev, next fake
		class      uint8
	}{
		"threads":              {fake{mm: 7}, fake{mm: 7}, classThread},
		"processes":            {fake{mm: 7}, fake{mm: 8}, classProcess},
		"from a kernel thread": {fake{flags: kthread}, fake{mm: 7}, classKernel},
		"to a kernel thread":   {fake{mm: 7}, fake{flags: kthread}, classKernel},
		"exits, to its own process": {
			fake{tgid: 10, noMM: true, activeMM: 7, state: dead}, fake{tgid: 10, mm: 7}, classThread,
		},
		"exits, to another process":     {fake{noMM: true, activeMM: 7, state: dead}, fake{mm: 8}, classProcess},
		"exits, on another's mm, to it": {fake{noMM: true, activeMM: 7, state: dead}, fake{mm: 7}, classKernel},
		"to one that exits":             {fake{mm: 7}, fake{noMM: true, activeMM: 8}, classKernel},
		"to one of its own that exits": {
			fake{tgid: 10, mm: 7}, fake{tgid: 10, noMM: true, activeMM: 7}, classThread,
		},
		"between two that exit": {fake{noMM: true, activeMM: 7}, fake{noMM: true, activeMM: 8}, classKernel},
		"between two that exit together": {
			fake{tgid: 10, noMM: true, activeMM: 7}, fake{tgid: 10, noMM: true}, classThread,
		},
		"two processes with one mm, vfork": {fake{mm: 7}, fake{mm: 7}, classThread},
	} {
		r := newReplay(t)
		r.task(a, c.prev)
		r.task(b, c.next)
		r.turn(0, 1000, a, b)
		r.task(d, fake{})
		r.turn(0, 2000, b, d)
		s := r.snapshot(0, 3000, d)
		want(t, name, s.Sums.Classes[c.class].Switches, 1)
	}
}
