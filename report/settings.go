package report

import (
	"maps"
	"slices"
)

// Settings are what influences figures besides the host and what was asked for, by name: how
// slicetrace and the work that it starts are scheduled, settings of the kernel, other tracers. A
// setting that could not be read is absent.
type Settings map[string]string

// SettingChange is the value of a setting, or of a property of the host, at two moments.
type SettingChange struct {
	Name  string `json:"name"`
	Start string `json:"start"`
	End   string `json:"end"`
}

// Throttling is how often a CPU quota kept tasks of the cgroup from running, and for how long,
// added up over cores.
type Throttling struct {
	Times uint64 `json:"times"`
	NS    int64  `json:"ns"`
}

// SettingKind describes how a setting is shown and compared.
type SettingKind struct {
	Name string
	// Usual is the value that need not be mentioned, "" if each machine has its own.
	Usual string
	// Words is true if the value is a list of words. A comparison shows only those that differ.
	Words bool
	// Warning is a sentence for any value other than the usual one, "" for no warning. It may have
	// one %s for the value.
	Warning string
	// Change says what follows if the value changed during a run, "" for what is true of any setting.
	Change string
}

// ChangeOf says what follows from a change of a setting during a run.
func ChangeOf(name string) string {
	kinds := settingKinds()
	i := slices.IndexFunc(kinds, func(k SettingKind) bool { return k.Name == name && k.Change != "" })
	if i < 0 {
		return "figures under one value do not show what they would be under another"
	}
	return kinds[i].Change
}

// settingKinds are in the order in which settings are shown. A setting that is not listed, for
// example of a later version, is compared and shown too.
func settingKinds() []SettingKind {
	const tracers = "other tracers were active at switches; their cost is inside the phases: %s"
	const traced = "a switch costs more while others trace it"
	const probes = "another program had probes in functions that run at a switch; their cost is inside the phases: %s"
	const stats = "kernel.bpf_stats_enabled is %s: each of slicetrace's programs takes longer, and so do the phases"
	const policy = "the work was started under %s, not under SCHED_OTHER as usual: " +
		"it shares cores, preempts and waits by that policy's rules"
	const syscalls = "each system call of the work took longer because of additional work in it: %s"
	const ptrace = "ptrace was %s for slicetrace itself: the program that traces it stops it, and may stop the work"
	return []SettingKind{
		{Name: "recording", Usual: "off"},
		{Name: "other_tracers", Usual: NoSetting, Warning: tracers, Change: traced},
		{Name: "lifecycle_tracers", Usual: NoSetting},
		{Name: "probed_functions", Usual: NoSetting, Warning: probes, Change: traced},
		{Name: "bpf_stats", Usual: "off", Warning: stats,
			Change: "slicetrace's programs take longer while it is on, and so do the phases"},
		{Name: "policy", Usual: "SCHED_OTHER", Warning: policy},
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
		{Name: "syscall_work", Usual: NoSetting, Warning: syscalls},
		{Name: "seccomp", Usual: "off"},
		{Name: "ptrace", Usual: "off", Warning: ptrace},
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

// NoSetting is the value of a setting that lists things if there are none.
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
