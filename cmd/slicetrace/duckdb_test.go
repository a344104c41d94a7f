package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

// duck runs a query in DuckDB, with files relative to dir, and returns its rows.
func duck(t *testing.T, dir, sql string) [][]string {
	t.Helper()
	return query(t, duckDB, dir, []string{sql})[0]
}

// fleet exports the reports of three machines, and returns the reports and the folder.
func fleet(t *testing.T) (reports map[string][]*report.Report, dir string) {
	t.Helper()
	older := reporttest.WithoutPick(reporttest.Bundled(2, 2))
	older.Created = older.Created.AddDate(0, -1, 0)
	older.Host.Kernel = "6.12.1"
	reports = map[string][]*report.Report{
		"17":     {reporttest.Bundled(3, 2), older},
		"web/1":  {reporttest.Hostile(reporttest.Command())},
		"empty ": {{Schema: report.SchemaVersion, Created: older.Created}},
	}
	dir = filepath.Join(t.TempDir(), "fleet")
	for host, list := range reports {
		for i, r := range list {
			name := saveReport(t, "r.json", r)
			got := call(t, "export", name, "--format", "parquet", "-o", dir, "--host", host)
			if got.status != exitDone {
				t.Fatal(got.err)
			}
			// The report as it is read: with valid names and with findings.
			var err error
			if list[i], err = readReport(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return reports, dir
}

// A query in DuckDB over the files of several machines gives what Go computes from the reports.
func TestDuckDBQueriesAFleet(t *testing.T) {
	duck(t, ".", "SELECT 1")
	reports, dir := fleet(t)
	var want [][]string
	sums := map[string][3]uint64{}
	for _, host := range slices.Sorted(maps.Keys(reports)) {
		for _, r := range reports[host] {
			for _, trial := range r.Trials {
				for _, core := range trial.Cores {
					for _, c := range core.Classes {
						s := sums[string(c.Class)]
						s[0] += c.Switches
						s[1] += uint64(c.Cost.SumNS)
						if c.Pick.Count > 0 {
							s[2]++
						}
						sums[string(c.Class)] = s
					}
				}
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(sums)) {
		s := sums[class]
		want = append(want, []string{class, fmt.Sprint(s[0]), fmt.Sprint(s[1]), fmt.Sprint(s[2])})
	}
	got := duck(t, dir, `SELECT class, sum(switches), coalesce(sum(cost_sum_ns), 0), count(pick_p50_ns)
		FROM read_parquet('cores/**/*.parquet', hive_partitioning = true)
		WHERE class IS NOT NULL GROUP BY class ORDER BY class`)
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 4 {
		t.Errorf("switches by class (-Go +DuckDB):\n%s", diff)
	}
}

func TestDuckDBTellsReportsApart(t *testing.T) {
	duck(t, ".", "SELECT 1")
	reports, dir := fleet(t)
	var want [][]string
	for _, host := range slices.Sorted(maps.Keys(reports)) {
		for _, r := range reports[host] {
			if len(r.Trials) == 0 {
				continue
			}
			sum := 0.0
			for _, trial := range r.Trials {
				p, _ := trial.Parallelism()
				sum += p
			}
			want = append(want, []string{
				host, r.Created.Format("2006-01-02"), r.ID(), r.Created.Format("2006-01-02 15:04:05+00"),
				r.Host.Kernel, r.Host.CPUModel,
				fmt.Sprint(len(r.Trials)), fmt.Sprintf("%.4f", sum/float64(len(r.Trials))),
			})
		}
	}
	slices.SortFunc(want, func(a, b []string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	got := duck(t, dir, `SELECT host, date::VARCHAR, report, created::VARCHAR, kernel, cpu_model,
			count(*), printf('%.4f', avg(parallelism))
		FROM read_parquet('trials/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY 1, 2`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reports (-Go +DuckDB):\n%s", diff)
	}
	// An empty report has rows in table quality too, where values are texts.
	got = duck(t, dir, `SELECT count(*), sum(TRY_CAST(value AS BIGINT))
		FROM read_parquet('quality/**/*.parquet', hive_partitioning = true) WHERE name = 'switches'`)
	var switches uint64
	for _, list := range reports {
		for _, r := range list {
			switches += r.Quality.Switches
		}
	}
	if diff := cmp.Diff([][]string{{"4", fmt.Sprint(switches)}}, got); diff != "" {
		t.Errorf("quality (-Go +DuckDB):\n%s", diff)
	}
}

// The types of columns depend on the table only, not on what a report holds.
func TestDuckDBSeesTheTypes(t *testing.T) {
	duck(t, ".", "SELECT 1")
	_, dir := fleet(t)
	types := map[table.Kind]string{
		table.Integer: "BIGINT",
		table.Decimal: "DOUBLE",
		table.Text:    "VARCHAR",
		table.Time:    "TIMESTAMP WITH TIME ZONE",
		table.Boolean: "BOOLEAN",
	}
	for _, name := range table.Names() {
		tab, err := table.Of(new(report.Report), name)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]string
		for _, c := range table.InFleet(new(report.Report), tab, "").Columns {
			want = append(want, []string{c.Name, types[c.Kind]})
		}
		want = append(want, []string{"date", "DATE"}, []string{"host", "VARCHAR"})
		got := duck(t, dir, fmt.Sprintf(`SELECT column_name, column_type
			FROM (DESCRIBE SELECT * FROM read_parquet('%s/**/*.parquet', hive_partitioning = true))`, name))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %s (-Go +DuckDB):\n%s", name, diff)
		}
	}
}

// DuckDB finds all rows of a recording.
func TestDuckDBReadsARecording(t *testing.T) {
	duck(t, ".", "SELECT 1")
	cmd := tool(t, "export", saveRecording(t, 10_007), "--table", "switches", "--format", "parquet", "-o", "s.parquet")
	finish(t, cmd)
	got := duck(t, cmd.Dir, `SELECT count(*), count(pick_ns), sum(switch_ns), min(prev_comm), max(time_ns)
		FROM 's.parquet'`)
	if diff := cmp.Diff([][]string{{"10007", "0", "20014", "=seven", "10006"}}, got); diff != "" {
		t.Errorf("switches (-want +DuckDB):\n%s", diff)
	}
}

// Sums over the tables of several machines equal those of the reports, and rows of one trial
// in several tables can be joined by report and trial, or grouped by names, without losing
// any.
func TestDuckDBJoinsTheTables(t *testing.T) {
	duck(t, ".", "SELECT 1")
	reports, dir := fleet(t)
	var wall, unpaired int64
	var trials, plain int
	for _, list := range reports {
		for _, r := range list {
			wall += r.Quality.WallNS
			trials += len(r.Trials)
			for _, trial := range r.Trials {
				if trial.Variant == "" {
					plain++
				}
				for _, c := range trial.Cores {
					unpaired += int64(len(c.Classes))
				}
			}
		}
	}
	table := func(name string) string {
		return fmt.Sprintf("read_parquet('%s/**/*.parquet', hive_partitioning = true)", name)
	}
	for sql, want := range map[string]int64{
		"SELECT sum(wall_ns) FROM " + table("core_times"):                    wall,
		"SELECT sum(wall_ns) FROM " + table("runs") + " WHERE NOT recorded":  wall,
		"SELECT count(*) FROM " + table("trials") + " WHERE variant = ''":    int64(plain),
		"SELECT count(DISTINCT (report, trial)) FROM " + table("histograms"): int64(trials),
		"SELECT count(*) FROM " + table("cores") + " JOIN " + table("trials") +
			" USING (report, trial, variant)": unpaired,
		"SELECT count(*) FROM " + table("histograms") +
			" WHERE class IS NULL OR ended_by IS NULL OR load = ''": 0,
		"SELECT count(*) FROM " + table("trials") + " AS t ANTI JOIN " + table("runs") +
			" AS r ON t.report = r.report_id": 0,
	} {
		if diff := cmp.Diff([][]string{{fmt.Sprint(want)}}, duck(t, dir, sql)); diff != "" {
			t.Errorf("%s (-Go +DuckDB):\n%s", sql, diff)
		}
	}
	// The counts of picks in table cores are the sums of their buckets.
	got := duck(t, dir, `SELECT count(*) FROM (
		SELECT report, trial, core, class, pick_count AS n FROM `+table("cores")+` WHERE pick_count > 0 EXCEPT
		SELECT report, trial, core, class, sum("count") AS n FROM `+table("histograms")+`
		WHERE what = 'pick' GROUP BY ALL)`)
	if diff := cmp.Diff([][]string{{"0"}}, got); diff != "" {
		t.Errorf("picks (-Go +DuckDB):\n%s", diff)
	}
}
