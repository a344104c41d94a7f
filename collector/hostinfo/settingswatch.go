package hostinfo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
)

// SettingsWatch follows what moves figures over a run: read in full at its two ends,
// and what is read often at both ends of each trial, while nothing is measured.
type SettingsWatch struct {
	reader *settingsReader
	// base are the settings and the parts of the host when the run began.
	base   report.Settings
	tracer Tracer
	hooks  HookUse // when last asked
	start  moment
	lists  map[unix.CPUSet]string
}

// WatchSettings reads all that can be read without a tracer, which must not be
// attached yet. host is the machine's fingerprint.
func WatchSettings(host report.Host) *SettingsWatch {
	w := &SettingsWatch{reader: newSettingsReader(), lists: make(map[unix.CPUSet]string)}
	w.base = w.reader.readAll()
	// What the fingerprint has it has from the same files, or from others where they
	// are silent: which then are so at the end too. A real-time kernel's file tells of
	// another thing than the fingerprint.
	for name, value := range map[string]string{
		"preemption": host.Preemption, "scheduler": host.Scheduler, "clocksource": host.Clocksource, "smt": host.SMT, "governor": host.Governor,
	} {
		if w.base[name] == "" {
			w.base[name] = value
		}
	}
	return w
}

// Begin adds who else uses the tracer's hooks, and returns the settings with
// which the run begins. Those that the fingerprint has are not among them.
func (w *SettingsWatch) Begin(t Tracer, recording bool) report.Settings {
	w.tracer = t
	// In a function where somebody else's was before, ours is not the only one.
	if own, ok := strings.CutPrefix(t.SwitchHook(), "kprobe:"); ok && !slices.Contains(strings.Fields(w.base["probed_functions"]), own) {
		w.reader.ownProbe = own
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

// ask adds what only the kernel's own structures tell, through the tracer.
func (w *SettingsWatch) ask(values report.Settings) {
	use := w.tracer.HookUse()
	for name, value := range map[string]string{
		"other_tracers": use.Tracers, "lifecycle_tracers": use.LifecycleTracers, "syscall_work": use.Syscalls,
	} {
		if value != "" {
			values[name] = value
		}
	}
	// Programs count their runs only while the kernel keeps statistics of them, for
	// whoever asked it to, and for however short a time.
	if use.Runs > w.hooks.Runs {
		values["bpf_stats"] = "on"
	}
	w.hooks = use
}

// moment is what holds at one end of a trial.
type moment struct {
	settings   report.Settings
	throttling *report.Throttling
	workers    []workerState
}

// workerState is what others can do to a worker.
type workerState struct {
	tid      int
	affinity string
	policy   string
}

func (w *SettingsWatch) now(tids []int) moment {
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

// suspended is for how long the machine has slept since boot: what CLOCK_BOOTTIME
// counts and CLOCK_MONOTONIC does not.
func suspended() string {
	var with, without unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &without) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &with) != nil {
		return ""
	}
	// Between the two calls some time passes; what is shorter is no sleep.
	const grain = 100e6
	return strconv.FormatInt((with.Nano()-without.Nano())/grain*(grain/1e6), 10)
}

func (w *SettingsWatch) stateOf(tid int) workerState {
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

// Start notes what holds before a trial's gate opens for the workers.
func (w *SettingsWatch) Start(workers []int) { w.start = w.now(workers) }

// Stop adds to a trial that has ended what was otherwise than at the beginning of
// the run, what changed of its workers, and what a quota did.
func (w *SettingsWatch) Stop(t *report.Trial) {
	var tids []int
	for _, worker := range w.start.workers {
		tids = append(tids, worker.tid)
	}
	end := w.now(tids)
	t.Settings = append(w.differences(w.start.settings, end.settings), workerChanges(w.start.workers, end.workers)...)
	if then, now := w.start.throttling, end.throttling; now != nil {
		if then == nil {
			then = &report.Throttling{}
		}
		// A group that this process has been moved to has a past of its own.
		if now.Times >= then.Times && now.NS >= then.NS {
			t.Throttling = &report.Throttling{Times: now.Times - then.Times, NS: now.NS - then.NS}
		}
	}
}

// differences returns what was not as at the beginning of the run at one of two
// moments. What has no value from then must differ between the two.
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

// workerChanges tells what became of those workers that there still are.
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

// tally lists the different values, with how many workers have each.
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

// End returns what is not as at the beginning now that the run is over.
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
