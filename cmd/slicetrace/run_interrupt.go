package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/workloads"
)

// oneInterruption is the time in which several signals count as one: timeout sends its signal to the
// tool and once more to the tool's process group, and users press Ctrl-C twice.
const oneInterruption = 500 * time.Millisecond

// interruption is how signals end a run of bundled workloads. The first ends the trials, and what was
// measured is saved and shown. A later one ends the program at once.
type interruption struct {
	// messages is where a later signal's consequences are told.
	messages io.Writer
	// saved is set when the report has been saved.
	saved atomic.Bool
}

// notifyInterruptions sends the signals that ask to end a run. Those that were ignored when this process
// was executed, as under nohup or in a shell's background, stay ignored: Go's runtime would forget some
// of them.
func notifyInterruptions(signals chan<- os.Signal, ignored uint64) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if ignored&(1<<(sig-1)) != 0 {
			signal.Ignore(sig)
		} else {
			signal.Notify(signals, sig)
		}
	}
}

// untilInterrupted returns a context that ends at the first signal. The next one ends the program.
func untilInterrupted(ctx context.Context, ignored uint64) (context.Context, context.CancelFunc) {
	signals := make(chan os.Signal, 1)
	notifyInterruptions(signals, ignored)
	ctx, interrupt := context.WithCancel(ctx)
	go func() {
		select {
		case <-signals:
			interrupt()
		case <-ctx.Done():
		}
		signal.Stop(signals)
	}()
	return ctx, interrupt
}

// raisePending sends the signals that were pending at the start, which were taken out before the runtime began.
func (o *runOptions) raisePending() {
	for _, info := range o.inherited.Pending {
		_ = unix.Kill(os.Getpid(), syscall.Signal(binary.NativeEndian.Uint32(info[:])))
	}
}

// until returns a context that ends at the first signal.
func (i *interruption) until(ctx context.Context, ignored uint64) (context.Context, context.CancelFunc) {
	signals := make(chan os.Signal, 1)
	notifyInterruptions(signals, ignored)
	ctx, interrupt := context.WithCancel(ctx)
	over := make(chan struct{})
	go i.watch(signals, interrupt, over)
	return ctx, func() {
		signal.Stop(signals)
		close(over)
		interrupt()
	}
}

// watch calls interrupt at the first signal and ends the program at a later one, unless the run is
// over by then.
func (i *interruption) watch(signals <-chan os.Signal, interrupt func(), over <-chan struct{}) {
	var first time.Time
	for {
		select {
		case sig := <-signals:
			if first.IsZero() {
				interrupt()
				first = time.Now()
			} else if time.Since(first) > oneInterruption {
				i.end(sig.(syscall.Signal))
			}
		case <-over:
			return
		}
	}
}

// end ends the program by a signal, and says what that loses. A terminal that accepts no output, for
// which it waits only a moment, may be why the signal was sent.
func (i *interruption) end(sig syscall.Signal) {
	loss := "before its report was saved: what was measured is lost"
	if i.saved.Load() {
		loss = "when its report was saved, but not shown to its end"
	}
	said := make(chan struct{})
	go func() {
		fmt.Fprintf(i.messages, "slicetrace: a second signal, %s, ended the run at once, %s\n",
			unix.SignalName(sig), loss)
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(closeLimit):
	}
	workloads.RaiseDefault(sig)
	os.Exit(128 + int(sig)) // the kernel ignores the signal where this is a container's first process
}
