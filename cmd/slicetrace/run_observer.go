package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// exitLimit is the longest wait for exiting tasks to make their last switch, which takes
// a while if many other tasks want the core.
const exitLimit = 2 * time.Second

// joinedLimit is that limit for a trial in which no worker died. A task that a worker
// created and that takes longer is counted in the next trial.
const joinedLimit = 100 * time.Millisecond

// trialObserver adds trials to a report. It is the workloads' observer, and combines the
// collector's figures with the workers' own.
type trialObserver struct {
	collector *collector.Collector
	report    *report.Report
	settings  *hostinfo.SettingsWatch
	progress  *progress
	beganNS   int64 // the start of the run by CLOCK_MONOTONIC
	// before is the snapshot at the trial's start, and spent the tool's own CPU time then.
	before *collector.Snapshot
	spent  toolClock
}

// Ready watches the trial's workers, which wait at the start gate.
func (r *trialObserver) Ready(t workloads.Trial, workers []workloads.Worker) error {
	tasks := trial.Tasks(workers)
	tids := make([]sched.TID, len(tasks))
	pids := make([]workloads.PID, len(workers))
	for i := range workers {
		tids[i], pids[i] = tasks[i].TID, workers[i].PID
	}
	r.settings.Start(tids)
	err := r.collector.Watch(tasks...)
	if err != nil {
		return err
	}
	if r.spent, err = readToolClock(pids); err != nil {
		return err
	}
	if r.before, err = r.collector.Snapshot(); err != nil {
		return err
	}
	r.progress.begin(t)
	return nil
}

// Stopped adds the trial, whose workers wait at the end gate, to the report.
func (r *trialObserver) Stopped(result workloads.Result) error {
	// Workers that died, and the last tasks that workers created and joined, may still be exiting.
	limit := joinedLimit
	if slices.ContainsFunc(result.Workers, func(w workloads.WorkerResult) bool { return w.Died }) {
		limit = exitLimit
	}
	leaving, err := r.collector.AwaitExits(limit)
	if err != nil {
		return err
	}
	var pids []workloads.PID
	for _, w := range result.Workers {
		pids = append(pids, w.PID)
	}
	spent, err := readToolClock(pids)
	if err != nil {
		return err
	}
	after, err := r.collector.Snapshot()
	if err != nil {
		return err
	}
	interval, err := after.Since(r.before)
	if err != nil {
		return err
	}
	t, err := trial.Of(result, interval, r.beganNS)
	if err != nil {
		return err
	}
	own := spent.since(r.spent, result.Workers, interval.Created)
	t.ToolNS = &own
	r.settings.Stop(&t)
	r.report.Trials = append(r.report.Trials, t)
	r.warn(result, leaving, limit)
	r.report.Warnings = append(r.report.Warnings, hotplugWarnings(interval, r.report.Warnings)...)
	r.progress.end()
	runtime.GC() // now, so that it does not happen while work runs
	if err := r.collector.Mark(trial.Mark(&t, r.beganNS)); err != nil {
		// The trial itself is complete.
		r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%s, is not marked in the recording: %s",
			trialName(result.Trial), oneLine(err)))
	}
	return nil
}

// trialName names a trial in warnings.
func trialName(t workloads.Trial) string {
	return fmt.Sprintf("%s in %s, round %d", t.Name(), t.Mode, t.Round)
}

// warn adds to the report what was unusual about a trial. At its end, so many tasks had
// been exiting for the time limit.
func (r *trialObserver) warn(result workloads.Result, exiting int, limit time.Duration) {
	warn := func(format string, args ...any) {
		r.report.Warnings = append(r.report.Warnings, trialName(result.Trial)+fmt.Sprintf(format, args...))
	}
	if n := result.Trial.Attempt - 1; n > 0 {
		warn(": started again %d times, since no worker completed an operation within %v: the machine stood still, "+
			"or gave too little time; its figures are of the last attempt alone", n, result.Trial.Duration)
	}
	if exiting > 0 {
		warn(": tasks that were still exiting after %v: %d; the rest of their lives counts in the next trial",
			limit, exiting)
	}
	if n := len(result.Paused); n > 0 {
		warn(": %d of %d workers were stopped by a signal for a while, which its figures include",
			n, len(result.Workers))
	}
}

// Failed adds a trial that gave no figures to the report.
func (r *trialObserver) Failed(f workloads.Failure) {
	r.report.Failed = append(r.report.Failed, report.FailedTrial{
		Workload: f.Trial.Workload, Variant: f.Trial.Variant, Mode: report.Mode(f.Trial.Mode), Round: f.Trial.Round,
		Cause: oneLine(f.Err), LeftOut: f.LeftOut,
	})
	r.progress.end()
	runtime.GC()
}

// hotplugWarnings returns warnings about the cores that went offline or came online, except
// for those that are in the report already.
func hotplugWarnings(in collector.Interval, known []string) []string {
	var added []string
	warn := func(w string) {
		if !slices.Contains(known, w) {
			added = append(added, w)
		}
	}
	for _, cpu := range in.Hotplugged {
		warn(fmt.Sprintf("core %d went offline or came online during the run: "+
			"while away it counts as idle, and tasks pinned to it had other cores", cpu))
	}
	if in.HotplugUnheard {
		warn("more cores may have gone offline and come back: " +
			"the kernel's messages about them were lost or could not be listened to")
	}
	return added
}

// setupOf returns the set-up that a plan asks for.
func setupOf(plan workloads.Plan) report.Setup {
	setup := report.Setup{
		Rounds:     plan.Rounds,
		DurationNS: plan.Duration.Nanoseconds(),
		Operations: plan.Operations,
		Workers:    plan.Workers,
	}
	if plan.Operations > 0 {
		setup.DurationNS = 0
	}
	for _, w := range plan.Workloads {
		setup.Workloads = append(setup.Workloads, w.Name)
		if setup.WorkloadVersions == nil {
			setup.WorkloadVersions = make(map[string]int)
		}
		setup.WorkloadVersions[w.Name] = w.Version()
	}
	for _, m := range plan.Modes {
		setup.Modes = append(setup.Modes, report.Mode(m))
	}
	for _, t := range plan.Trials()[:1] {
		setup.CPUs = trial.CPUs(t.CPUs)
	}
	return setup
}
