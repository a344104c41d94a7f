package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

// standardOutput is the name of an output that asks for standard output.
const standardOutput = "-"

// outputFlag is a flag and the file that it names, "" if it is not given.
type outputFlag struct{ flag, name string }

// openOutputs opens the outputs that flags name. Before anything else is done it rejects
// two outputs in one file, and an output that is also an input, or the file that standard
// output or standard error goes to: one would destroy the other. The target of a flag
// that is not given is nil.
func openOutputs(s streams, inputs []string, outputs ...outputFlag) ([]*outfile.Target, error) {
	targets := make([]*outfile.Target, len(outputs))
	for i, out := range outputs {
		if out.name == "" {
			continue
		}
		var err error
		if targets[i], err = openOutput(s, out); err != nil {
			return nil, fmt.Errorf("%s: %w", out.flag, err)
		}
		for j, other := range targets[:i] {
			if other != nil && targets[i].Same(other) {
				return nil, usagef("%s %s and %s %s are one file: name a different file for each",
					outputs[j].flag, outputs[j].name, out.flag, out.name)
			}
		}
		if err := notInUse(s, inputs, out, targets[i]); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

func openOutput(s streams, out outputFlag) (*outfile.Target, error) {
	if out.name == standardOutput {
		return outfile.StreamTarget("standard output", s.out)
	}
	return outfile.OpenTarget(out.name, invokingUser().owner())
}

// notInUse rejects an output that is also read, or that a standard stream goes to.
func notInUse(s streams, inputs []string, out outputFlag, target *outfile.Target) error {
	if target.Stream() == nil {
		for name, stream := range map[string]*os.File{"standard output": s.out, "standard error": s.err} {
			if info, err := stream.Stat(); err == nil && target.Is(info) {
				return usagef("%s %s is the file that %s goes to: name another file", out.flag, out.name, name)
			}
		}
	}
	for _, name := range inputs {
		// An input that cannot be examined cannot be read either: reading it reports the error.
		if info, err := os.Stat(name); err == nil && target.Is(info) {
			return usagef("%s %s is the file %s, which is read: give it another name", out.flag, out.name, name)
		}
	}
	return nil
}

// notForATerminal rejects a terminal as the output of what is not text.
func notForATerminal(what string, stream *os.File) error {
	if stream != nil && term.IsTerminal(int(stream.Fd())) {
		return usagef("%s is not for a terminal: name a file", what)
	}
	return nil
}

// sameStream reports whether two streams are one file, pipe or terminal.
func sameStream(a, b *os.File) bool {
	first, err := a.Stat()
	second, secondErr := b.Stat()
	return err == nil && secondErr == nil && os.SameFile(first, second)
}
