package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/table"
)

// saveReport saves a report for a test and returns its name.
func saveReport(t *testing.T, name string, r *report.Report) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := reporttest.WriteFile(name, r); err != nil {
		t.Fatal(err)
	}
	return name
}

// saveRecording saves a recording of some switches of one core.
func saveRecording(t *testing.T, switches int) string {
	t.Helper()
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{CPUs: []sched.CPU{0}})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(2, 3)) // or it would compress to nothing
	b := recording.Block{}
	for i := range switches {
		b.Events = append(b.Events, recording.Event{
			TimeNS: int64(i), Prev: 7, Next: 7, SliceNS: random.Int64N(1e9), PickNS: -1, SwitchNS: 2, State: 'S',
		})
	}
	tasks := []recording.Task{{TID: 7, TGID: 7, Comm: "=seven"}}
	err = errors.Join(w.Tasks(tasks), w.Block(b), w.Close(recording.End{}))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "r.rec")
	if err := os.WriteFile(name, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// tree lists the files below a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestExportOfSeveralReportsNamesThem(t *testing.T) {
	a, b := reporttest.Bundled(1, 1), reporttest.Command()
	first, second := saveReport(t, "=a.json", a), saveReport(t, "b.json", b)
	dir := filepath.Dir(first)
	cmd := tool(t, "export", "=a.json", second, "--table", "trials")
	cmd.Dir = dir
	got := finish(t, cmd)
	rows, err := csv.NewReader(strings.NewReader(got.out)).ReadAll()
	if err != nil || got.status != exitDone {
		t.Fatalf("status %d, %v: %s", got.status, err, got.err)
	}
	want := []string{"report"}
	want = append(append(want, slices.Repeat([]string{"'=a.json"}, len(a.Trials))...), second)
	var column []string
	for _, row := range rows {
		column = append(column, row[0])
	}
	if diff := cmp.Diff(want, column); diff != "" {
		t.Errorf("first column (-want +got):\n%s", diff)
	}
	identity := strings.Join([]string{b.ID(), second, "2026-11-22T20:11:00Z", b.Host.Kernel, b.Host.CPUModel}, ",")
	alone := call(t, "export", second, "--table", "trials")
	if last := strings.Split(alone.out, "\r\n")[1]; !strings.HasSuffix(got.out, ","+last+","+identity+"\r\n") {
		t.Errorf("alone the last row is %q, and of several %q", last, got.out[len(got.out)-len(last)-100:])
	}
	ends := strings.Split(strings.SplitN(got.out, "\r\n", 2)[0], ",")
	lastColumns := []string{"report_id", "file", "created", "kernel", "cpu_model"}
	if diff := cmp.Diff(lastColumns, ends[len(ends)-5:]); diff != "" {
		t.Errorf("last columns (-want +got):\n%s", diff)
	}
	runs := call(t, "export", first, second, "--table", "runs")
	rows, err = csv.NewReader(strings.NewReader(runs.out)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "report" || rows[0][1] != "report_id" ||
		rows[2][0] != second || rows[2][1] != b.ID() {
		t.Errorf("runs: %v, %q", err, runs.out)
	}
	if slices.Index(rows[0], "kernel") != slices.Index(rows[0], "machine")+1 || rows[0][len(rows[0])-1] != "file" {
		t.Errorf("runs names twice what it has already: %q", rows[0])
	}
	got = call(t, "export", first, second, "--table", "trials", "-o", "t.csv")
	if got.out != "" || !slices.Equal(got.files(t), []string{"t.csv"}) {
		t.Errorf("with -o: %q, %v", got.out, got.files(t))
	}
}

func TestExportToFolders(t *testing.T) {
	a, b := reporttest.Bundled(1, 1), reporttest.Hostile(reporttest.Command())
	first, second := saveReport(t, "a.json", a), saveReport(t, "b.json", b)
	b, err := report.ReadFile(second) // its names are valid now
	if err != nil {
		t.Fatal(err)
	}
	ids := func(host string, r *report.Report) string {
		return "host=" + host + "/date=2026-11-22/" + r.ID() + ".parquet"
	}
	cmd := tool(t, "export", first, second, "--format", "parquet", "-o", "fleet")
	cmd.Env = append(cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534")
	got := finish(t, cmd)
	if got.status != exitDone || got.out != "" || got.err != "" {
		t.Fatalf("status %d: %q %q", got.status, got.out, got.err)
	}
	var want []string
	for _, table := range table.Names() {
		want = append(want, table+"/"+ids(a.Host.ID(), a), table+"/"+ids(b.Host.ID(), b))
	}
	slices.Sort(want)
	fleet := filepath.Join(got.dir, "fleet")
	if diff := cmp.Diff(want, tree(t, fleet)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if os.Geteuid() == 0 {
		for _, name := range []string{"", "cores", "cores/host=" + a.Host.ID(), want[0]} {
			info, err := os.Stat(filepath.Join(fleet, name))
			if err != nil {
				t.Fatal(err)
			}
			if st := info.Sys().(*syscall.Stat_t); st.Uid != nobody || st.Gid != nobody {
				t.Errorf("%q belongs to %d:%d", name, st.Uid, st.Gid)
			}
		}
	}
	got = call(t, "export", first, "--format", "parquet", "--table", "cores,trials", "-o", ".", "--host", "a b/../ü")
	want = []string{"cores/" + ids("a%20b%2F..%2F%C3%BC", a), "trials/" + ids("a%20b%2F..%2F%C3%BC", a)}
	if diff := cmp.Diff(want, tree(t, got.dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	got = call(t, "export", first, second, "--format", "parquet", "--table", "cores", "-o", "c.parquet")
	if !slices.Equal(tree(t, got.dir), []string{"c.parquet"}) {
		t.Errorf("one file: %v, %s", tree(t, got.dir), got.err)
	}
}

func TestExportOfARecording(t *testing.T) {
	name := saveRecording(t, 10_007)
	got := call(t, "export", name, "--table", "switches")
	if n := strings.Count(got.out, "\r\n"); got.status != exitDone || n != 1+10_007 {
		t.Errorf("status %d, %d lines: %s", got.status, n, got.err)
	}
	if !regexp.MustCompile(`\r\n23,0,7,'=seven,7,'=seven,[0-9]+,,2,thread,blocked,S,0\r\n`).MatchString(got.out) {
		t.Errorf("it begins with %.300s", got.out)
	}
	tasks := call(t, "export", name, "--table", "tasks", "--format", "parquet")
	if tasks.status != exitDone || kindOf(tasks.out) != "parquet" {
		t.Errorf("Parquet: status %d, %d bytes: %s", tasks.status, len(tasks.out), tasks.err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:len(whole)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	cut := call(t, "export", name, "--table", "switches")
	cut.checkOneSentence(t, "cut short")
	if cut.status != exitFailed || cut.out != got.out {
		t.Errorf("cut: status %d, %d bytes of %d", cut.status, len(cut.out), len(got.out))
	}
	cut = call(t, "export", name, "--table", "switches", "-o", "s.csv")
	cut.checkOneSentence(t, "cut short")
	data, err := os.ReadFile(filepath.Join(cut.dir, "s.csv"))
	if err != nil || string(data) != got.out || cut.status != exitFailed {
		t.Errorf("cut, with -o: status %d, %d bytes, %v", cut.status, len(data), err)
	}
}

func TestExportRefuses(t *testing.T) {
	report, rec := saveReport(t, "r.json", reporttest.Command()), saveRecording(t, 3)
	why := saveReport(t, "why.json", reporttest.Blocked())
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{report + " " + rec + " --table cores", 2, "one recording at a time"},
		{rec + " " + report + " --table cores", 2, "one recording at a time"},
		{rec + " " + rec + " --table switches", 2, "one recording at a time"},
		{report + " no-such-file --table cores", 1, "no-such-file"},
		{report + " --table switches", 2, "the tables are trials"},
		{rec + " --table cores", 2, "switches, wakeups, tasks, marks"},
		{rec, 2, "of a recording: switches"},
		{rec + " --format parquet -o x", 2, "name a table with --table: switches"},
		{rec + " --table tasks --host x", 2, "--host"},
		{report + " --table cores --host x", 2, "--host"},
		{report + " --format parquet --table cores -o f.parquet --host x", 2, "--host"},
		{report + " --format parquet -o f --host=", 2, "--host is empty"},
		{report + " --format parquet -o f --host " + strings.Repeat("x", 81), 2, "80 bytes"},
		{report + " --format parquet -o f --host a\x01b", 2, "control"},
		{report + " --table cores,trials", 2, "name one table"},
		{report + " --table cores --table cores", 2, "twice"},
		{report + " --format parquet", 2, "name a table"},
		{report + " --format parquet -o all.parquet", 2, "one file"},
		{report + " --format xml --table cores", 2, "csv, parquet, perfetto"},
		{report + " --format pprof -o x", 2, "has none: slicetrace run --why"},
		{report + " --format folded", 2, "has none: slicetrace run --why"},
		{rec + " --format pprof", 2, "is a recording"},
		{why + " --format pprof --table cores", 2, "leave --table out"},
		{why + " --format folded --host x", 2, "--host"},
		{why + " " + why + " --format folded", 2, "one by one"},
		{why + " --format pprof -o " + why, 2, "give it another name"},
		{report + " --table cores --output=", 2, "--output is empty"},
		{report + " --table cores -o no/such/file", 1, "-o"},
		{report + " --format parquet -o no/such", 1, "choose a folder"},
		{"--schema " + report, 2, "reads no file"},
		{"--schema --format parquet", 2, "--schema writes JSON"},
		{"--schema --host x", 2, "--schema writes JSON"},
		{"--schema --table core", 2, `did you mean "cores"`},
		{"--schema --table cores,trials", 2, "name one table"},
		{report + " --format parquet -o " + report, 1, "not a directory"},
	} {
		got := call(t, append([]string{"export"}, strings.Split(c.args, " ")...)...)
		got.checkOneSentence(t, c.says)
		if got.status != c.status || got.out != "" || len(got.files(t)) > 0 {
			t.Errorf("%s: status %d, output %q, files %v", c.args, got.status, got.out, got.files(t))
		}
	}
}

// The first bytes of a recording are recognised as a recording that was cut short, however few
// they are. A file without any byte is empty.
func TestExportOfTheBeginningOfARecording(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "cut.rec")
	for _, n := range []int{0, 1, 4, 8, 9, 11, 30} {
		says := "cut short"
		if n == 0 {
			says = "the file is empty"
		}
		if err := os.WriteFile(name, reporttest.Recording()[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"export", name, "--table", "switches"},
			{"export", name, "--format", "perfetto", "-o", filepath.Join(dir, "trace")},
		} {
			got := call(t, args...)
			got.checkOneSentence(t, says)
			got.checkOneSentence(t, name)
			if got.status != exitFailed || got.out != "" {
				t.Errorf("%d bytes: status %d, %q", n, got.status, got.out)
			}
		}
	}
}
