package hostinfo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// SettingsWatch follows the settings that figures depend on over a run. It reads all of them
// at both ends of the run, and those that can change meanwhile at both ends of each trial,
// while nothing is measured.
type SettingsWatch struct {
	reader *settingsReader
	// base are the settings, and the parts of the host that can change, when the run began.
	base   report.Settings
	tracer Tracer
	hooks  HookUse // as of the last time that the tracer was asked
	start  moment
	lists  map[unix.CPUSet]string
}

// WatchSettings reads all settings that can be read without a tracer, which must not be
// attached yet. host is the machine's fingerprint.
func WatchSettings(host report.Host) *SettingsWatch {
	w := &SettingsWatch{reader: newSettingsReader(), lists: make(map[unix.CPUSet]string)}
	w.base = w.reader.readAll()
	// The fingerprint has its values from the same files, or from other files if those cannot
	// be read, in which case they cannot be read at the end either. On a real-time kernel the
	// file has another meaning than the fingerprint's value.
	for name, value := range map[string]string{
		"preemption":  host.Preemption,
		"scheduler":   host.Scheduler,
		"clocksource": host.Clocksource,
		"smt":         host.SMT,
		"governor":    host.Governor,
	} {
		if w.base[name] == "" {
			w.base[name] = value
		}
	}
	return w
}

// Begin adds which other tracers use the tracer's hooks, and returns the settings with which
// the run begins, except those that are in the fingerprint.
func (w *SettingsWatch) Begin(t Tracer, recording bool) report.Settings {
	w.tracer = t
	// If a function was probed before, the tracer's program is not the only one there.
	before := strings.Fields(w.base["probed_functions"])
	for _, function := range t.HookedFunctions() {
		if !slices.Contains(before, function) {
			w.reader.ownProbes = append(w.reader.ownProbes, function)
		}
	}
	w.base["recording"] = "off"
	if recording {
		w.base["recording"] = "on"
	}
	w.ask(w.base)
	settings := maps.Clone(w.base)
	for _, name := range []string{"preemption", "scheduler", "base_slice_ns", "clocksource", "smt", "governor"} {
		delete(settings, name)
	}
	return settings
}

// Resume goes on with another tracer that has the same hooks, after the first has been detached.
func (w *SettingsWatch) Resume(t Tracer) { w.tracer, w.hooks = t, HookUse{} }

// ask adds what can only be read from the kernel's own structures, by the tracer.
func (w *SettingsWatch) ask(values report.Settings) {
	use := w.tracer.HookUse()
	for name, value := range map[string]string{
		"other_tracers": use.Tracers, "lifecycle_tracers": use.LifecycleTracers, "syscall_work": use.Syscalls,
	} {
		if value != "" {
			values[name] = value
		}
	}
	// Programs count their runs only while the kernel keeps statistics of them, which another
	// process can have asked for, if only for a moment.
	if use.Runs > w.hooks.Runs {
		values["bpf_stats"] = "on"
	}
	w.hooks = use
}

// moment is what was read at one end of a trial.
type moment struct {
	settings   report.Settings
	throttling *report.Throttling
	workers    []workerState
}

// workerState is what other processes can change about a worker.
type workerState struct {
	tid      sched.TID
	affinity string
	policy   string
}

func (w *SettingsWatch) now(tids []sched.TID) moment {
	m := moment{settings: w.reader.readOften(w.base)}
	m.throttling = w.reader.group.throttled()
	w.ask(m.settings)
	m.settings["suspended_ms"] = suspended()
	if count := w.reader.tree.text(cpuDir + "/cpu0/thermal_throttle/package_throttle_count"); count != "" {
		m.settings["heat_throttles"] = count
	}
	for _, tid := range tids {
		m.workers = append(m.workers, w.stateOf(tid))
	}
	return m
}

// suspended returns for how many ms the machine has slept since boot, which CLOCK_BOOTTIME
// counts and CLOCK_MONOTONIC does not.
func suspended() string {
	var with, without unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &without) != nil ||
		unix.ClockGettime(unix.CLOCK_BOOTTIME, &with) != nil {
		return ""
	}
	// Some time passes between the two calls; a sleep is longer than that.
	const grain = 100e6
	return strconv.FormatInt((with.Nano()-without.Nano())/grain*(grain/1e6), 10)
}

func (w *SettingsWatch) stateOf(tid sched.TID) workerState {
	s := workerState{tid: tid}
	if attr := w.reader.tasks.of(tid); attr.SchedAttr != nil {
		s.policy = attr.policy() + " nice " + attr.nice()
	}
	set, err := w.reader.tasks.affinity(tid)
	if err != nil {
		return s
	}
	if _, ok := w.lists[set]; !ok {
		w.lists[set] = field(w.reader.tree.lines(fmt.Sprintf("proc/%d/status", tid)), "Cpus_allowed_list")
	}
	s.affinity = w.lists[set]
	return s
}

// Start reads the settings before a trial's gate opens for the workers, whose tids are given.
func (w *SettingsWatch) Start(workers []sched.TID) { w.start = w.now(workers) }

// Stop adds to a trial that has ended which settings were not as at the beginning of the run,
// what changed about its workers, and how often and how long a quota stopped them.
func (w *SettingsWatch) Stop(t *report.Trial) {
	var tids []sched.TID
	for _, worker := range w.start.workers {
		tids = append(tids, worker.tid)
	}
	end := w.now(tids)
	t.Settings = w.differences(w.start.settings, end.settings)
	t.Settings = append(t.Settings, workerChanges(w.start.workers, end.workers)...)
	if then, now := w.start.throttling, end.throttling; now != nil {
		if then == nil {
			then = &report.Throttling{}
		}
		// If this process was moved to another group, that group's counts started elsewhere.
		if now.Times >= then.Times && now.NS >= then.NS {
			t.Throttling = &report.Throttling{Times: now.Times - then.Times, NS: now.NS - then.NS}
		}
	}
}

// differences returns the settings that differed from the beginning of the run at the start
// or the end of a trial. A setting that had no value then must differ between the two.
func (w *SettingsWatch) differences(start, end report.Settings) []report.SettingChange {
	var out []report.SettingChange
	for _, name := range slices.Sorted(maps.Keys(start)) {
		was, then, now := w.base[name], start[name], end[name]
		if _, began := w.base[name]; !began {
			was = then
		}
		if now != "" && (then != was || now != was) {
			out = append(out, report.SettingChange{Name: name, Start: then, End: now})
		}
	}
	return out
}

// workerChanges returns what changed about the workers that exist at both moments.
func workerChanges(start, end []workerState) []report.SettingChange {
	var out []report.SettingChange
	for _, part := range []struct {
		name string
		of   func(workerState) string
	}{
		{"workers_affinity", func(s workerState) string { return s.affinity }},
		{"workers_policy", func(s workerState) string { return s.policy }},
	} {
		var then, now []string
		changed := false
		for i := range start {
			a, b := part.of(start[i]), part.of(end[i])
			if a == "" || b == "" {
				continue
			}
			then, now = append(then, a), append(now, b)
			changed = changed || a != b
		}
		if changed {
			out = append(out, report.SettingChange{Name: part.name, Start: tally(then), End: tally(now)})
		}
	}
	return out
}

// tally lists the different values, and how many workers have each.
func tally(values []string) string {
	count := make(map[string]int)
	for _, v := range values {
		count[v]++
	}
	if len(count) == 1 {
		return values[0]
	}
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%s (%d of %d workers)", v, count[v], len(values)))
	}
	return strings.Join(parts, ", ")
}

// End returns the settings that have changed since the beginning of the run, now that it is over.
func (w *SettingsWatch) End() []report.SettingChange {
	end := w.reader.readAll()
	w.ask(end)
	var out []report.SettingChange
	for _, name := range slices.Sorted(maps.Keys(end)) {
		if was, ok := w.base[name]; ok && was != end[name] {
			out = append(out, report.SettingChange{Name: name, Start: was, End: end[name]})
		}
	}
	return out
}
