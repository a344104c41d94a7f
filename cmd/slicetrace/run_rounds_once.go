package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// warmUp runs a command once and forgets it.
func (m *rounds) warmUp(ctx context.Context, c *report.CommandSetup) error {
	if err := m.prepare(ctx); err != nil {
		return err
	}
	e, err := m.execute(ctx, c.Argv, func(running *workloads.Running) (*syscall.WaitStatus, error) {
		return runUntraced(running, &trial.Command{})
	})
	if err == nil && e.status != 0 && !m.options.repeat.ignoreFailure {
		return e.failure(shorten(c.Label), " in the warm-up", adviseIgnoring)
	}
	return err
}

// prepare runs what --prepare names, if anything.
func (m *rounds) prepare(ctx context.Context) error {
	argv := m.options.repeat.prepared
	if argv == nil {
		return nil
	}
	e, err := m.execute(ctx, argv, func(running *workloads.Running) (*syscall.WaitStatus, error) {
		return runUntraced(running, &trial.Command{})
	})
	if err == nil && e.status != 0 {
		return e.failure("--prepare "+shorten(m.options.repeat.prepare), "", "")
	}
	return err
}

// once runs a command in a round and adds the trial to the report.
func (m *rounds) once(ctx context.Context, c *report.CommandSetup, round int, traced bool) error {
	r := m.watch.report
	what := trial.Command{Label: c.Label, Round: round}
	attach, trials := m.attach, &r.Trials
	run := func(running *workloads.Running) (*syscall.WaitStatus, error) { return m.watch.trace(running, what) }
	if !traced {
		attach, trials = m.detach, &r.Untraced
		run = func(running *workloads.Running) (*syscall.WaitStatus, error) {
			status, err := runUntraced(running, &what)
			if err == nil {
				r.Untraced = append(r.Untraced, trial.Untraced(what, m.watch.beganNS))
			}
			return status, err
		}
	}
	if err := attach(); err != nil {
		return err
	}
	if err := m.prepare(ctx); err != nil {
		return err
	}
	e, err := m.execute(ctx, c.Argv, run)
	if err != nil {
		return err
	}
	if e.status != 0 && !m.options.repeat.ignoreFailure {
		return e.failure(shorten(c.Label), fmt.Sprintf(" in round %d", round), adviseIgnoring)
	}
	if find := m.options.repeat.figure; find != nil {
		figure, unit, err := figureIn(e.text, find)
		if err == nil {
			err = r.Setup.Output.SetUnit(unit)
		}
		if err != nil && e.status == 0 {
			return fmt.Errorf("%s in round %d: %w", shorten(c.Label), round, err)
		} else if err == nil {
			(*trials)[len(*trials)-1].Output = &figure
		}
	}
	runtime.GC() // now, so that it does not happen while a command runs
	return nil
}

// runUntraced runs a program from its gate to its end.
func runUntraced(running *workloads.Running, what *trial.Command) (*syscall.WaitStatus, error) {
	_, err := running.Before()
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, neverRan(running, workloads.ErrEndedEarly)
	case err != nil:
		return nil, errors.Join(err, abandon(running))
	}
	return &what.Status, runToEnd(running, what)
}

// execution is how a program has ended.
type execution struct {
	// status is its exit status as a shell shows it.
	status int
	// killed is the signal that killed it, 0 for none.
	killed syscall.Signal
	// text is the end of what it wrote.
	text []byte
}

// mostText is how much of what a program writes is read.
const mostText = 16 << 20

// execute runs a program by run, which gets it at its gate. It has no input, and what it writes is not shown: its
// standard error is kept to say why it failed, and its standard output only if a figure is read from it. Both are
// kept in memory, so that nobody has to read while it runs. When ctx ends, the program gets SIGTERM.
func (m *rounds) execute(ctx context.Context, argv []string,
	run func(*workloads.Running) (*syscall.WaitStatus, error),
) (e execution, err error) {
	fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
	if err != nil {
		return e, fmt.Errorf("make room for output: %w", err)
	}
	output := os.NewFile(uintptr(fd), "output")
	defer output.Close()
	command, err := m.options.command(argv)
	if err != nil {
		return e, err
	}
	command.Stdin, command.Stdout, command.Stderr, command.Bound = m.null, m.null, output, true
	if m.options.repeat.figure != nil {
		command.Stdout = output
	}
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	running, err := workloads.StartCommand(command)
	if err != nil {
		return e, err
	}
	stop := context.AfterFunc(ctx, func() { _ = running.Signal(unix.SIGTERM) }) // it may have ended
	status, err := run(running)
	stop()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return e, err
	}
	e.status = trial.ExitStatus(*status)
	if status.Signaled() {
		e.killed = status.Signal()
	}
	size, err := output.Seek(0, io.SeekEnd)
	if err == nil {
		e.text, err = io.ReadAll(io.NewSectionReader(output, max(0, size-mostText), mostText))
	}
	return e, err
}

const adviseIgnoring = ": give --ignore-failure to go on all the same"

// failure says that a program failed, when, and what it wrote last.
func (e execution) failure(name, when, advice string) error {
	how := fmt.Sprintf("exited with status %d", e.status)
	if e.killed != 0 {
		how = "was killed by " + unix.SignalName(e.killed)
	}
	said := ""
	if text := strings.TrimSpace(string(e.text)); text != "" {
		said = ", and wrote " + shorten(strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:]))
	}
	return &statusError{e.status, fmt.Errorf("%s %s%s%s%s", name, how, when, said, advice)}
}

// grouped is a number with commas between its thousands.
var grouped = regexp.MustCompile(`^[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$`)

// figureIn finds a figure in what a program wrote: the first group of the expression's first match, and the unit in
// its second, "" if it has none.
func figureIn(text []byte, find *regexp.Regexp) (figure float64, unit string, err error) {
	match := find.FindSubmatch(text)
	if match == nil {
		return 0, "", fmt.Errorf("--metric %q finds nothing in what it wrote", find)
	}
	digits := string(match[1])
	if grouped.MatchString(digits) {
		digits = strings.ReplaceAll(digits, ",", "")
	}
	figure, err = strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(figure) || math.IsInf(figure, 0) {
		return 0, "", fmt.Errorf("--metric %q finds %s in what it wrote, which is no number", find, shorten(digits))
	}
	if len(match) > 2 {
		unit = strings.ToValidUTF8(string(match[2]), "\ufffd")
	}
	return figure, unit, nil
}
