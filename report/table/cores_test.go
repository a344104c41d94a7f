package table_test

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// allFields returns a table's rows as fields by the names of their columns.
func allFields(t *testing.T, r *report.Report, name string) []map[string]string {
	t.Helper()
	all, err := reporttest.Rows(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// histogramsOf returns all histograms of a report by the fields that identify them in the table.
func histogramsOf(r *report.Report) map[string]histogram.Histogram {
	all := map[string]histogram.Histogram{}
	for i, trial := range r.Trials {
		n := strconv.Itoa(i + 1)
		for _, c := range trial.Cores {
			at := n + " " + strconv.Itoa(int(c.CPU))
			for _, s := range c.Classes {
				all[at+" "+string(s.Class)+"  pick "] = s.Pick
				all[at+" "+string(s.Class)+"  switch "] = s.Switch
				all[at+" "+string(s.Class)+"  cost "] = s.Cost
			}
			for _, s := range c.Slices {
				all[at+"  "+string(s.EndedBy)+" slice "] = s.Length
			}
			all[at+"   wait "] = c.Wait
		}
		if c := trial.Created; c != nil {
			all[n+"    created_start "], all[n+"    created_run "], all[n+"    created_end "] = c.Start, c.Run, c.End
		}
		if trial.System == nil {
			continue
		}
		groups := map[uint64]report.Activity{}
		add := func(id uint64, a *report.Activity) {
			sum := groups[id]
			sum.Add(a)
			groups[id] = sum
		}
		for j := range trial.System.Tasks {
			add(trial.System.Tasks[j].Group, &trial.System.Tasks[j].Activity)
		}
		for j := range trial.System.Ended {
			add(trial.System.Ended[j].Group, &trial.System.Ended[j].Activity)
		}
		for id, did := range groups {
			of := strconv.FormatUint(id, 10)
			all[n+"    group_wait "+of], all[n+"    group_slice "+of] = did.Waits, did.Slices
		}
	}
	maps.DeleteFunc(all, func(_ string, h histogram.Histogram) bool { return h.Count == 0 })
	return all
}

// Each histogram can be rebuilt from the rows of the table, and none is missing.
func TestTableOfHistogramsLosesNothing(t *testing.T) {
	for what, r := range map[string]*report.Report{
		"full": reporttest.Full(1, 2), "command": reporttest.Command(),
		"no pick": reporttest.WithoutPick(reporttest.Bundled(2, 3)), "system": watched(),
	} {
		want := histogramsOf(r)
		counts := map[string][]uint64{}
		for _, row := range allFields(t, r, "histograms") {
			of := strings.Join([]string{row["trial"], row["core"], row["class"], row["ended_by"], row["what"],
				row["group_id"]}, " ")
			low, high := number(t, row["low_ns"]), number(t, row["high_ns"])
			b := histogram.BucketOf(low)
			if l, h := histogram.BucketBounds(b); l != low || h != high || histogram.BucketOf(high-1) != b {
				t.Fatalf("%s, %s: %d to %d ns is no bucket", what, of, low, high)
			}
			if counts[of] == nil {
				counts[of] = make([]uint64, 1024)
			}
			counts[of][b] += number(t, row["count"])
		}
		got := map[string]histogram.Histogram{}
		for of, n := range counts {
			got[of] = histogram.New(n, want[of].SumNS, want[of].MaxNS)
		}
		if len(want) < 10 || !maps.Equal(want, got) {
			t.Errorf("%s: %d histograms, and of the table %d, others: %v", what, len(want), len(got),
				cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))))
		}
	}
}

// The bounds of the last bucket do not fit into a signed 64-bit column, and are limited.
func TestTableOfHistogramsFitsItsColumns(t *testing.T) {
	r := &report.Report{Trials: []report.Trial{{
		Workload: "spin", Mode: report.Threads,
		Cores: []report.Core{{Wait: reporttest.HistogramOf(1, 0, math.MaxInt64, math.MaxUint64)}},
	}}}
	var got [][2]string
	for _, row := range allFields(t, r, "histograms") {
		got = append(got, [2]string{row["low_ns"], row["high_ns"]})
	}
	most := strconv.FormatInt(math.MaxInt64, 10)
	if diff := cmp.Diff([][2]string{{"0", "1"}, {"8935141660703064064", most}, {most, most}}, got); diff != "" {
		t.Errorf("bounds (-want +got):\n%s", diff)
	}
}

// A quantile is written as it is, also the greatest one that a file can hold.
func TestQuantilesOfAnyLength(t *testing.T) {
	for ns, want := range map[uint64]string{
		0: "0", 1 << 40: "1099511627776", 1 << 63: "9223372036854775808", math.MaxUint64: "18446744073709551615",
	} {
		r := &report.Report{Trials: []report.Trial{{
			Workload: "spin", Mode: report.Threads, Cores: []report.Core{{Wait: reporttest.HistogramOf(1, ns)}},
		}}}
		row := allFields(t, r, "core_times")[0]
		if row["wait_p50_ns"] != want || row["wait_max_ns"] != want {
			t.Errorf("a wait of %d ns has a p50 of %s and a maximum of %s", ns, row["wait_p50_ns"], row["wait_max_ns"])
		}
	}
}

// In every table, a row of a trial can be joined to the trial by its number.
func TestTablesAreJoinedByTheTrial(t *testing.T) {
	for what, r := range map[string]*report.Report{
		"full": reporttest.Full(2, 2), "command": reporttest.Command(), "system": watched(),
	} {
		trials := map[string]map[string]string{}
		var started []uint64
		for i, row := range allFields(t, r, "trials") {
			if row["trial"] != strconv.Itoa(i+1) {
				t.Fatalf("%s: trial %d is called %s", what, i+1, row["trial"])
			}
			trials[row["trial"]] = row
			started = append(started, number(t, row["started_ns"]))
		}
		if !slices.IsSorted(started) || len(slices.Compact(slices.Clone(started))) != len(r.Trials) {
			t.Errorf("%s: trials did not start one after another: %d", what, started)
		}
		tables := 0
		for _, name := range table.Names() {
			if !slices.Contains(columnNames(tableOf(t, r, name)), "trial") || name == "trials" {
				continue
			}
			tables++
			for _, row := range allFields(t, r, name) {
				trial := trials[row["trial"]]
				for _, column := range []string{"workload", "variant", "load", "mode", "round", "started_ns"} {
					if trial == nil || row[column] != trial[column] {
						t.Fatalf("%s, table %s: %s is %q, and of trial %s %q",
							what, name, column, row[column], row["trial"], trial[column])
					}
				}
				want := strings.TrimSpace(row["workload"] + " " + row["variant"])
				if row["load"] != want || (want == "") != (what == "system") {
					t.Fatalf("%s, table %s: load is %q, want %q", what, name, row["load"], want)
				}
			}
		}
		if tables != 11 {
			t.Errorf("%s: %d more tables have a trial", what, tables)
		}
	}
}

// What was added later is at the end: columns of other reports' files are where they were.
func TestLaterFiguresAreAtTheEnd(t *testing.T) {
	r := reporttest.OlderKernel(reporttest.Bundled(1, 1))
	got := strings.Join(columnNames(tableOf(t, r, "runs")), ",")
	if !strings.Contains(got, ",hook_floor_ns,wall_ns,") ||
		!strings.HasSuffix(got, ",settings_stayed,notes,warnings,pick_floor_ns,watch,every_ns,for_ns") {
		t.Errorf("the columns of runs are %s", got)
	}
	rows := allFields(t, r, "quality")
	if last := rows[len(rows)-2:]; last[0]["name"] != "pick_floor_ns" || last[0]["value"] != "61" ||
		last[1]["name"] != "unplaced_slices" {
		t.Errorf("the last row of quality is %v", last)
	}
}

// Small probabilities keep their digits.
func TestSmallProbabilitiesAreNotZero(t *testing.T) {
	p := 7.4e-7
	r := &report.Report{Findings: []report.Finding{{
		Claim: "C2", Verdict: report.Supported,
		Figures: []report.NamedFigure{{Name: "x", Unit: report.Ratio, Median: 2, N: 12, P: &p}},
	}}}
	if got := allFields(t, r, "findings")[0]["p"]; got != "7.4e-07" {
		t.Errorf("p is %s", got)
	}
}

// Table runs has one row, which agrees with the other tables.
func TestTableOfRuns(t *testing.T) {
	r := reporttest.Dirty(reporttest.Bundled(2, 2))
	r.Capture.Notes = []string{"a note", "and another"}
	r.SettingsAtEnd = []report.SettingChange{{Name: "nice", Start: "0", End: "5"}}
	rows := allFields(t, r, "runs")
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	_, reasons := r.Clean()
	for column, want := range map[string]string{
		"report_id": r.ID(), "created": "2026-11-22T20:11:00Z", "machine": r.Host.ID(), "kernel": "6.18.44-cloud",
		"hz": "250", "pti": "on", "pcid": "off", "invpcid": "off", "nested_paging": "npt", "preemption": "none",
		"clocksource": "kvm-clock", "tool_version": "v0.1.0", "workloads": "pipe spin", "command": "",
		"modes": "processes threads", "rounds": "2", "duration_ns": "1000000000", "cores": "2", "core_list": "0,1",
		"workers_asked": "", "policy": "SCHED_OTHER", "nice": "0", "trials": "8", "failed_trials": "0",
		"clean": "false", "not_clean": strings.Join(reasons, "; "), "hook_floor_ns": "48", "recorded": "false",
		"settings_stayed": "false", "notes": "a note; and another", "warnings": "interrupted after 3 of 6 rounds",
		"lost": "29",
	} {
		if got := rows[0][column]; got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	older := allFields(t, reporttest.OlderKernel(reporttest.Bundled(1, 1)), "runs")[0]
	if older["hook_floor_ns"] != "213" || older["pick_floor_ns"] != "61" || rows[0]["pick_floor_ns"] != "" {
		t.Errorf("the floors of the phases are %s and %s; with one floor, that of pick is %q",
			older["hook_floor_ns"], older["pick_floor_ns"], rows[0]["pick_floor_ns"])
	}
	empty := allFields(t, new(report.Report), "runs")[0]
	if empty["others_share"] != "" || empty["nice"] != "" || empty["settings_stayed"] != "" {
		t.Errorf("an empty report has %q, %q and %q, want nothing",
			empty["others_share"], empty["nice"], empty["settings_stayed"])
	}
}
