package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings are what moves figures beside the host and what was asked for, by
// name: how the tool and the work that it starts are scheduled, what the kernel is
// told to do meanwhile, who else traces. A name that is absent was not read.
type Settings map[string]string

// SettingChange is a setting, or a part of the host, between two moments.
type SettingChange struct {
	Name  string `json:"name"`
	Start string `json:"start"`
	End   string `json:"end"`
}

// Throttling is how often a CPU quota held tasks of the cgroup back, and for how
// long, summed over cores.
type Throttling struct {
	Times uint64 `json:"times"`
	NS    int64  `json:"ns"`
}

// kindOfSetting says what is made of a setting.
type kindOfSetting struct {
	name string
	// usual is what goes without saying, "" where each machine has its own.
	usual string
	// words says that the value is a list of words, of which a comparison shows
	// only those that differ.
	words bool
	// warning is a sentence for any other value than the usual, "" for none.
	warning string
}

// kindsOfSettings are in the order in which settings are shown. One that is not
// among them, as of a later version, is compared and shown all the same.
func kindsOfSettings() []kindOfSetting {
	const tracers = "other tracers were on the way of a switch, and what they cost is inside its phases: %s"
	const probes = "somebody had probes in functions on the way of a switch, and what they cost is inside its phases: %s"
	return []kindOfSetting{
		{name: "recording", usual: "off"},
		{name: "other_tracers", usual: none, warning: tracers},
		{name: "lifecycle_tracers", usual: none},
		{name: "probed_functions", usual: none, warning: probes},
		{name: "bpf_stats", usual: "off", warning: "kernel.bpf_stats_enabled is %s: each of the tracer's programs takes longer, and so do the phases"},
		{name: "policy", usual: "SCHED_OTHER", warning: "the work was started under %s, not under SCHED_OTHER as usual: it shares cores, preempts and waits by that policy's rules"},
		{name: "nice", usual: "0"},
		{name: "slice_ns"},
		{name: "uclamp", usual: "0-1024"},
		{name: "core_scheduling", usual: "off"},
		{name: "timer_slack_ns", usual: "50000"},
		{name: "affinity"},
		{name: "memory_nodes"},
		{name: "cpu_quota", usual: none},
		{name: "cpu_groups"},
		{name: "autogroup"},
		{name: "rt_runtime_us"},
		{name: "syscall_work", usual: none, warning: "each system call of the work took longer, for there was more to do at it: %s"},
		{name: "seccomp", usual: "off"},
		{name: "ptrace", usual: "off", warning: "ptrace was %s for slicetrace itself: who traces it stops it, and may stop the work"},
		{name: "speculation"},
		{name: "online_cores"},
		{name: "isolated_cores", usual: none},
		{name: "nohz_full_cores", usual: none},
		{name: "boost"},
		{name: "energy_preference"},
		{name: "max_frequency_khz"},
		{name: "idle_driver"},
		{name: "idle_governor"},
		{name: "platform_profile"},
		{name: "power_supply"},
		{name: "sched_features", words: true},
		{name: "sched_tunables"},
		{name: "sched_schedstats", usual: "0"},
		{name: "task_delayacct", usual: "0"},
		{name: "timer_migration"},
		{name: "energy_aware"},
		{name: "numa_balancing"},
		{name: "huge_pages"},
		{name: "psi"},
		{name: "nmi_watchdog"},
		{name: "bpf_jit", usual: "1"},
		{name: "bpf_jit_harden", usual: "0"},
		{name: "microcode"},
		{name: "kernel_build"},
	}
}

// none is the value of a setting that lists things when there are none.
const none = "none"

// inOrder returns the names of settings in the order in which they are shown.
func (s Settings) inOrder() []kindOfSetting {
	var out []kindOfSetting
	left := maps.Clone(s)
	for _, kind := range kindsOfSettings() {
		if _, ok := left[kind.name]; ok {
			out = append(out, kind)
			delete(left, kind.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		out = append(out, kindOfSetting{name: name})
	}
	return out
}

// unusual lists the settings that do not go without saying.
func (s Settings) unusual() []string {
	var out []string
	for _, kind := range s.inOrder() {
		if value := s[kind.name]; kind.usual != "" && value != kind.usual {
			out = append(out, spaced(kind.name)+" "+value)
		}
	}
	return out
}

func (s Settings) pairs() []pair {
	var out []pair
	for _, kind := range s.inOrder() {
		out = append(out, pair{kind.name, free(s[kind.name])})
	}
	return out
}

// settingWarnings say what of the settings distorts figures, and what did not stay
// as it was at the beginning, naming the trials.
func (r *Report) settingWarnings() []string {
	var out []string
	for _, kind := range r.Settings.inOrder() {
		if value := r.Settings[kind.name]; kind.warning != "" && value != kind.usual {
			out = append(out, fmt.Sprintf(kind.warning, value))
		}
	}
	out = append(out, r.throttlingWarnings()...)
	return append(out, r.changeWarnings()...)
}

// throttlingWarnings say for how long a quota held the work back.
func (r *Report) throttlingWarnings() []string {
	var sum Throttling
	trials := 0
	for i := range r.Trials {
		if held := r.Trials[i].Throttling; held != nil && held.Times > 0 {
			sum.Times += held.Times
			sum.NS += held.NS
			trials++
		}
	}
	if trials == 0 {
		return nil
	}
	quota := r.Settings["cpu_quota"]
	if quota == "" || quota == none {
		quota = "set meanwhile"
	}
	return []string{fmt.Sprintf("the CPU quota of the cgroup (%s) held tasks back %s, for %s of core time, in %d of %s: rates and shares are the quota's as much as the machine's",
		quota, times(sum.Times), Of(float64(sum.NS), Nanoseconds), trials, plural(len(r.Trials), "trial"))}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// drift is what became of one setting after the beginning of a run.
type drift struct {
	name, began string
	values      []string // others than began, in the order in which they came
	trials      []string // those that met one of them
	inside      string   // where it changed within one trial that names no beginning
}

// drifts returns the settings that did not stay, in the order in which they changed.
func (r *Report) drifts() []*drift {
	var list []*drift
	find := func(name string) *drift {
		for _, d := range list {
			if d.name == name {
				return d
			}
		}
		d := &drift{name: name}
		if value, ok := r.Settings[name]; ok {
			d.began = value
		} else {
			i := slices.IndexFunc(r.Host.pairs(), func(p pair) bool { return p.name == name })
			if i >= 0 {
				d.began = r.Host.pairs()[i].value.Text
			}
		}
		list = append(list, d)
		return d
	}
	for i := range r.Trials {
		for _, c := range r.Trials[i].Settings {
			d := find(c.Name)
			d.add(c.Start, c.End)
			d.trials = append(d.trials, r.Trials[i].label())
			if d.began == "" && d.inside == "" {
				d.inside = fmt.Sprintf("%s, then %s in %s", orDash(c.Start), orDash(c.End), r.Trials[i].label())
			}
		}
	}
	for _, c := range r.SettingsAtEnd {
		find(c.Name).add(c.End)
	}
	return list
}

func (d *drift) add(values ...string) {
	for _, v := range values {
		if v != d.began && !slices.Contains(d.values, v) {
			d.values = append(d.values, v)
		}
	}
}

// changeWarnings has a sentence for each setting that did not stay.
func (r *Report) changeWarnings() []string {
	var out []string
	for _, d := range r.drifts() {
		name := spaced(d.name)
		switch {
		case d.inside != "":
			more := ""
			if n := len(d.trials) - 1; n > 0 {
				more = fmt.Sprintf(" (and others in %s)", plural(n, "more trial"))
			}
			out = append(out, fmt.Sprintf("%s changed while work ran: %s%s", name, d.inside, more))
		case len(d.trials) == 0:
			out = append(out, fmt.Sprintf("%s was %s when the run began and %s at its end", name, orDash(d.began), strings.Join(d.values, ", ")))
		default:
			out = append(out, fmt.Sprintf("%s changed: %s at the beginning, %s in %d of %s (%s)", name, orDash(d.began),
				strings.Join(d.values, ", "), len(d.trials), plural(len(r.Trials), "trial"), listed(d.trials, 4)))
		}
	}
	return out
}

// label names a trial in a sentence.
func (t *Trial) label() string {
	name := load{name: t.Workload, variant: t.Variant}.title()
	if t.Mode == Command {
		return name
	}
	return fmt.Sprintf("%s in %s, round %d", name, t.Mode, t.Round)
}

func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

func (t *Throttling) fields() []Field {
	if t == nil {
		return []Field{absent(), absent()}
	}
	return []Field{integer(t.Times), integer(t.NS)}
}

// changed names the settings that were not as at the beginning of the run.
func (t *Trial) changed() Field {
	var names []string
	for _, c := range t.Settings {
		names = append(names, c.Name)
	}
	return free(strings.Join(names, " "))
}
