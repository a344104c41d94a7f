package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

// standardOutput is the name of an output that asks for standard output.
const standardOutput = "-"

// asked is a file that a flag names, "" for none.
type asked struct{ flag, name string }

// openOutputs opens the outputs that were asked for, and refuses before anything is
// done that two of them are one file, or that one is a file that is read or that
// standard output or error go to: one would destroy the other. An output that was not
// asked for is nil.
func openOutputs(s streams, inputs []string, outputs ...asked) ([]*outfile.Target, error) {
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
				return nil, usagef("%s %s and %s %s are one file: give each its own", outputs[j].flag, outputs[j].name, out.flag, out.name)
			}
		}
		if err := notInUse(s, inputs, out, targets[i]); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

func openOutput(s streams, out asked) (*outfile.Target, error) {
	if out.name == standardOutput {
		return outfile.StreamTarget("standard output", s.out)
	}
	return outfile.OpenTarget(out.name, invokingUser().owner())
}

// notInUse refuses an output that is read, or that is written to by another way.
func notInUse(s streams, inputs []string, out asked, target *outfile.Target) error {
	if target.Stream() == nil {
		for name, stream := range map[string]*os.File{"standard output": s.out, "standard error": s.err} {
			if info, err := stream.Stat(); err == nil && target.Is(info) {
				return usagef("%s %s is the file that %s goes to: give each its own", out.flag, out.name, name)
			}
		}
	}
	for _, name := range inputs {
		// One that cannot be looked at cannot be read either, and whoever reads says so.
		if info, err := os.Stat(name); err == nil && target.Is(info) {
			return usagef("%s %s is the file %s, which is read: give it another name", out.flag, out.name, name)
		}
	}
	return nil
}

// notForATerminal refuses to show somebody what is not text.
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
