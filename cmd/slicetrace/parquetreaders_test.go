package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/table"
)

// readersVariable names a folder into which npm has installed DuckDB and
// ClickHouse. The Go bindings would bring several systems' libraries into the
// module graph.
const readersVariable = "SLICETRACE_PARQUET_READERS"

// database is a database that reads Parquet. By the bounds in the file, ClickHouse skips pages
// that cannot hold what is asked for, and DuckDB row groups.
type database string

const (
	duckDB     database = "DuckDB"
	clickHouse database = "ClickHouse"
)

// query runs queries in one process of a database, with files relative to dir, and
// returns the rows of each.
func query(t *testing.T, db database, dir string, queries []string) [][][]string {
	t.Helper()
	packages := os.Getenv(readersVariable)
	if packages == "" {
		bpftest.Unavailable(t, "needs DuckDB and ClickHouse: npm install --prefix FOLDER @duckdb/node-api chdb, "+
			"and set "+readersVariable+"=FOLDER")
	}
	script, err := filepath.Abs("testdata/query.js")
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{"database": db, "queries": queries})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(packages, "node_modules"))
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%s: %v: %s", db, err, exit.Stderr)
	}
	var answers [][][]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	texts := make([][][]string, len(answers))
	for i, rows := range answers {
		for _, row := range rows {
			var line []string
			for _, v := range row {
				line = append(line, fmt.Sprint(v))
			}
			texts[i] = append(texts[i], line)
		}
	}
	return texts
}

// parquetTable is a table in one file or more, and what its rows are.
type parquetTable struct {
	files   string
	columns []table.Column
	rows    [][]string // "" is NULL
}

// from is the table in a query.
func (p parquetTable) from(db database) string {
	if db == duckDB {
		return fmt.Sprintf("read_parquet('%s', hive_partitioning = %v)", p.files, strings.Contains(p.files, "*"))
	}
	return fmt.Sprintf("file('%s', Parquet)", p.files)
}

// exported exports a table with the tool, as CSV and as Parquet with columns before and
// after CSV's whose fields are the same in each row, and reads the CSV.
func exported(t *testing.T, dir, file, source, table string, columns []table.Column,
	before, after []string) parquetTable {
	t.Helper()
	if got := call(t, "export", source, "--table", table, "--format", "parquet", "-o", filepath.Join(dir,
		file)); got.status != exitDone {
		t.Fatal(got.err)
	}
	rows, err := csv.NewReader(strings.NewReader(call(t, "export", source, "--table", table).out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	p := parquetTable{files: file, columns: columns}
	for _, row := range rows[1:] {
		p.rows = append(p.rows, slices.Concat(before, row, after))
	}
	return p
}

// parquetTables returns all tables of a report without anything hostile, of a hostile one, of a
// recording, and of two hosts' reports together.
func parquetTables(t *testing.T, dir string) []parquetTable {
	t.Helper()
	var all []parquetTable
	full := reporttest.WithoutPick(reporttest.Full(2, 2))
	source := saveReport(t, "full.json", full)
	hostile := reporttest.Hostile(reporttest.Command())
	hostile.Trials[0].Variant = strings.Repeat("\U0010ffff", 999)
	hostileSource := saveReport(t, "hostile.json", hostile)
	for _, r := range []struct {
		source **report.Report
		file   string
	}{{&full, source}, {&hostile, hostileSource}} {
		var err error // as it was read: names made valid, findings computed
		if *r.source, err = readReport(r.file); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range table.Names() {
		table := identified(t, full, name, source)
		before := []string{full.ID(), full.Created.Format(time.RFC3339), full.Host.Kernel, full.Host.CPUModel}
		after := []string{full.ID(), source}
		if name == "runs" { // it has the other columns anyway
			before, after = before[:1], after[1:]
		}
		all = append(all, exported(t, dir, name+".parquet", source, name, table.columns, before, after))
		// CSV changes hostile texts, so these rows come from the report.
		table = identified(t, hostile, name, hostileSource)
		table.files = "hostile-" + name + ".parquet"
		if got := call(t, "export", hostileSource, "--table", name, "--format", "parquet", "-o",
			filepath.Join(dir, table.files)); got.status != exitDone {
			t.Fatal(got.err)
		}
		all = append(all, table)
	}
	// The files of two hosts are one table.
	for _, name := range []string{"trials", "cores", "quality", "runs", "core_times"} {
		all = append(all, fleetTable(t, dir, name, source, full))
	}
	recorded := longRecording(t)
	for name, columns := range map[string]string{
		"switches": `time_ns core prev_tid prev_comm:text next_tid next_comm:text
			slice_ns pick_ns switch_ns class:text ended_by:text prev_state:text lost_before`,
		"wakeups": "time_ns core tid comm:text target_core lost_before",
		"tasks":   "time_ns tid pid comm:text parent_tid",
		"marks":   "workload:text variant:name mode:text round start_ns end_ns worker_tids:text",
	} {
		var list []table.Column
		for _, word := range strings.Fields(columns) {
			name, kind, text := strings.Cut(word, ":")
			c := table.Column{Name: name, KeepEmpty: kind == "name"}
			if text {
				c.Kind = table.Text
			}
			list = append(list, c)
		}
		// A report has a table tasks too.
		all = append(all, exported(t, dir, "recorded-"+name+".parquet", recorded, name, list, nil, nil))
	}
	return all
}

// identified is a table as Parquet holds it, from the report itself.
func identified(t *testing.T, r *report.Report, name, file string) parquetTable {
	t.Helper()
	tab, err := table.Of(r, name)
	if err != nil {
		t.Fatal(err)
	}
	tab = table.InFleet(r, tab, file)
	p := parquetTable{columns: tab.Columns}
	for row := range tab.Rows {
		var texts []string
		for _, f := range row {
			texts = append(texts, strings.ToValidUTF8(f.String(), "\uFFFD"))
		}
		p.rows = append(p.rows, texts)
	}
	return p
}

// fleetTable exports one report as two hosts', whose names are columns too.
func fleetTable(t *testing.T, dir, name, source string, r *report.Report) parquetTable {
	t.Helper()
	p := identified(t, r, name, source)
	p.files = "fleet/" + name + "/**/*.parquet"
	p.columns = append(slices.Clone(p.columns), table.Column{Name: "host", Kind: table.Text})
	one := p.rows
	p.rows = nil
	for _, host := range []string{"web-1", "web-2"} {
		got := call(t, "export", source, "--table", name, "--format", "parquet", "-o", filepath.Join(dir,
			"fleet"), "--host", host)
		if got.status != exitDone {
			t.Fatal(got.err)
		}
		for _, row := range one {
			p.rows = append(p.rows, append(slices.Clone(row), host))
		}
	}
	return p
}

// longRecording saves a recording whose switches take more than one row group, with
// pages in which nothing was timed, and tasks that change their names.
func longRecording(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "long.rec")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := recording.NewWriter(f, recording.Header{CPUs: []sched.CPU{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	const blocks, events = 70, 8192 // 573 440: a row group is 524 288 rows
	var now int64
	for block := range blocks {
		b := recording.Block{CPU: sched.CPU(block % 2), Lost: uint64(block % 7)}
		tid := sched.TID(1000 + block)
		err = errors.Join(err, w.Tasks([]recording.Task{
			{TimeNS: now, TID: tid, TGID: sched.PID(tid), Comm: fmt.Sprintf("task/%d", block)}, {TimeNS: now, TID: 7,
				TGID: 7, Comm: fmt.Sprintf("%c-name", 'a'+block%26)},
		}))
		for i := range events {
			now += 1 + int64(i%13)
			e := recording.Event{
				TimeNS: now, Prev: 7, Next: tid, SliceNS: now % 9973, PickNS: -1, SwitchNS: -1,
				Class: uint8(i % 5), EndedBy: uint8(block % 6), State: "RSD"[i%3],
			}
			if block > 50 {
				e.PickNS, e.SwitchNS = int64(i%400), int64(i%251)
			}
			b.Events = append(b.Events, e)
			if i%1000 == 7 {
				e.Next = 99 // whose name is not known
			}
			if i%100 == 0 {
				b.Events = append(b.Events, recording.Event{TimeNS: now, Kind: recording.Wakeup, Next: tid,
					CPU: sched.CPU(i % 2)})
			}
		}
		err = errors.Join(err, w.Block(b), w.Mark(recording.Mark{
			Workload: "pipe", Mode: []string{"processes", "threads"}[block%2], Round: block, StartNS: now - 100,
			EndNS: now, Workers: []sched.TID{7, tid},
		}))
	}
	if err := errors.Join(err, w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	return name
}

// A filter on any column of any table finds the same rows in each database as in the table.
func TestParquetReadersFindWhatIsThere(t *testing.T) {
	query(t, duckDB, ".", []string{"SELECT 1"})
	dir := t.TempDir()
	type question struct {
		what string
		want int
	}
	var questions []question
	queries := map[database][]string{}
	for _, table := range parquetTables(t, dir) {
		for i, c := range table.columns {
			for _, f := range filters(c, sample(c, table.rows, i)) {
				n := 0
				for _, row := range table.rows {
					if f.match(row[i]) {
						n++
					}
				}
				questions = append(questions, question{fmt.Sprintf("%s: %s %.60s", table.files, c.Name, f.name), n})
				for db, condition := range f.sql {
					queries[db] = append(queries[db], fmt.Sprintf("SELECT count(*) FROM %s WHERE %s",
						table.from(db), condition))
				}
			}
		}
	}
	for db, list := range queries {
		t.Run(string(db), func(t *testing.T) {
			t.Parallel()
			wrong := 0
			for i, rows := range query(t, db, dir, list) {
				if got := rows[0][0]; got != strconv.Itoa(questions[i].want) {
					if wrong++; wrong <= 20 {
						t.Errorf("finds %s rows, want %d: %s", got, questions[i].want, questions[i].what)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d answers are wrong", wrong, len(list))
			}
		})
	}
}
