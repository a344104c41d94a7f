package reporttest

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/table"
)

// figures are the fields of a row by the names of their columns; "" is an absent figure.
type figures map[string]string

// rows are the rows of a table.
type rows []figures

// tables are the tables of a report by name.
type tables map[string]rows

// Rows returns the rows of one of a report's tables, as fields by the names of their columns; "" is
// an absent figure. It returns an error for an unknown name.
func Rows(r *report.Report, name string) ([]map[string]string, error) {
	t, err := table.Of(r, name)
	if err != nil {
		return nil, err
	}
	var all []map[string]string
	for row := range t.Rows {
		fields := map[string]string{}
		for i, f := range row {
			fields[t.Columns[i].Name] = f.String()
		}
		all = append(all, fields)
	}
	return all, nil
}

func tablesOf(r *report.Report) (tables, error) {
	all := tables{}
	for _, name := range table.Names() {
		rows, err := Rows(r, name)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			all[name] = append(all[name], row)
		}
	}
	all[counted] = countedBuckets(all["histograms"])
	return all, nil
}

// counted is the name of a table that reports do not have: one row for each of their histograms.
const counted = "histograms counted"

// histogramKey are the columns that identify a histogram.
var histogramKey = []string{"trial", "core", "class", "ended_by", "what", "group_id"}

// countedBuckets adds up the buckets of each histogram, which are in consecutive rows.
func countedBuckets(buckets rows) (found rows) {
	var sum float64
	for i, row := range buckets {
		sum += of(row, "count")
		if i+1 < len(buckets) && len(buckets[i+1:i+2].where(row, histogramKey...)) > 0 {
			continue
		}
		one := figures{"count": strconv.FormatFloat(sum, 'f', 0, 64)}
		for _, c := range histogramKey {
			one[c] = row[c]
		}
		found, sum = append(found, one), 0
	}
	return found
}

// of returns a figure of a row, 0 if it is absent.
func of(row figures, column string) float64 {
	if row[column] == "" {
		return 0
	}
	x, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		return math.NaN() // which equals nothing
	}
	return x
}

func (r rows) sum(column string) (sum float64) {
	for _, row := range r {
		sum += of(row, column)
	}
	return sum
}

func (r rows) most(column string) (most float64) {
	for _, row := range r {
		most = max(most, of(row, column))
	}
	return most
}

// where returns the rows that have the same values as another row in each of the columns.
func (r rows) where(other figures, columns ...string) (found rows) {
next:
	for _, row := range r {
		for _, c := range columns {
			if row[c] != other[c] {
				continue next
			}
		}
		found = append(found, row)
	}
	return found
}

// once returns one of the rows that are equal in the columns.
func (r rows) once(columns ...string) (found rows) {
	for _, row := range r {
		if len(found.where(row, columns...)) == 0 {
			found = append(found, row)
		}
	}
	return found
}

// value returns a figure of a table of names and values.
func (r rows) value(name string) float64 {
	for _, row := range r {
		if row["name"] == name {
			return of(row, "value")
		}
	}
	return math.NaN()
}

// identity is a rule for each row of a table: two figures are equal or, if atMost is true, the
// first one is not greater.
type identity struct {
	table  string
	name   string
	within float64 // tolerance relative to the second figure, 0 for exactly equal
	atMost bool
	// measured is true if only measured reports have to follow the rule. In reports of this package,
	// slices are drawn independently for each core and each worker.
	measured bool
	both     func(row figures, all tables) (first, second float64)
}

// trialKey are the columns that identify a trial.
var trialKey = []string{"workload", "variant", "mode", "round"}

// identities are the rules that any report must follow. A new column that is a sum of others, or
// part of one, needs a rule here.
func identities() []identity {
	list := slices.Concat(olderIdentities(), newerIdentities(), systemIdentities())
	for c, groups := range map[string]string{"slices": "switches", "on_cpu_ns": "on_cpu_ns", "wait_ns": "wait_ns"} {
		list = append(list, identity{table: "trials", name: c + " = workers' " + c + " + groups' " + groups,
			both: func(row figures, all tables) (float64, float64) {
				workers := all["workers"].where(row, trialKey...).sum(c)
				return of(row, c), workers + all["groups"].where(row, trialKey...).sum(groups)
			}})
	}
	for _, c := range []string{"wall_ns", "idle_ns", "workers_ns", "others_ns", "self_ns", "steal_ns"} {
		list = append(list, identity{table: "trials", name: c + " = cores' " + c,
			both: func(row figures, all tables) (float64, float64) {
				return of(row, c), all["cores"].where(row, trialKey...).once("core").sum(c)
			}})
	}
	for quality, trials := range map[string]string{
		"switches": "switches", "unmatched_pick": "unmatched_pick", "unmatched_switch": "unmatched_switch",
		"map_full":      "map_full",
		"dropped_tasks": "dropped_tasks", "unwatched": "unwatched", "workers": "workers", "wall_ns": "wall_ns",
		"self_ns": "self_ns", "steal_ns": "steal_ns",
		"created_tasks": "created_tasks", "reconciled_created": "created_reconciled", "tool_switches": "tool_switches",
	} {
		list = append(list, identity{table: "quality", name: quality + " = trials' " + trials,
			both: onlyOf(quality, func(_ rows, all tables) float64 {
				return all["trials"].sum(trials)
			})})
	}
	for _, ordered := range []struct{ table, phase, counted string }{
		{"cores", "pick_", "pick_count"}, {"cores", "switch_", "switch_count"}, {"cores", "cost_", "cost_count"},
		{"slices", "", "slices"}, {"core_times", "wait_", "wait_count"},
	} {
		for _, pair := range [][2]string{{"p50_ns", "p90_ns"}, {"p90_ns", "p99_ns"}, {"p99_ns", "max_ns"},
			{"max_ns", "sum_ns"}} {
			a, b := ordered.phase+pair[0], ordered.phase+pair[1]
			if ordered.phase == "cost_" && pair[1] == "max_ns" {
				continue // the cost is a sum of two phases, each of which is only known to its bucket
			}
			list = append(list, identity{table: ordered.table, name: a + " ≤ " + b, within: bucket, atMost: true,
				both: columns(a, b)})
		}
		if ordered.table == "cores" {
			list = append(list, identity{table: "cores", name: ordered.counted + " ≤ switches", atMost: true,
				both: columns(ordered.counted, "switches")})
		}
	}
	return list
}

// olderIdentities are those of the tables trials, workers, cores and quality.
func olderIdentities() []identity {
	return []identity{
		{table: "trials", name: "switches = cores' switches", both: sumOf("switches", "cores", "switches")},
		{table: "trials", name: "slices + created_slices = table slices' slices", measured: true,
			both: func(row figures, all tables) (float64, float64) {
				tasks := of(row, "slices") + of(row, "created_slices")
				slices := all["slices"].where(row, trialKey...).sum("slices")
				// If no phase is timed, a slice whose start the kernel hid has no length: it is
				// counted, but is not in any distribution.
				if tasks > slices && tasks <= slices+all["quality"].value("unseen") {
					tasks = slices
				}
				return tasks, slices
			}},
		{table: "trials", name: "on_cpu_ns + created_on_cpu_ns = table slices' sum_ns", measured: true,
			both: ofWork(func(row figures, all tables) (float64, float64) {
				return of(row, "on_cpu_ns") + of(row, "created_on_cpu_ns"), all["slices"].where(row,
					trialKey...).sum("sum_ns")
			})},
		{table: "trials", name: "workers_ns = table slices' sum_ns", measured: true,
			both: ofWork(sumOf("workers_ns", "slices", "sum_ns"))},
		{table: "trials", name: "parallelism × duration = on-CPU time", within: 0.001,
			both: func(row figures, _ tables) (float64, float64) {
				return of(row, "parallelism") * of(row, "duration_ns"), of(row, "on_cpu_ns") + of(row,
					"created_on_cpu_ns")
			}},
		{table: "trials", name: "created_reconciled ≤ created_tasks", atMost: true,
			both: columns("created_reconciled", "created_tasks")},
		{table: "trials", name: "wait_max_ns = workers' longest, or tasks'",
			both: func(row figures, all tables) (float64, float64) {
				workers := all["workers"].where(row, trialKey...).most("wait_max_ns")
				return of(row, "wait_max_ns"), max(workers, all["tasks"].where(row, trialKey...).most("wait_max_ns"))
			}},
		{table: "trials", name: "wait_max_ns ≤ wait_ns", measured: true, atMost: true,
			both: columns("wait_max_ns", "wait_ns")},
		{table: "workers", name: "slices = slices by cause", both: func(row figures, _ tables) (float64, float64) {
			var sum float64
			for _, cause := range report.Causes() {
				sum += of(row, "slices_"+string(cause))
			}
			return of(row, "slices"), sum
		}},
		{table: "workers", name: "voluntary + involuntary = slices",
			both: func(row figures, _ tables) (float64, float64) {
				return of(row, "voluntary") + of(row, "involuntary"), of(row, "slices")
			}},
		{table: "cores", name: "idle + workers + others + self = wall", within: 0.001,
			both: func(row figures, _ tables) (float64, float64) {
				return of(row, "idle_ns") + of(row, "workers_ns") + of(row, "others_ns") + of(row, "self_ns"),
					of(row, "wall_ns")
			}},
		{table: "cores", name: "busy_ticks ≤ ticks", atMost: true, both: columns("busy_ticks", "ticks")},
		{table: "cores", name: "cost_count ≤ pick_count", atMost: true, both: columns("cost_count", "pick_count")},
		{table: "cores", name: "cost_count ≤ switch_count", atMost: true, both: columns("cost_count", "switch_count")},
		{table: "quality", name: "lost = what is lost", both: onlyOf("lost", func(q rows, _ tables) float64 {
			return sumOfKnown(q, "unmatched", "unwatched", "map_full", "dropped_tasks", "recursion_misses")
		})},
		{table: "quality", name: "unmatched = both phases'", both: onlyOf("unmatched", func(q rows, _ tables) float64 {
			return q.value("unmatched_pick") + q.value("unmatched_switch")
		})},
		{table: "quality", name: "compared_workers ≤ workers", atMost: true,
			both: onlyOf("compared_workers", func(q rows, _ tables) float64 { return q.value("workers") })},
		{table: "quality", name: "reconciled_workers ≤ compared_workers", atMost: true,
			both: onlyOf("reconciled_workers", func(q rows, _ tables) float64 {
				return q.value("compared_workers")
			})},
	}
}

// bucket is how far a quantile can be from the true value.
const bucket = 1.0 / 16

func columns(first, second string) func(figures, tables) (float64, float64) {
	return func(row figures, _ tables) (float64, float64) { return of(row, first), of(row, second) }
}

func sumOf(column, table, other string) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		return of(row, column), all[table].where(row, trialKey...).sum(other)
	}
}

// ofWork compares only trials of work that slicetrace started: all their slices end within the trial.
func ofWork(both func(figures, tables) (float64, float64)) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		if row["mode"] == string(report.SystemMode) {
			return 0, 0
		}
		return both(row, all)
	}
}

// onlyOf compares one row of a table of names and values, if the table has it.
func onlyOf(name string, second func(rows, tables) float64) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		if row["name"] != name || row["value"] == "" {
			return 0, 0
		}
		return of(row, "value"), second(all["quality"], all)
	}
}

func sumOfKnown(q rows, names ...string) (sum float64) {
	for _, name := range names {
		if x := q.value(name); !math.IsNaN(x) {
			sum += x
		}
	}
	return sum
}

// Contradictions returns where one table of a report contradicts another. measured is false for
// reports of this package.
func Contradictions(r *report.Report, measured bool) []string {
	all, err := tablesOf(r)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, i := range identities() {
		if i.measured && !measured {
			continue
		}
		for _, row := range all[i.table] {
			first, second := i.both(row, all)
			slack := i.within * math.Abs(second)
			if i.atMost && first <= second+slack || !i.atMost && math.Abs(first-second) <= slack {
				continue
			}
			at := row["name"]
			if at == "" {
				at = fmt.Sprintf("%s %s %s round %s core %s %s%s %s", row["workload"], row["variant"], row["mode"],
					row["round"], row["core"], row["class"], row["ended_by"],
					row["worker"]+row["group_id"]+" "+row["pid"]+" "+row["tid"])
			}
			found = append(found, fmt.Sprintf("%s, %s: %s: %.0f and %.0f", i.table, at, i.name, first, second))
		}
	}
	return found
}
