package report

import (
	"maps"
	"slices"
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

// SettingKind says what is made of a setting.
type SettingKind struct {
	Name string
	// Usual is what goes without saying, "" where each machine has its own.
	Usual string
	// Words says that the value is a list of words, of which a comparison shows
	// only those that differ.
	Words bool
	// Warning is a sentence for any other value than the usual, "" for none. It has one
	// %s, for the value, or no verb.
	Warning string
}

// settingKinds are in the order in which settings are shown. One that is not
// among them, as of a later version, is compared and shown all the same.
func settingKinds() []SettingKind {
	const tracers = "other tracers were on the way of a switch, and what they cost is inside its phases: %s"
	const probes = "somebody had probes in functions on the way of a switch, and what they cost is inside its phases: %s"
	return []SettingKind{
		{Name: "recording", Usual: "off"},
		{Name: "other_tracers", Usual: NoSetting, Warning: tracers},
		{Name: "lifecycle_tracers", Usual: NoSetting},
		{Name: "probed_functions", Usual: NoSetting, Warning: probes},
		{Name: "bpf_stats", Usual: "off", Warning: "kernel.bpf_stats_enabled is %s: each of the tracer's programs takes longer, and so do the phases"},
		{Name: "policy", Usual: "SCHED_OTHER", Warning: "the work was started under %s, not under SCHED_OTHER as Usual: it shares cores, preempts and waits by that policy's rules"},
		{Name: "nice", Usual: "0"},
		{Name: "slice_ns"},
		{Name: "uclamp", Usual: "0-1024"},
		{Name: "core_scheduling", Usual: "off"},
		{Name: "timer_slack_ns", Usual: "50000"},
		{Name: "affinity"},
		{Name: "memory_nodes"},
		{Name: "cpu_quota", Usual: NoSetting},
		{Name: "cpu_groups"},
		{Name: "autogroup"},
		{Name: "rt_runtime_us"},
		{Name: "syscall_work", Usual: NoSetting, Warning: "each system call of the work took longer, for there was more to do at it: %s"},
		{Name: "seccomp", Usual: "off"},
		{Name: "ptrace", Usual: "off", Warning: "ptrace was %s for slicetrace itself: who traces it stops it, and may stop the work"},
		{Name: "speculation"},
		{Name: "online_cores"},
		{Name: "isolated_cores", Usual: NoSetting},
		{Name: "nohz_full_cores", Usual: NoSetting},
		{Name: "boost"},
		{Name: "energy_preference"},
		{Name: "max_frequency_khz"},
		{Name: "idle_driver"},
		{Name: "idle_governor"},
		{Name: "platform_profile"},
		{Name: "power_supply"},
		{Name: "sched_features", Words: true},
		{Name: "sched_tunables"},
		{Name: "sched_schedstats", Usual: "0"},
		{Name: "task_delayacct", Usual: "0"},
		{Name: "timer_migration"},
		{Name: "energy_aware"},
		{Name: "numa_balancing"},
		{Name: "huge_pages"},
		{Name: "psi"},
		{Name: "nmi_watchdog"},
		{Name: "bpf_jit", Usual: "1"},
		{Name: "bpf_jit_harden", Usual: "0"},
		{Name: "microcode"},
		{Name: "kernel_build"},
	}
}

// NoSetting is the value of a setting that lists things when there are none.
const NoSetting = "none"

// InOrder returns the kinds of the settings in the order in which they are shown.
func (s Settings) InOrder() []SettingKind {
	var out []SettingKind
	left := maps.Clone(s)
	for _, kind := range settingKinds() {
		if _, ok := left[kind.Name]; ok {
			out = append(out, kind)
			delete(left, kind.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		out = append(out, SettingKind{Name: name})
	}
	return out
}
