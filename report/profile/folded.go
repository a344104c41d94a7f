package profile

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// Folded writes the stacks of all trials, added up, as flamegraph.pl and others read them:
//
//	process;thread;blocked;outermost function;…;innermost function 1234567
//
// The numbers are nanoseconds, since absences shorter than a microsecond would vanish otherwise. The third
// name tells time asleep ("blocked") from time in which the task would have gone on ("runnable") and in which
// a quota stopped it ("throttled"): these have different remedies, and "grep ';blocked;'" selects one of them.
// Functions of the kernel end with _[k], inlined ones with _[i]. Lines are sorted.
func Folded(out io.Writer, r *report.Report) error {
	sums := map[string]int64{}
	stacks := make([]string, len(r.Stacks))
	for i, s := range r.Stacks {
		stacks[i] = foldedStack(r, s)
	}
	for i := range r.Trials {
		why := r.Trials[i].Why
		if why == nil {
			continue
		}
		for j := range why.Waits {
			w := &why.Waits[j]
			for _, part := range []struct {
				name string
				ns   int64
			}{{"blocked", w.BlockedNS}, {"runnable", w.WaitNS}, {"throttled", w.ThrottledNS}} {
				if part.ns > 0 {
					key := []string{fold(processName(w)), fold(threadName(w)), part.name, stacks[w.Stack]}
					sums[strings.Join(key, ";")] += part.ns
				}
			}
		}
	}
	lines := make([]string, 0, len(sums))
	for line := range sums {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	buffered := bufio.NewWriter(out)
	for _, line := range lines {
		fmt.Fprintf(buffered, "%s %d\n", line, sums[line]) // Flush returns its error
	}
	return buffered.Flush()
}

// foldedStack writes a stack, the outermost function first.
func foldedStack(r *report.Report, s report.Stack) string {
	if len(s) == 0 {
		return noStack
	}
	names := make([]string, 0, len(s))
	for _, i := range slices.Backward(s) {
		f := &r.Frames[i]
		name := fold(functionName(f))
		switch {
		case f.Kernel:
			name += "_[k]"
		case f.Inlined:
			name += "_[i]"
		}
		names = append(names, name)
	}
	return strings.Join(names, ";")
}

// fold replaces in a name what has a meaning in folded stacks: the semicolon, spaces at its ends, and spaces
// before a number at its end, which flamegraph.pl would take for a count if the name were the last of its line.
func fold(name string) string {
	name = strings.ReplaceAll(name, ";", ":")
	inner := strings.TrimLeft(name, " ")
	name = underscores(len(name)-len(inner)) + inner
	end := len(strings.TrimRight(name, "0123456789."))
	inner = strings.TrimRight(name[:end], " ")
	return inner + underscores(end-len(inner)) + name[end:]
}

func underscores(n int) string { return strings.Repeat("_", n) }
