// Command stacks prints return addresses of its own stack and what the runtime calls them, then
// waits until its input ends.
package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
)

// Frame is a frame as the runtime names it.
type Frame struct {
	Function, File string
	Line           int
}

// Output is what the command prints.
type Output struct {
	Stack  []uint64
	Frames []Frame
}

func small(out *Output) { middle(out) }

func middle(out *Output) { noted(out) }

//go:noinline
func noted(out *Output) {
	var pcs [32]uintptr
	n := runtime.Callers(0, pcs[:])
	for _, pc := range pcs[:n] {
		out.Stack = append(out.Stack, uint64(pc))
	}
	frames := runtime.CallersFrames(pcs[:n])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		out.Frames = append(out.Frames, Frame{f.Function, f.File, f.Line})
	}
}

type generic[T any] struct{ value T }

//go:noinline
func (g generic[T]) call(f func()) { f() }

func main() {
	var out Output
	generic[int]{}.call(func() { small(&out) })
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
