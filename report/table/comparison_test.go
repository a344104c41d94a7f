package table_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

func TestComparisonTable(t *testing.T) {
	old := compare.Input{Name: "old.json", Report: reporttest.Bundled(6, 1)}
	other := compare.Input{Name: "new.json", Report: reporttest.Bundled(6, 1)}
	c, err := compare.Reports([]compare.Input{old}, [][]compare.Input{{other}}, compare.Options{Cores: true})
	if err != nil {
		t.Fatal(err)
	}
	tab := table.Comparison(c)
	const columns = "old,new,workload,variant,mode,core,class,metric,unit," +
		"old_median,old_low,old_high,old_n,new_median,new_low,new_high,new_n," +
		"change_percent,change_low_percent,change_high_percent,p,q,outcome,primary,detectable_percent," +
		"old_runs,new_runs,like_runs,basis,state,stack,only_in"
	if got := strings.Join(columnNames(tab), ","); got != columns {
		t.Errorf("columns are %s", got)
	}
	row := fields(tab, 0)
	want := map[string]string{
		"old": "old.json", "new": "new.json", "workload": "pipe", "variant": "", "mode": "processes", "core": "",
		"class": "", "metric": "operations", "unit": "per_second", "old_n": "6", "new_n": "6",
		"change_percent": "0.000000", "p": "", "q": "", "outcome": "untested", "primary": "true", "old_runs": "1",
		"basis": "none",
	}
	for name, value := range want {
		if row[name] != value {
			t.Errorf("%s is %q, want %q", name, row[name], value)
		}
	}
	for row := range tab.Rows {
		if len(row) != len(tab.Columns) {
			t.Fatalf("a row has %d fields", len(row))
		}
	}
}

// The figures of a watched system's groups are rows too.
func TestComparisonTableHasGroups(t *testing.T) {
	c, err := compare.Reports([]compare.Input{{Name: "a", Report: watched()}},
		[][]compare.Input{{{Name: "b", Report: watched()}}}, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]bool{}
	for row := range table.Comparison(c).Rows {
		if row[4].String() != "system" || row[2].String() != "" {
			t.Fatalf("a row is of %s in %s", row[2], row[4])
		}
		if row[7].String() == "on_cpu" {
			groups[row[3].String()] = true
		}
	}
	if len(groups) != 4 || !groups["db0.service"] {
		t.Errorf("there are the groups %v", groups)
	}
}

// So are the stacks of a watch, with what the tasks did there.
func TestComparisonTableHasStacks(t *testing.T) {
	old := reporttest.Stacks()
	for i := range old.Trials {
		old.Trials[i].DurationNS = 1e9
	}
	other := reporttest.AtStacks(old, "do_nanosleep", func(w *report.StackWait) { w.BlockedNS = 0 })
	c, err := compare.Reports([]compare.Input{{Name: "a", Report: old}},
		[][]compare.Input{{{Name: "b", Report: other}}}, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tab := table.Comparison(c)
	stacks := map[string]map[string]string{}
	for i := range slices.Collect(tab.Rows) {
		if row := fields(tab, i); row["state"] != "" {
			stacks[row["stack"]] = row
		}
	}
	const park = "runtime.mcall;runtime.park_m;runtime.schedule;runtime.findRunnable;runtime.stopm;runtime.mPark;" +
		"runtime.futexsleep;runtime.futex;__x64_sys_futex;do_futex;__futex_wait;futex_wait_queue"
	for stack, want := range map[string][]string{
		park:              {"S", "blocked", "155000000.000000", "155000000.000000", ""},
		"[agent];[agent]": {"R", "runnable", "95000000.000000", "95000000.000000", ""},
		"[agent];[unknown];hrtimer_nanosleep;do_nanosleep": {"S", "blocked", "45000000.000000", "0.000000", "old"},
	} {
		row := stacks[stack]
		got := []string{row["state"], row["metric"], row["old_median"], row["new_median"], row["only_in"]}
		if !slices.Equal(got, want) || row["unit"] != "ns_per_second" || row["mode"] != "system" {
			t.Errorf("%s: %q, want %q; %v", stack, got, want, row)
		}
	}
}
