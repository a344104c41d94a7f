package screen

import (
	"os"
	"sync"
	"time"
)

// patience is how long what must be shown, such as the restored terminal, may take.
const patience = time.Second

// output writes to a terminal in a goroutine of its own, so that a terminal that stops reading does
// not hold up the program. Whoever draws asks Busy first, and draws nothing while it is true.
type output struct {
	file *os.File
	// ready is called when the terminal has taken everything after Busy returned true, and gone when it
	// takes nothing any more.
	ready func()
	gone  func(error)

	mu      sync.Mutex // guards the rest
	changed *sync.Cond
	pending []byte
	writing bool
	missed  bool
	waits   bool
	err     error
}

func newOutput(file *os.File, ready func(), gone func(error)) *output {
	o := &output{file: file, ready: ready, gone: gone}
	o.changed = sync.NewCond(&o.mu)
	go o.run()
	return o
}

// run writes what is pending, until a write fails.
func (o *output) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil {
		for len(o.pending) == 0 {
			o.changed.Wait()
		}
		text := o.pending
		o.pending, o.writing = nil, true
		o.mu.Unlock()
		_, err := o.file.Write(text)
		o.mu.Lock()
		o.writing, o.err = false, err
		if o.missed && len(o.pending) == 0 {
			o.missed = false
			go o.ready()
		}
		o.changed.Broadcast()
	}
	go o.gone(o.err)
}

// Write takes a text to be written. It returns the error of an earlier write.
func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	if o.err != nil {
		defer o.mu.Unlock()
		return 0, o.err
	}
	o.pending = append(o.pending, text...)
	o.changed.Broadcast()
	waits := o.waits
	o.mu.Unlock()
	if waits {
		o.drain(patience)
	}
	return len(text), nil
}

// Busy reports whether the terminal has not yet taken everything.
func (o *output) Busy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	busy := o.writing || len(o.pending) > 0
	o.missed = o.missed || busy
	return busy
}

// wait makes each Write wait until the terminal has taken it, or patience ends.
func (o *output) wait(yes bool) {
	o.mu.Lock()
	o.waits = yes
	o.mu.Unlock()
}

// drain waits until the terminal has taken everything, or the time is over.
func (o *output) drain(limit time.Duration) {
	over := false
	late := time.AfterFunc(limit, func() {
		o.mu.Lock()
		over = true
		o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer late.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !over && o.err == nil && (o.writing || len(o.pending) > 0) {
		o.changed.Wait()
	}
}

// Read, Close and Fd make output a terminal for bubbletea.
func (o *output) Read(p []byte) (int, error) { return o.file.Read(p) }

// Close leaves the terminal open, which belongs to the caller.
func (o *output) Close() error { return nil }

// Fd returns the terminal's file descriptor.
func (o *output) Fd() uintptr { return o.file.Fd() }
