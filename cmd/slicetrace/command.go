package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/workloads"
)

// runCommand traces a program and its children, passes signals and its exit
// status through, and reports on standard error.
func runCommand(s streams, o *runOptions, argv []string) error {
	r, name, err := o.begin(s)
	if err != nil {
		return err
	}
	r.Setup = report.Setup{Command: argv, Modes: []report.Mode{report.Command}, Rounds: 1}
	tape, err := newTape(o.record, o.recorded)
	if err != nil {
		return err
	}
	defer tape.abort()
	settings := collector.WatchSettings(r.Host)
	c, err := o.open(o.tasks, r.Host, tape)
	if err != nil {
		return err
	}
	defer c.Close()
	r.Settings = settings.Begin(c, tape != nil)
	if err := o.dropPrivileges(); err != nil {
		return err
	}
	// If nobody reads our standard error any more, a write fails, and neither
	// the report nor the program's status is lost with it.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	status, err := trace(s, o, c, r, settings, argv)
	if err != nil {
		return err
	}
	tape.finish(c, r)
	seal(r, c, settings)
	err = deliver(s.err, s.err, o, name, r)
	if err == nil && r.Recording == nil && o.record != "" {
		err = &statusError{status: exitFailed}
	}
	if status != exitDone {
		return &statusError{status, err}
	}
	return err
}

// trace runs the program from its gate to its end, adds the trial to the
// report and returns the program's exit status.
func trace(s streams, o *runOptions, c *collector.Collector, r *report.Report, settings *collector.SettingsWatch, argv []string) (int, error) {
	running, err := workloads.StartCommand(workloads.Command{
		Argv: argv, User: o.user(), Env: o.environment(), Stdin: s.in, Stdout: s.out, Stderr: s.err,
	})
	if err != nil {
		return 0, err
	}
	settings.Start(nil) // the program may well change its own
	before, err := watchCommand(c, running)
	if err != nil {
		return 0, errors.Join(err, abandon(running))
	}
	stop := forwardSignals(running)
	defer stop()
	start := collector.Now()
	if err := running.Release(); err != nil {
		err = errors.Join(err, abandon(running))
		var refused *workloads.ExecError
		if errors.As(err, &refused) {
			return 0, &statusError{refused.ExitStatus(), refused}
		}
		return 0, err
	}
	status, _, err := running.Wait()
	if err != nil {
		return 0, err
	}
	end := collector.Now()
	leaving, err := c.AwaitExits(exitLimit)
	if err != nil {
		return 0, err
	}
	after, err := c.Snapshot()
	if err != nil {
		return 0, err
	}
	interval, err := after.Since(before)
	if err != nil {
		return 0, err
	}
	mark := recording.Mark{Workload: filepath.Base(argv[0]), Mode: string(report.Command), Round: 1, StartNS: start, EndNS: end}
	for i := range interval.Tasks {
		mark.Workers = append(mark.Workers, int32(interval.Tasks[i].TID))
	}
	if err := c.Mark(mark); err != nil {
		return 0, err
	}
	own := running.ToolSwitches()
	r.Trials = append(r.Trials, report.Trial{
		Workload:   mark.Workload,
		Mode:       report.Command,
		Round:      mark.Round,
		DurationNS: end - start,
		Cores:      interval.Cores,
		Workers:    interval.Tasks,
		Lost:       interval.Lost,

		ToolSwitches: &own,
	})
	settings.Stop(&r.Trials[len(r.Trials)-1])
	r.Warnings = append(r.Warnings, hotplugWarnings(interval, r.Warnings)...)
	if alive := stillAlive(interval.Tasks); alive > 0 {
		ending := ""
		if leaving > 0 {
			ending = fmt.Sprintf(", %d of them on their way out for %v", leaving, exitLimit)
		}
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d of the program's tasks were still alive when it ended%s: they are counted up to then", alive, ending))
	}
	return exitStatusOf(status), nil
}

func watchCommand(c *collector.Collector, running *workloads.Running) (*collector.Snapshot, error) {
	kernel := running.Before()
	err := c.Watch(collector.Task{
		PID: running.PID(), TID: running.PID(), Children: collector.Listed,
		Voluntary: kernel.Voluntary, Involuntary: kernel.Involuntary,
	})
	if err != nil {
		return nil, err
	}
	return c.Snapshot()
}

// abandon ends a program that never became the user's.
func abandon(running *workloads.Running) error {
	err := running.Signal(unix.SIGKILL)
	_, _, waitErr := running.Wait()
	return errors.Join(err, waitErr)
}

// forwardSignals passes on what is sent to this process. What a terminal's
// keys send reaches the program without us.
func forwardSignals(running *workloads.Running) (stop func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGCONT, unix.SIGWINCH)
	foreground := inForeground()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sig := range signals {
			number, ok := sig.(syscall.Signal)
			fromKeys := number == unix.SIGINT || number == unix.SIGQUIT || number == unix.SIGWINCH
			if ok && !(foreground && fromKeys) {
				// It fails only for a program that has just ended.
				_ = running.Signal(number)
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// inForeground reports whether a terminal's keys send signals to this process group.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	if !term.IsTerminal(int(tty.Fd())) {
		return false
	}
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// exitStatusOf is what a shell makes of how a program ended.
func exitStatusOf(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
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
