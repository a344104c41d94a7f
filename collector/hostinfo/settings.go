package hostinfo

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report"
)

// reading is how one setting is read. Its value is "" if it cannot be read, or if this
// kernel has no such setting. It never guesses.
type reading struct {
	name string
	// often says that it can change during a run, and takes at most a small file to read. It
	// is read at both ends of each trial, the other settings at both ends of the run.
	often bool
	of    func(*settingsReader) string
}

// readings lists what figures depend on. First come the parts of the host that can change,
// under their names in the fingerprint, then what only the settings have. report.Settings
// tells how each is used.
func readings() []reading {
	return []reading{
		{"preemption", true, func(r *settingsReader) string { return chosenPreemption(r.tree) }},
		{"scheduler", true, func(r *settingsReader) string { return scheduler(r.tree, r.kernel) }},
		{"base_slice_ns", true, (*settingsReader).baseSlice},
		{"clocksource", true, file(clocksourceDir + "/current_clocksource")},
		{"smt", true, func(r *settingsReader) string { return smt(r.tree) }},
		{"governor", true, file(cpuDir + "/cpu0/cpufreq/scaling_governor")},

		{"policy", true, func(r *settingsReader) string { return r.own().policy() }},
		{"nice", true, func(r *settingsReader) string { return r.own().nice() }},
		{"slice_ns", true, func(r *settingsReader) string { return r.own().slice() }},
		{"uclamp", false, func(r *settingsReader) string { return r.own().clamp() }},
		{"core_scheduling", false, func(r *settingsReader) string { return r.tasks.coreScheduling() }},
		{"timer_slack_ns", false, file("proc/self/timerslack_ns")},
		{"affinity", true, status("Cpus_allowed_list")},
		{"memory_nodes", true, status("Mems_allowed_list")},
		{"cpu_quota", true, func(r *settingsReader) string { return r.group.quota() }},
		{"cpu_groups", true, func(r *settingsReader) string { return r.group.weights() }},
		{"autogroup", true, (*settingsReader).autogroup},
		{"rt_runtime_us", true, (*settingsReader).realTime},
		{"seccomp", false, func(r *settingsReader) string {
			return choice(r.status("Seccomp"), map[string]string{"0": "off", "1": "strict", "2": "filter"})
		}},
		{"ptrace", true, func(r *settingsReader) string {
			if pid := r.status("TracerPid"); pid == "" || pid == "0" {
				return choice(pid, map[string]string{"0": "off"})
			}
			return "on"
		}},
		{"speculation", false, (*settingsReader).speculation},

		{"bpf_stats", true, onOff("proc/sys/kernel/bpf_stats_enabled")},
		{"probed_functions", false, (*settingsReader).probedFunctions},
		{"bpf_jit", false, file("proc/sys/net/core/bpf_jit_enable")},
		{"bpf_jit_harden", false, file("proc/sys/net/core/bpf_jit_harden")},

		{"online_cores", true, file(cpuDir + "/online")},
		{"isolated_cores", true, listOr(cpuDir + "/isolated")},
		{"nohz_full_cores", false, listOr(cpuDir + "/nohz_full")},
		{"boost", true, (*settingsReader).boost},
		{"energy_preference", true, file(cpuDir + "/cpu0/cpufreq/energy_performance_preference")},
		{"max_frequency_khz", true, file(cpuDir + "/cpu0/cpufreq/scaling_max_freq")},
		{"idle_driver", false, file(cpuDir + "/cpuidle/current_driver")},
		{"idle_governor", false, file(cpuDir + "/cpuidle/current_governor")},
		{"platform_profile", true, file("sys/firmware/acpi/platform_profile")},
		{"power_supply", false, (*settingsReader).powerSupply},
		{"microcode", false, func(r *settingsReader) string {
			return field(r.tree.lines("proc/cpuinfo"), "microcode")
		}},
		{"kernel_build", false, func(r *settingsReader) string { return r.kernel.version }},

		{"sched_features", true, file(schedDebugDir + "/features")},
		{"sched_tunables", true, (*settingsReader).tunables},
		{"sched_schedstats", false, file("proc/sys/kernel/sched_schedstats")},
		{"task_delayacct", false, file("proc/sys/kernel/task_delayacct")},
		{"timer_migration", false, file("proc/sys/kernel/timer_migration")},
		{"energy_aware", false, file("proc/sys/kernel/sched_energy_aware")},
		{"numa_balancing", true, file("proc/sys/kernel/numa_balancing")},
		{"nmi_watchdog", false, file("proc/sys/kernel/nmi_watchdog")},
		{"huge_pages", true, func(r *settingsReader) string {
			return bracketed(r.tree.text("sys/kernel/mm/transparent_hugepage/enabled"))
		}},
		{"psi", false, (*settingsReader).pressure},
	}
}

// settingsReader reads the settings of this process and of the machine.
type settingsReader struct {
	tree   sysTree
	kernel kernelID
	tasks  taskSettings
	mounts cgroup.Mounts
	// ownProbes are the functions that only this process's tracer probes.
	ownProbes []string
	// selfStatus are the lines of /proc/self/status, and group the control groups of this
	// process, both as of the last read.
	selfStatus []string
	group      cpuGroups
}

func newSettingsReader() *settingsReader {
	tree := sysTree{os.DirFS("/")}
	return &settingsReader{tree: tree, kernel: thisKernel(), tasks: ownTask(), mounts: groupMounts(tree)}
}

// readAll returns all settings.
func (r *settingsReader) readAll() report.Settings {
	return r.read(func(reading) bool { return true })
}

// readOften returns the settings that are read often and had a value before: a machine does
// not get a setting that it did not have a moment ago.
func (r *settingsReader) readOften(before report.Settings) report.Settings {
	return r.read(func(s reading) bool { return s.often && before[s.name] != "" })
}

func (r *settingsReader) read(wanted func(reading) bool) report.Settings {
	r.selfStatus, r.group = r.tree.lines("proc/self/status"), r.groups()
	all := make(report.Settings)
	for _, reading := range readings() {
		if !wanted(reading) {
			continue
		}
		if value := reading.of(r); value != "" {
			all[reading.name] = value
		}
	}
	return all
}

// file reads a file of one value.
func file(name string) func(*settingsReader) string {
	return func(r *settingsReader) string { return r.tree.text(name) }
}

func status(name string) func(*settingsReader) string {
	return func(r *settingsReader) string { return r.status(name) }
}

func onOff(name string) func(*settingsReader) string {
	return func(r *settingsReader) string {
		return choice(r.tree.text(name), map[string]string{"0": "off", "1": "on"})
	}
}

// listOr reads a list of cores from a file that is empty if there are none: then it is "none".
func listOr(name string) func(*settingsReader) string {
	return func(r *settingsReader) string {
		list := r.tree.text(name)
		switch {
		case list == "" && !r.tree.readable(name):
			return ""
		case list == "" || list == "(null)":
			return "none"
		}
		return list
	}
}

// choice translates a value, and keeps one that it does not know.
func choice(value string, words map[string]string) string {
	if word, ok := words[value]; ok {
		return word
	}
	return value
}

// bracketed returns the word in brackets, as in "always [madvise] never".
func bracketed(words string) string {
	_, rest, _ := strings.Cut(words, "[")
	word, _, _ := strings.Cut(rest, "]")
	return word
}

// field returns the value of one of several lines "name: value".
func field(lines []string, name string) string {
	for _, line := range lines {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *settingsReader) status(name string) string { return field(r.selfStatus, name) }

func (r *settingsReader) baseSlice() string {
	if ns := baseSlice(r.tree); ns != nil {
		return strconv.FormatInt(*ns, 10)
	}
	return ""
}

// autogroup tells whether sessions share cores before their tasks do, and which nice level
// this session has.
func (r *settingsReader) autogroup() string {
	on := choice(r.tree.text("proc/sys/kernel/sched_autogroup_enabled"), map[string]string{"0": "off", "1": "on"})
	if _, nice, ok := strings.Cut(r.tree.text("proc/self/autogroup"), " nice "); ok && on == "on" && nice != "0" {
		return "on, nice " + nice
	}
	return on
}

// realTime returns how much of each period real-time tasks may have.
func (r *settingsReader) realTime() string {
	runtime := r.tree.text("proc/sys/kernel/sched_rt_runtime_us")
	period := r.tree.text("proc/sys/kernel/sched_rt_period_us")
	switch {
	case runtime == "" || period == "":
		return ""
	case runtime == "-1":
		return "unlimited"
	}
	return runtime + " of " + period
}

// speculation tells which kinds of speculation are switched off for this process.
func (r *settingsReader) speculation() string {
	var parts []string
	for _, name := range []string{"Speculation_Store_Bypass", "SpeculationIndirectBranch"} {
		if value := r.status(name); value != "" {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, "; ")
}

// boost tells whether cores may go beyond their nominal frequency.
func (r *settingsReader) boost() string {
	words := map[string]string{"0": "off", "1": "on"}
	if value := r.tree.text(cpuDir + "/cpufreq/boost"); value != "" {
		return choice(value, words)
	}
	return choice(r.tree.text(cpuDir+"/intel_pstate/no_turbo"), map[string]string{"0": "on", "1": "off"})
}

// powerSupply tells whether a machine with a mains plug runs on mains or on its battery.
func (r *settingsReader) powerSupply() string {
	const dir = "sys/class/power_supply"
	entries, err := fs.ReadDir(r.tree, dir)
	if err != nil {
		return ""
	}
	found := ""
	for _, entry := range entries {
		if r.tree.text(path.Join(dir, entry.Name(), "type")) != "Mains" {
			continue
		}
		if r.tree.text(path.Join(dir, entry.Name(), "online")) == "1" {
			return "mains"
		}
		found = "battery"
	}
	return found
}

// tunables returns the scheduler's tunables by name. Which there are depends on the kernel.
func (r *settingsReader) tunables() string {
	var parts []string
	for _, name := range []string{
		"tunable_scaling", "migration_cost_ns", "nr_migrate", "latency_ns", "wakeup_granularity_ns",
		"idle_min_granularity_ns", "verbose",
	} {
		if value := r.tree.text(schedDebugDir + "/" + name); value != "" {
			parts = append(parts, fmt.Sprintf("%s=%s", name, value))
		}
	}
	return strings.Join(parts, " ")
}

// pressure tells whether the kernel accounts for pressure stalls, at each switch.
func (r *settingsReader) pressure() string {
	if _, err := fs.Stat(r.tree, "proc/pressure/cpu"); err == nil {
		return "on"
	}
	if _, err := fs.Stat(r.tree, "proc/self"); err != nil {
		return ""
	}
	return "off"
}
