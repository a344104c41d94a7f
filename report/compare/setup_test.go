package compare_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

// TestSettings lists the settings that influence figures: what compare shows of each, what a report
// says about it, and what it says if the setting changed during the run. How settings are read is
// tested in package hostinfo.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, value string
		compared    string // the two texts that compare shows
		said        string // a part of a warning, "" where a look at Trust is enough
		trust       string // a part of Trust, "" where it goes without saying
	}{
		{"nice", "19", "0 → 19", "", "nice 19"},
		{"policy", "SCHED_BATCH", "SCHED_OTHER → SCHED_BATCH", "started under SCHED_BATCH", "policy SCHED_BATCH"},
		{"policy", "SCHED_IDLE", "SCHED_OTHER → SCHED_IDLE", "started under SCHED_IDLE", "policy SCHED_IDLE"},
		{"policy", "SCHED_FIFO 1", "SCHED_OTHER → SCHED_FIFO 1", "started under SCHED_FIFO 1", "policy SCHED_FIFO 1"},
		{"affinity", "0", "0-1 → 0", "", ""},
		{"cpu_quota", "100ms of each 100ms", "none → 100ms of each 100ms", "", "cpu quota 100ms of each 100ms"},
		{"bpf_stats", "on", "off → on", "bpf_stats_enabled is on", "bpf stats on"},
		{"recording", "on", "off → on", "", "recording on"},
		{
			"other_tracers", "perf on sched_switch", "none → perf on sched_switch",
			"other tracers were active at switches", "perf on sched_switch",
		},
		{
			"probed_functions", "finish_task_switch", "none → finish_task_switch",
			"probes in functions that run at a switch", "finish_task_switch",
		},
		{"timer_slack_ns", "1000000", "50000 → 1000000", "", "timer slack ns 1000000"},
		{"rt_runtime_us", "unlimited", "950000 of 1000000 → unlimited", "", ""},
		// A setting that only a later version has.
		{"moon", "full", "new → full", "", ""},
	} {
		old, other := reporttest.Bundled(4, 2), reporttest.Bundled(4, 2)
		if _, ok := old.Settings[c.name]; !ok {
			old.Settings[c.name], _, _ = strings.Cut(c.compared, " → ")
		}
		other.Settings[c.name] = c.value
		want := []string{c.name + " " + c.compared}
		if diff := cmp.Diff(want, differences(t, old, other)); diff != "" {
			t.Errorf("%s %s: compare names (-want +got):\n%s", c.name, c.value, diff)
		}
		warned := strings.Join(view.Overview(other).Warnings, "\n")
		if (warned == "") != (c.said == "") || !strings.Contains(warned, c.said) {
			t.Errorf("%s %s: the report warns %q, want %q", c.name, c.value, warned, c.said)
		}
		trust := trustOf(other)
		if (c.trust == "") == strings.Contains(trust, "Unusual settings") || !strings.Contains(trust, c.trust) {
			t.Errorf("%s %s: Trust lacks %q:\n%s", c.name, c.value, c.trust, trust)
		}
		host, err := table.Of(other, "host")
		if err != nil {
			t.Fatal(err)
		}
		if rows := slices.Collect(host.Rows); !slices.ContainsFunc(rows, func(row []table.Field) bool {
			return row[0].String() == c.name && row[1].String() == c.value && row[1].Free()
		}) {
			t.Errorf("%s %s: table host lacks it", c.name, c.value)
		}
	}
}

func differences(t *testing.T, old, other *report.Report) []string {
	t.Helper()
	out := []string{}
	for _, u := range compared(t, old, other).Pairs[0].Differences {
		out = append(out, u.Name+" "+u.Old+" → "+u.New)
	}
	return out
}

func trustOf(r *report.Report) string {
	s := view.Summarize(r).Sections
	return strings.Join(s[len(s)-1].Notes, "\n")
}

// If a property of the host, a setting, or a setting of a worker changes during a run, the report
// says so and names the trials, and compare shows the difference from a run in which it did not
// change.
func TestSettingsThatChangeMeanwhile(t *testing.T) {
	change := func(name, start, end string) []report.SettingChange {
		return []report.SettingChange{{Name: name, Start: start, End: end}}
	}
	for what, c := range map[string]struct {
		change   func(*report.Report)
		said     string
		compared string
	}{
		"preemption model in trial 3": {
			func(r *report.Report) {
				r.Trials[2].Settings = change("preemption", "none", "full")
				for i := 3; i < len(r.Trials); i++ {
					r.Trials[i].Settings = change("preemption", "full", "full")
				}
			},
			"preemption changed: none when the run began and in 2 of 8 trials " +
				"(pipe in processes, round 1, spin in processes, round 1), full in the other 6; " +
				"figures under one value do not show what they would be under another",
			"preemption none → none, later full",
		},
		"clocksource, last trial": {
			func(r *report.Report) { r.Trials[7].Settings = change("clocksource", "kvm-clock", "hpet") },
			"clocksource changed: kvm-clock when the run began, but hpet in 1 of 8 trials (spin in threads, round 2)",
			"clocksource kvm-clock → kvm-clock, later hpet",
		},
		"affinity, and back": {
			func(r *report.Report) { r.Trials[0].Settings = change("affinity", "0-1", "0") },
			"affinity changed: 0-1 when the run began, but 0 in 1 of 8 trials (pipe in processes, round 1)",
			"affinity 0-1 → 0-1, later 0",
		},
		"workers' affinity": {
			func(r *report.Report) { r.Trials[1].Settings = change("workers_affinity", "0-1", "1") },
			"workers affinity changed while work ran: 0-1, then 1 in spin in processes, round 1",
			"workers_affinity steady → changed while work ran",
		},
		"workers' affinity, twice": {
			func(r *report.Report) {
				r.Trials[1].Settings = change("workers_affinity", "0-1", "1")
				r.Trials[3].Settings = change("workers_affinity", "0-1", "0")
			},
			"workers affinity changed while work ran: 0-1, then 1 in spin in processes, round 1 " +
				"(and again in 1 more trial)",
			"workers_affinity steady → changed while work ran",
		},
		"after the last trial": {
			func(r *report.Report) { r.SettingsAtEnd = change("governor", "", "powersave") },
			"governor was – when the run began and powersave at its end",
			"governor  → , later powersave",
		},
		"a quota that held the work back": {
			func(r *report.Report) {
				r.Settings["cpu_quota"] = "50ms of each 1s"
				r.Trials[2].Throttling = &report.Throttling{Times: 30, NS: 28e9}
				r.Trials[4].Throttling = &report.Throttling{Times: 1, NS: 1e9}
				r.Trials[5].Throttling = &report.Throttling{}
			},
			"the CPU quota of the cgroup (50ms of each 1s) kept tasks from running 31 times, " +
				"for 29.0 s of core time, in 2 of 8 trials",
			"cpu_quota none → 50ms of each 1s",
		},
	} {
		r := reporttest.Bundled(2, 2)
		c.change(r)
		got := strings.Join(view.Summarize(r).Warnings, "\n")
		if !strings.HasPrefix(got, c.said) || strings.Contains(got, "\n") {
			t.Errorf("%s: the report says\n%s\nwant\n%s", what, got, c.said)
		}
		if diff := cmp.Diff([]string{c.compared}, differences(t, reporttest.Bundled(2, 2), r)); diff != "" {
			t.Errorf("%s: compare names (-want +got):\n%s", what, diff)
		}
		var text bytes.Buffer
		if err := errors.Join(report.Encode(&text, r), reporttest.CheckSchema(text.Bytes())); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Settings that are missing from a report of an earlier version are not differences, but a warning
// says that they are unknown. Whether a recording was made is known of every report.
func TestSettingsThatAreUnknown(t *testing.T) {
	old, other := reporttest.Bundled(4, 2), reporttest.Bundled(4, 2)
	old.Settings, old.Host.Hypervisor, other.Host.Hypervisor = nil, "", "none"
	other.Settings["nice"] = "19"
	if got := differences(t, old, other); len(got) > 0 {
		t.Errorf("lacking settings are differences: %q", got)
	}
	const said = " has no settings such as policy, nice level, quota and tracers"
	for _, order := range [][2]*report.Report{{old, other}, {other, old}} {
		got := warnings(compared(t, order[0], order[1]))
		if strings.Contains(got, "old.json"+said) != (order[0] == old) ||
			strings.Contains(got, "new.json"+said) != (order[1] == old) {
			t.Errorf("warnings are %q", got)
		}
	}
	if got := warnings(compared(t, old, old)); strings.Contains(got, said) {
		t.Errorf("two reports without settings: %q", got)
	}
	old.Recording = &report.Recording{}
	if got := differences(t, old, other); !slices.Equal(got, []string{"recording on → off"}) {
		t.Errorf("differences are %q", got)
	}
}

// Only the words that differ between two lists are shown.
func TestListsOfWordsAreComparedByWord(t *testing.T) {
	old, other := reporttest.Bundled(1, 1), reporttest.Bundled(1, 1)
	old.Settings["sched_features"], other.Settings["sched_features"] = "A B NO_HRTICK C", "A B HRTICK C"
	if got := differences(t, old, other); !slices.Equal(got, []string{"sched_features NO_HRTICK → HRTICK"}) {
		t.Errorf("differences are %q", got)
	}
}

// The shares of core time that other programs and the hypervisor took are compared too, but no
// machine is exactly as quiet twice.
func TestBusyMachinesAreNamed(t *testing.T) {
	for share, want := range map[float64][]string{0.03: {}, 0.3: {"others_share", "stolen_share"}} {
		r := reporttest.Bundled(2, 2)
		for i := range r.Trials {
			for j := range r.Trials[i].Cores {
				c := &r.Trials[i].Cores[j]
				c.OthersNS += int64(share * float64(c.WallNS))
				c.StealNS += int64(share * float64(c.WallNS))
			}
		}
		r.ComputeQuality()
		got := []string{}
		for _, d := range compared(t, reporttest.Bundled(2, 2), r).Pairs[0].Differences {
			got = append(got, d.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%g of core time more (-want +got):\n%s", share, diff)
		}
	}
}
