package collector

import (
	"slices"
	"sync"

	"github.com/slicetrace/slicetrace/report/recording"
)

// mostWaiting is how many events and names can wait for a slow disk: about 30 MB. Those that
// come beyond find no room, and are counted as lost.
const mostWaiting = 1 << 19

// frameWriter writes the frames of a recording in a goroutine of its own, so that a stalled
// disk does not delay snapshots. Its methods may be called from several goroutines.
type frameWriter struct {
	out  frameTaker
	more chan struct{} // receives when frames wait; closed when all have come
	done chan struct{}

	mu      sync.Mutex // guards the rest
	frames  []recording.Frame
	waiting int // events and names in frames
	spare   [][]recording.Event
	closed  bool
	err     error // of the first write that failed: nothing is written after it
}

// frameTaker is a *recording.Writer, or a *flight.Recorder in its place.
type frameTaker interface {
	Block(recording.Block) error
	Tasks([]recording.Task) error
	Mark(recording.Mark) error
	Close(recording.End) error
}

func newFrameWriter(out frameTaker) *frameWriter {
	w := &frameWriter{out: out, more: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// put takes a frame with a number of events or names, and reports whether there was room for
// them. A frame that comes after finish or a failed write is dropped.
func (w *frameWriter) put(f recording.Frame, events int) (room bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		return true
	}
	if events > 0 && w.waiting+events > mostWaiting {
		return false
	}
	w.frames = append(w.frames, f)
	w.waiting += events
	select {
	case w.more <- struct{}{}:
	default:
	}
	return true
}

// buffer returns an empty slice for the events of the next block.
func (w *frameWriter) buffer() []recording.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return nil
}

// finish waits until all has been written. It returns the error of the first write
// that failed, and may be called more than once.
func (w *frameWriter) finish() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.more)
	}
	w.mu.Unlock()
	<-w.done
	return w.err
}

// abandon ends the writing, unless it has ended, and forgets what waits for it.
func (w *frameWriter) abandon() {
	w.mu.Lock()
	if !w.closed {
		w.frames = nil
	}
	w.mu.Unlock()
	// The recording is not to be used, whatever became of it.
	_ = w.finish()
}

func (w *frameWriter) run() {
	defer close(w.done)
	for range w.more {
		w.drain()
	}
	w.drain()
}

func (w *frameWriter) drain() {
	for {
		w.mu.Lock()
		if w.err != nil {
			w.frames, w.waiting = nil, 0
		}
		if len(w.frames) == 0 {
			w.mu.Unlock()
			return
		}
		f := w.frames[0]
		w.frames = slices.Delete(w.frames, 0, 1)
		w.mu.Unlock()
		w.settle(f, w.write(f))
	}
}

func (w *frameWriter) write(f recording.Frame) error {
	switch f := f.(type) {
	case *recording.Block:
		return w.out.Block(*f)
	case []recording.Task:
		return w.out.Tasks(f)
	case recording.Mark:
		return w.out.Mark(f)
	case recording.End:
		return w.out.Close(f)
	case func():
		f() // in the order in which it was put among the frames
	}
	return nil
}

// settle notes what became of a frame, whose events no longer wait.
func (w *frameWriter) settle(f recording.Frame, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	switch f := f.(type) {
	case *recording.Block:
		w.waiting -= len(f.Events)
		if len(w.spare) < 4 {
			w.spare = append(w.spare, f.Events[:0])
		}
	case []recording.Task:
		w.waiting -= len(f)
	}
}
