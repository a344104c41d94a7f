package hostinfo

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

const (
	v1Mounts = "25 20 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	v2Mounts = "25 20 0:30 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
)

// settingCase is the value that is to be read of one setting.
type settingCase struct {
	name  string
	want  string // "" where nothing can be known
	files map[string]string
	attr  *unix.SchedAttr
}

// settingCases has a case for each file, and for each answer of the kernel.
func settingCases() []settingCase {
	return slices.Concat(schedulingCases(), groupCases(), machineCases())
}

// schedulingCases are how this process is scheduled and what it may do.
func schedulingCases() []settingCase {
	attr := func(a unix.SchedAttr) *unix.SchedAttr { return &a }
	return []settingCase{
		{"policy", "SCHED_OTHER", nil, attr(unix.SchedAttr{})},
		{"policy", "SCHED_BATCH", nil, attr(unix.SchedAttr{Policy: unix.SCHED_BATCH})},
		{"policy", "SCHED_IDLE", nil, attr(unix.SchedAttr{Policy: unix.SCHED_IDLE})},
		{"policy", "SCHED_FIFO 1", nil, attr(unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1})},
		{
			"policy", "SCHED_RR 99, reset on fork", nil,
			attr(unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 99, Flags: unix.SCHED_FLAG_RESET_ON_FORK}),
		},
		{
			"policy", "SCHED_DEADLINE 1000 of 5000 ns", nil,
			attr(unix.SchedAttr{Policy: unix.SCHED_DEADLINE, Runtime: 1000, Period: 5000}),
		},
		{"policy", "SCHED_EXT", nil, attr(unix.SchedAttr{Policy: 7})},
		{"policy", "policy 8", nil, attr(unix.SchedAttr{Policy: 8})},
		{"policy", "", nil, nil},
		{"nice", "19", nil, attr(unix.SchedAttr{Nice: 19})},
		{"nice", "-5", nil, attr(unix.SchedAttr{Nice: -5})},
		{"slice_ns", "3000000", nil, attr(unix.SchedAttr{Runtime: 3_000_000})},
		{"slice_ns", "", nil, attr(unix.SchedAttr{Policy: unix.SCHED_DEADLINE, Runtime: 1000})},
		{"uclamp", "0-512", nil, attr(unix.SchedAttr{Util_max: 512})},
		{"uclamp", "", nil, attr(unix.SchedAttr{})},
		{"timer_slack_ns", "1000000", map[string]string{"proc/self/timerslack_ns": "1000000"}, nil},
		{"affinity", "0,2-3", map[string]string{"proc/self/status": "Name:\tx\nCpus_allowed_list:\t0,2-3\n"}, nil},
		{"memory_nodes", "1", map[string]string{"proc/self/status": "Mems_allowed_list:\t1\n"}, nil},
		{"autogroup", "off", map[string]string{
			"proc/sys/kernel/sched_autogroup_enabled": "0",
			"proc/self/autogroup":                     "/autogroup-9 nice 5",
		}, nil},
		{"autogroup", "on", map[string]string{
			"proc/sys/kernel/sched_autogroup_enabled": "1",
			"proc/self/autogroup":                     "/autogroup-9 nice 0",
		}, nil},
		{"autogroup", "on, nice 5", map[string]string{
			"proc/sys/kernel/sched_autogroup_enabled": "1",
			"proc/self/autogroup":                     "/autogroup-9 nice 5",
		}, nil},
		{"rt_runtime_us", "950000 of 1000000", map[string]string{
			"proc/sys/kernel/sched_rt_runtime_us": "950000",
			"proc/sys/kernel/sched_rt_period_us":  "1000000",
		}, nil},
		{"rt_runtime_us", "unlimited", map[string]string{
			"proc/sys/kernel/sched_rt_runtime_us": "-1",
			"proc/sys/kernel/sched_rt_period_us":  "1000000",
		}, nil},
		{"seccomp", "filter", map[string]string{"proc/self/status": "Seccomp:\t2\n"}, nil},
		{"ptrace", "on", map[string]string{"proc/self/status": "TracerPid:\t77\n"}, nil},
		{"ptrace", "off", map[string]string{"proc/self/status": "TracerPid:\t0\n"}, nil},
		{"speculation", "thread force mitigated; conditional disabled", map[string]string{
			"proc/self/status": "Speculation_Store_Bypass:\tthread force mitigated\n" +
				"SpeculationIndirectBranch:\tconditional disabled\n",
		}, nil},
	}
}

// groupCases are the control groups' limits and weights.
func groupCases() []settingCase {
	return []settingCase{
		{"cpu_quota", "50ms of each 1s", map[string]string{
			"proc/self/mountinfo": v1Mounts, "proc/self/cgroup": "9:pids:/\n4:cpu,cpuacct:/q\n0::/\n",
			"sys/fs/cgroup/cpu/q/cpu.cfs_quota_us": "50000", "sys/fs/cgroup/cpu/q/cpu.cfs_period_us": "1000000",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
		}, nil},
		{"cpu_quota", "20ms of each 100ms", map[string]string{ // an ancestor's is the tighter
			"proc/self/mountinfo": v2Mounts, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max": "max 100000", "sys/fs/cgroup/a/cpu.max": "20000 100000",
		}, nil},
		{"cpu_quota", "none", map[string]string{
			"proc/self/mountinfo":     v2Mounts,
			"proc/self/cgroup":        "0::/a\n",
			"sys/fs/cgroup/a/cpu.max": "max 100000",
		}, nil},
		{"cpu_quota", "30ms of each 100ms", map[string]string{ // a container's part of the host's groups
			"proc/self/mountinfo":                 "1 2 0:3 /docker/x /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
			"proc/self/cgroup":                    "4:cpu:/docker/x\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "30000",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
		}, nil},
		{"cpu_quota", "", map[string]string{"proc/self/mountinfo": "", "proc/self/cgroup": "0::/a\n"}, nil},
		{"cpu_groups", "100 %, 50 %", map[string]string{
			"proc/self/mountinfo":          v2Mounts,
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/cpu.weight":   "100",
			"sys/fs/cgroup/a/b/cpu.weight": "50",
		}, nil},
		{"cpu_groups", "200 %", map[string]string{
			"proc/self/mountinfo":            v1Mounts,
			"proc/self/cgroup":               "4:cpu,cpuacct:/q\n",
			"sys/fs/cgroup/cpu/cpu.shares":   "1024",
			"sys/fs/cgroup/cpu/q/cpu.shares": "2048",
		}, nil},
		{"cpu_groups", "idle", map[string]string{
			"proc/self/mountinfo":        v2Mounts,
			"proc/self/cgroup":           "0::/a\n",
			"sys/fs/cgroup/a/cpu.weight": "1",
			"sys/fs/cgroup/a/cpu.idle":   "1",
		}, nil},
		{"cpu_groups", "none", map[string]string{"proc/self/mountinfo": v2Mounts, "proc/self/cgroup": "0::/\n"}, nil},
	}
}

// machineCases are the settings of the machine.
func machineCases() []settingCase {
	return []settingCase{
		{"preemption", "lazy", map[string]string{"sys/kernel/debug/sched/preempt": "full (lazy)"}, nil},
		{"preemption", "", nil, nil},
		{"clocksource", "hpet", map[string]string{clocksourceDir + "/current_clocksource": "hpet"}, nil},
		{"governor", "powersave", map[string]string{cpuDir + "/cpu0/cpufreq/scaling_governor": "powersave"}, nil},
		{"base_slice_ns", "2800000", map[string]string{"sys/kernel/debug/sched/base_slice_ns": "2800000"}, nil},
		{"bpf_stats", "on", map[string]string{"proc/sys/kernel/bpf_stats_enabled": "1"}, nil},
		{"bpf_jit", "0", map[string]string{"proc/sys/net/core/bpf_jit_enable": "0"}, nil},
		{"probed_functions", "finish_task_switch.isra.0 try_to_wake_up", map[string]string{
			"sys/kernel/debug/kprobes/list": "ffffffff8110b5b0  k  finish_task_switch.isra.0+0x0    [FTRACE]\n" +
				"ffffffff8110b5b0  k  do_wait+0x0\n" +
				"ffff  k  __schedule+0x0  [DISABLED]\n",
			"sys/kernel/tracing/enabled_functions": "try_to_wake_up (1) R I \ttramp: 0xffffffffc0\nvfs_read (1) R\n",
		}, nil},
		{"probed_functions", "none", map[string]string{"sys/kernel/debug/kprobes/list": ""}, nil},
		{"probed_functions", "", nil, nil},
		{"online_cores", "0,2", map[string]string{cpuDir + "/online": "0,2"}, nil},
		{"isolated_cores", "none", map[string]string{cpuDir + "/isolated": "\n"}, nil},
		{"isolated_cores", "1", map[string]string{cpuDir + "/isolated": "1\n"}, nil},
		{"isolated_cores", "", nil, nil},
		{"nohz_full_cores", "none", map[string]string{cpuDir + "/nohz_full": "(null)\n"}, nil},
		{"boost", "off", map[string]string{cpuDir + "/cpufreq/boost": "0"}, nil},
		{"boost", "off", map[string]string{cpuDir + "/intel_pstate/no_turbo": "1"}, nil},
		{"power_supply", "battery", map[string]string{
			"sys/class/power_supply/AC/type":   "Mains",
			"sys/class/power_supply/AC/online": "0",
		}, nil},
		{"power_supply", "", map[string]string{"sys/class/power_supply/BAT0/type": "Battery"}, nil},
		{"microcode", "0x100", map[string]string{
			"proc/cpuinfo": "processor\t: 0\nmicrocode\t: 0x100\n\nprocessor\t: 1\nmicrocode\t: 0x100\n",
		}, nil},
		{"kernel_build", "#1 SMP 2026", nil, nil},
		{"sched_features", "PLACE_LAG NO_HRTICK", map[string]string{
			"sys/kernel/debug/sched/features": "PLACE_LAG NO_HRTICK \n",
		}, nil},
		{"sched_tunables", "migration_cost_ns=500000 nr_migrate=32", map[string]string{
			"sys/kernel/debug/sched/migration_cost_ns": "500000",
			"sys/kernel/debug/sched/nr_migrate":        "32",
		}, nil},
		{"huge_pages", "madvise", map[string]string{
			"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
		}, nil},
		{"psi", "on", map[string]string{"proc/pressure/cpu": "some avg10=0.00"}, nil},
		{"psi", "off", map[string]string{"proc/self/status": ""}, nil},
	}
}

// How compare and reports use settings is tested in package report, by TestSettings.
func TestSettings(t *testing.T) {
	for _, c := range settingCases() {
		files := fstest.MapFS{}
		for name, text := range c.files {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := fakeReader(files, c.attr).readAll()[c.name]; got != c.want {
			t.Errorf("%s of %v is %q, want %q", c.name, c.files, got, c.want)
		}
	}
}

func fakeReader(files fstest.MapFS, attr *unix.SchedAttr) *settingsReader {
	tree := sysTree{files}
	return &settingsReader{
		tree: tree, kernel: kernelID{release: "6.18", version: "#1 SMP 2026"}, mounts: groupMounts(tree),
		tasks: taskSettings{
			attributes: func(sched.TID) (*unix.SchedAttr, error) {
				if attr == nil {
					return nil, errors.ErrUnsupported
				}
				return attr, nil
			},
			affinity:       func(sched.TID) (unix.CPUSet, error) { return unix.CPUSet{}, errors.ErrUnsupported },
			coreScheduling: func() string { return "" },
		},
	}
}

// Every reading has a case above, or is one that only a real machine can show.
func TestEverySettingIsRead(t *testing.T) {
	got := newSettingsReader().readAll()
	for _, name := range []string{
		"policy", "nice", "affinity", "timer_slack_ns", "clocksource", "online_cores", "kernel_build", "psi",
	} {
		if got[name] == "" {
			t.Errorf("%s is not read here: %v", name, got)
		}
	}
	tried := map[string]bool{}
	for _, c := range settingCases() {
		tried[c.name] = true
	}
	for _, plain := range []string{ // files of one value, like some above
		"idle_driver", "idle_governor", "energy_preference", "max_frequency_khz", "platform_profile",
		"bpf_jit_harden", "sched_schedstats", "task_delayacct", "timer_migration", "energy_aware",
		"numa_balancing", "nmi_watchdog",
		"scheduler", "smt", "core_scheduling", // with tests of their own, or absent without SMT
	} {
		tried[plain] = true
	}
	names := map[string]bool{}
	for _, r := range readings() {
		if names[r.name] || !tried[r.name] {
			t.Errorf("%s is read twice, or never tried", r.name)
		}
		names[r.name] = true
	}
}

// Throttling is counted for every group that has a quota, by either version's names.
func TestThrottlingOfGroups(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  *report.Throttling
	}{
		"version 1": {map[string]string{
			"proc/self/mountinfo": v1Mounts, "proc/self/cgroup": "4:cpu,cpuacct:/q\n",
			"sys/fs/cgroup/cpu/q/cpu.cfs_quota_us": "5000", "sys/fs/cgroup/cpu/q/cpu.cfs_period_us": "10000",
			"sys/fs/cgroup/cpu/q/cpu.stat": "nr_periods 9\nnr_throttled 7\nthrottled_time 5000000\n",
		}, &report.Throttling{Times: 7, NS: 5_000_000}},
		"version 2, two levels": {map[string]string{
			"proc/self/mountinfo": v2Mounts, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/cpu.max":    "1000 10000",
			"sys/fs/cgroup/a/cpu.stat":   "usage_usec 1\nnr_throttled 2\nthrottled_usec 30\n",
			"sys/fs/cgroup/a/b/cpu.max":  "2000 10000",
			"sys/fs/cgroup/a/b/cpu.stat": "nr_throttled 3\nthrottled_usec 40\n",
		}, &report.Throttling{Times: 5, NS: 70_000}},
		"no quota": {map[string]string{
			"proc/self/mountinfo": v2Mounts, "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/cpu.max": "max 10000", "sys/fs/cgroup/a/cpu.stat": "nr_throttled 2\n",
		}, nil},
		"nothing readable": {nil, nil},
	} {
		files := fstest.MapFS{}
		for path, text := range c.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if diff := cmp.Diff(c.want, fakeReader(files, nil).groups().throttled()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A setting that is not as at the beginning at either end of a trial is reported, with both
// values. One that is counted rather than set is reported only if it changed.
func TestSettingsOfATrial(t *testing.T) {
	w := &SettingsWatch{base: report.Settings{"nice": "0", "preemption": "lazy", "affinity": "0-1"}}
	settings := func(more report.Settings) report.Settings {
		s := maps.Clone(w.base)
		s["suspended_ms"] = "700"
		maps.Copy(s, more)
		return s
	}
	for name, c := range map[string]struct {
		start, end report.Settings
		want       []report.SettingChange
	}{
		"as it was": {nil, nil, nil},
		"changed meanwhile": {
			nil, report.Settings{"preemption": "full"},
			[]report.SettingChange{{Name: "preemption", Start: "lazy", End: "full"}},
		},
		"changed before": {
			report.Settings{"preemption": "full"}, report.Settings{"preemption": "full"},
			[]report.SettingChange{{Name: "preemption", Start: "full", End: "full"}},
		},
		"changed back": {
			report.Settings{"affinity": "0"}, nil,
			[]report.SettingChange{{Name: "affinity", Start: "0", End: "0-1"}},
		},
		"slept": {
			nil, report.Settings{"suspended_ms": "9700"},
			[]report.SettingChange{{Name: "suspended_ms", Start: "700", End: "9700"}},
		},
		"not readable now": {nil, report.Settings{"nice": ""}, nil},
	} {
		if diff := cmp.Diff(c.want, w.differences(settings(c.start), settings(c.end))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestChangesOfWorkers(t *testing.T) {
	start := []workerState{{1, "0", "SCHED_OTHER nice 0"}, {2, "1", "SCHED_OTHER nice 0"}, {3, "1", ""}}
	for name, c := range map[string]struct {
		end  []workerState
		want []report.SettingChange
	}{
		"as it was": {start, nil},
		"moved": {[]workerState{{1, "0", "SCHED_OTHER nice 0"}, {2, "0", "SCHED_OTHER nice 0"}, {3, "1", ""}},
			[]report.SettingChange{{
				Name:  "workers_affinity",
				Start: "0 (1 of 3 workers), 1 (2 of 3 workers)",
				End:   "0 (2 of 3 workers), 1 (1 of 3 workers)",
			}}},
		"reniced": {[]workerState{{1, "0", "SCHED_OTHER nice 5"}, {2, "1", "SCHED_OTHER nice 5"}, {3, "1", ""}},
			[]report.SettingChange{{Name: "workers_policy", Start: "SCHED_OTHER nice 0", End: "SCHED_OTHER nice 5"}}},
		"one is gone": {[]workerState{{1, "", ""}, {2, "1", "SCHED_OTHER nice 0"}, {3, "1", ""}}, nil},
	} {
		if diff := cmp.Diff(c.want, workerChanges(start, c.end)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
