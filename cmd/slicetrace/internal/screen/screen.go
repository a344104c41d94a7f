package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// recordFor is how long the key r records.
const recordFor = 10 * time.Second

// framesPerSecond bounds how often the terminal is drawn, and how often this program wakes up.
const framesPerSecond = 20

// Source is where intervals come from.
type Source interface {
	// Next returns the next interval, of mode report.SystemMode, when it is over; it must not change
	// any more. It returns io.EOF after the last one, or an *OverError if the screen is to go on showing
	// that one, and an error if ctx is cancelled. It is called in one goroutine, again as soon as it has
	// returned, however slow the terminal is.
	Next(ctx context.Context) (*report.Trial, error)
}

// OverError says why there are no more intervals.
type OverError struct {
	Why string
}

func (e *OverError) Error() string { return e.Why }

// Shown is what is on the screen.
type Shown struct {
	// Trial is the interval.
	Trial *report.Trial
	// Text is the frame without styles, each line ended by a newline.
	Text string
}

// Options are what a screen needs besides a source. The zero value shows and does nothing else.
type Options struct {
	// Interval is the length of an interval that the source was asked for, and SetInterval changes it
	// from the next one on. SetInterval must not block; if it is nil, the length cannot be changed.
	Interval    time.Duration
	SetInterval func(time.Duration)
	// Record records for so long and Write saves what is shown. Each returns what to tell the user,
	// such as the name of a file. They are called in a goroutine of their own; if one is nil, its key
	// says that it is not possible here. ctx is cancelled when the screen is left: Run waits for what
	// is under way.
	Record func(ctx context.Context, d time.Duration) (string, error)
	Write  func(ctx context.Context, shown Shown) (string, error)
	// CoreGroups are sets of cores that share something, shown on machines with many cores.
	CoreGroups []live.CoreGroup
	// Notes are sentences for the help, such as what this kernel does not tell and why.
	Notes []string
	// Plain leaves out bold text and the like, as NO_COLOR asks for.
	Plain bool
	// By is what the rows of tasks stand for at first.
	By live.Grouping
	// Stacks makes details say why tasks were off their cores, if it is not nil. It returns the stacks that the
	// intervals of the source up to now refer to, and is called where Source.Next is.
	Stacks func() ([]report.Stack, []report.Frame)
	// Filtered is true if intervals have only those of the tasks that were asked for.
	Filtered bool
}

// Unsuited returns why a screen cannot be shown there, nil if it can: both must be terminals, and
// kind, the value of TERM, must be of one that understands escape sequences.
func Unsuited(in, out *os.File, kind string) error {
	switch {
	case !term.IsTerminal(int(in.Fd())):
		return errors.New("standard input is not a terminal")
	case !term.IsTerminal(int(out.Fd())):
		return errors.New("standard output is not a terminal")
	case kind == "" || kind == "dumb":
		return fmt.Errorf("the terminal understands no escape sequences (TERM is %q)", kind)
	}
	return nil
}

// Run shows what comes from the source until the user leaves, the source ends or ctx is cancelled,
// all of which are no error. The terminal is as before when it returns.
func Run(ctx context.Context, in, out *os.File, source Source, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newScreen(ctx, o)
	var program *tea.Program
	s.out = newOutput(out, func() { program.Send(readyMsg{}) }, func(err error) {
		program.Send(endedMsg{fmt.Errorf("write to the terminal: %w", err)})
	})
	program = tea.NewProgram(s, tea.WithInput(in), tea.WithOutput(s.out), tea.WithoutSignalHandler(),
		tea.WithFPS(framesPerSecond))
	defer onContinue(program)()
	// A program with this context would be killed, and not wait for the goroutine that reads the terminal.
	defer context.AfterFunc(ctx, func() { program.Send(endedMsg{}) })()
	wake := make(chan struct{}, 1)
	go func() {
		for range wake {
			program.Send(changedMsg{})
		}
	}()
	gathered := make(chan struct{})
	go func() {
		defer close(gathered)
		defer close(wake)
		s.gather(ctx, source, wake, program)
	}()
	_, err := program.Run()
	s.out.drain(patience)
	cancel()
	<-gathered
	s.working.Wait()
	switch {
	case s.failed != nil:
		return s.failed
	case err != nil:
		return fmt.Errorf("show the screen: %w", err)
	}
	return nil
}

// gather adds intervals to the model as they come. It never waits for the terminal.
func (s *screen) gather(ctx context.Context, source Source, wake chan<- struct{}, program *tea.Program) {
	for {
		t, err := source.Next(ctx)
		if over := (*OverError)(nil); errors.As(err, &over) {
			program.Send(overMsg{over.Why})
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				err = nil
			}
			program.Send(endedMsg{err})
			return
		}
		s.data.Add(t)
		select {
		case wake <- struct{}{}:
		default: // the screen has not yet turned to the interval before
		}
	}
}
