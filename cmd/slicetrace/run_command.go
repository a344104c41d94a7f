package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// runCommand traces a program and its children, passes signals on to it and its exit status
// on to the caller, and shows the report on standard error.
func runCommand(s streams, o *runOptions, argv []string) error {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if o.inherited.Ignored&(1<<(sig-1)) != 0 {
			signal.Ignore(sig) // Go's runtime forgets it for some signals
		}
	}
	r, name, err := o.startReport(s)
	if err != nil {
		return err
	}
	beganNS := collector.NowNS()
	r.Setup = report.Setup{Command: argv, Modes: []report.Mode{report.Command}, Rounds: 1}
	rf, err := o.openRecording(s)
	if err != nil {
		return err
	}
	defer rf.abort()
	// If standard error has no reader any more, a write to it now fails instead of killing
	// this process, so neither the report nor the program's status is lost.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	signals, err := workloads.CatchSignals(o.inherited.Pending)
	if err != nil {
		return err
	}
	defer signals.RestoreJobControl(o.inherited.Ignored)
	// The program is started first, while this process is as it was executed, and so that
	// it gets signals even before it runs.
	running, err := o.start(argv, signals)
	if err != nil {
		return err
	}
	settings := hostinfo.WatchSettings(r.Host)
	c, err := o.open(o.tasks, r.Host, rf)
	if err != nil {
		return errors.Join(err, abandon(running))
	}
	defer c.Close()
	if o.flight.asked() {
		save, stop := rf.saveAtSignals(c)
		defer stop()
		signals.Keep(unix.SIGUSR1, save)
	}
	r.Settings = settings.Begin(c, rf != nil)
	if err := o.dropPrivileges(); err != nil {
		return errors.Join(err, abandon(running))
	}
	w := &commandWatch{collector: c, report: r, settings: settings, beganNS: beganNS}
	status, err := w.trace(running, trial.Command{Label: filepath.Base(argv[0]), Round: 1})
	if status == nil {
		return err
	}
	signals.RestoreJobControl(o.inherited.Ignored)
	time.AfterFunc(uninterrupted, func() { signals.RestoreTermination(o.inherited.Ignored) })
	if err == nil {
		rf.finish(c, r)
		finishReport(r, c, settings)
		err = saveAndShow(s.err, s.err, o, name, r, func() {})
	}
	if err == nil && rf.isMissing() {
		err = o.incomplete(r)
	}
	return passOn(*status, err)
}

// uninterrupted is the time after the program's end in which a signal that was meant for
// it, such as a second Ctrl-C, does not end this process, so that the report is saved. It
// is limited, since a terminal that accepts no output could otherwise hold us for ever.
const uninterrupted = 3 * time.Second

// start starts the program up to its gate, with everything that it would inherit if it
// were executed in place of this process.
func (o *runOptions) start(argv []string, signals *workloads.Signals) (*workloads.Running, error) {
	command, err := o.command(argv)
	if err != nil {
		return nil, err
	}
	command.Signals = signals
	return workloads.StartCommand(command)
}

// command returns the program, with what it inherits.
func (o *runOptions) command(argv []string) (workloads.Command, error) {
	capabilities, err := commandCapabilities()
	return workloads.Command{
		Argv: argv, User: o.user(), Env: o.environment(), Capabilities: capabilities,
		Inherited: &workloads.Inheritance{
			Ignored: o.inherited.Ignored, Blocked: o.inherited.Blocked, Closed: o.inherited.Closed,
			OpenFiles: &o.inherited.OpenFiles, DeathSignal: o.inherited.DeathSignal,
		},
	}, err
}

// commandWatch adds trials of programs to a report.
type commandWatch struct {
	collector *collector.Collector
	report    *report.Report
	settings  *hostinfo.SettingsWatch
	beganNS   int64 // the start of the run by CLOCK_MONOTONIC
}

// trace runs the program from its gate to its end and adds the trial to the report. It
// returns how the program ended, nil if it never ran.
func (w *commandWatch) trace(running *workloads.Running, what trial.Command) (*syscall.WaitStatus, error) {
	w.settings.Start(nil) // no tasks: the program may well change its own settings
	before, err := watchCommand(w.collector, running)
	if errors.Is(err, unix.ESRCH) { // a signal has ended it meanwhile
		return nil, neverRan(running, workloads.ErrEndedEarly)
	}
	if err != nil {
		return nil, errors.Join(err, abandon(running))
	}
	if err := runToEnd(running, &what); err != nil {
		return nil, err
	}
	leaving, err := w.collector.AwaitExits(exitLimit)
	if err != nil {
		return &what.Status, err
	}
	after, err := w.collector.Snapshot()
	if err != nil {
		return &what.Status, err
	}
	interval, err := after.Since(before)
	if err != nil {
		return &what.Status, err
	}
	t := trial.OfCommand(what, interval, w.beganNS)
	if err := w.collector.Mark(trial.Mark(&t, w.beganNS)); err != nil {
		// The trial itself is complete.
		w.warn(fmt.Sprintf("the command is not marked in the recording: %s", oneLine(err)))
	}
	w.settings.Stop(&t)
	w.report.Trials = append(w.report.Trials, t)
	w.warn(hotplugWarnings(interval, w.report.Warnings)...)
	if alive := stillAlive(interval.Tasks); alive > 0 {
		ending := ""
		if leaving > 0 {
			ending = fmt.Sprintf(", %d of them in the middle of exiting for %v", leaving, exitLimit)
		}
		w.warn(fmt.Sprintf(
			"%d of the program's tasks were still alive when it ended%s: they are counted up to then", alive, ending))
	}
	return &what.Status, nil
}

// warn adds sentences that the report does not have yet: programs do the same in every round.
func (w *commandWatch) warn(texts ...string) {
	for _, text := range texts {
		if !slices.Contains(w.report.Warnings, text) {
			w.report.Warnings = append(w.report.Warnings, text)
		}
	}
}

// runToEnd lets a program through its gate, waits for its end, and notes when both were, how it ended and what
// it used. The error is that it never ran.
func runToEnd(running *workloads.Running, what *trial.Command) (err error) {
	what.StartNS = collector.NowNS()
	if err := running.Release(); err != nil {
		return neverRan(running, err)
	}
	what.Status, what.Usage, err = running.Wait()
	what.EndNS = collector.NowNS()
	what.ToolSwitches = running.ToolSwitches()
	return err
}

// neverRan returns the error for a program that did not begin.
func neverRan(running *workloads.Running, err error) error {
	status, _, waitErr := running.Wait()
	var refused *workloads.ExecError
	switch {
	case waitErr != nil:
		return errors.Join(err, waitErr)
	case errors.Is(err, workloads.ErrEndedEarly):
		return passOn(status, nil)
	case errors.As(err, &refused):
		err = refused
		if os.Getenv("SUDO_UID") != "" && errors.Is(refused, os.ErrNotExist) && !strings.Contains(refused.Name, "/") {
			err = fmt.Errorf("%w; sudo has replaced PATH: give the program's full path, "+
				"or use sudo env \"PATH=$PATH\" slicetrace", refused)
		}
		return &statusError{refused.ExitStatus(), err}
	}
	return err
}

// passOn returns the error that ends the tool as the program ended: with its exit status,
// or by the signal that it died of, since otherwise a shell's loop around the tool would go
// on after Ctrl-C. An error that came after the program's end counts only if the program
// succeeded.
func passOn(status syscall.WaitStatus, err error) error {
	switch {
	case status.Signaled():
		return &deathError{&statusError{128 + int(status.Signal()), silent(err)}, status.Signal()}
	case status.ExitStatus() != exitDone:
		return &statusError{status.ExitStatus(), silent(err)}
	}
	return err
}

// silent drops an error that has been printed already.
func silent(err error) error {
	var own *statusError
	if errors.As(err, &own) && own.err == nil {
		return nil
	}
	return err
}

func watchCommand(c *collector.Collector, running *workloads.Running) (*collector.Snapshot, error) {
	kernel, err := running.Before()
	if err != nil {
		return nil, err
	}
	if err := c.Watch(trial.TaskOfCommand(running, kernel)); err != nil {
		return nil, err
	}
	return c.Snapshot()
}

// abandon kills a program that is still at its gate.
func abandon(running *workloads.Running) error {
	err := running.Signal(unix.SIGKILL)
	_, _, waitErr := running.Wait()
	return errors.Join(err, waitErr)
}

func stillAlive(tasks []report.Worker) int {
	alive := 0
	for i := range tasks {
		if !tasks[i].Exited {
			alive++
		}
	}
	return alive
}
