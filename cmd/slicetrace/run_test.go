package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/workloads"
)

// short are flags for a run that measures little.
var short = []string{"--rounds", "2", "--duration", "100ms"}

func TestRunMeasuresSavesAndExports(t *testing.T) {
	bpftest.Require(t)
	got := call(t, append([]string{"run", "-v", "futex", "yield"}, short...)...)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	for _, section := range []string{
		"slicetrace · Linux ", "Switch cost per core", "Time slices", "Processes or threads", "Trust",
	} {
		if !strings.Contains(got.out, section) {
			t.Errorf("standard output lacks %q", section)
		}
	}
	if !strings.HasPrefix(got.err, "Saved slicetrace-") || strings.Count(got.err, "\n") != 1 {
		t.Errorf("standard error is %q, want where the report is", got.err)
	}
	r := got.saved(t)
	if n := len(r.Trials); n != 2*2*2 {
		t.Errorf("%d trials, want 2 workloads × 2 modes × 2 rounds", n)
	}
	q := r.Quality
	if q.ComparedWorkers == 0 || q.ReconciledWorkers != q.Workers || q.Lost.Total() != 0 ||
		q.ProbeFloorNS == nil || *q.ProbeFloorNS <= 0 {
		t.Errorf("the figures are not to be trusted: %+v", q)
	}
	var before int64
	for _, trial := range r.Trials {
		// Each starts after the one before has ended, and the first soon after the run.
		if trial.StartedNS == nil || *trial.StartedNS < before || *trial.StartedNS > before+60e9 {
			t.Errorf("%s starts at %v ns, and the one before has ended at %d ns",
				trial.Workload, trial.StartedNS, before)
		} else {
			before = *trial.StartedNS + trial.DurationNS
		}
		if n := trial.ToolSwitches; n == nil || *n == 0 {
			t.Errorf("%s: the tool waits for the workers, and was switched out %v times", trial.Workload, n)
		}
	}
	name := filepath.Join(got.dir, got.files(t)[0])
	if data, err := os.ReadFile(name); err != nil || reporttest.CheckSchema(data) != nil {
		t.Errorf("a real report does not follow the published schema: %v, %v", err, reporttest.CheckSchema(data))
	}
	if again := call(t, "report", "-v", name); again.out != got.out {
		t.Errorf("report shows something else than run did:\n%s", again.out)
	}
	for _, table := range table.Names() {
		exported := call(t, "export", name, "--table", table)
		rows, err := csv.NewReader(strings.NewReader(exported.out)).ReadAll()
		// Neither of the two workloads has figures of its own, and only a watch fills four of the tables.
		empty := slices.Contains([]string{"figures", "groups", "processes", "tasks", "stacks", "pairs"}, table)
		if err != nil || (len(rows) == 1) != empty {
			t.Errorf("table %s: %d rows, %v, %s", table, len(rows), err, exported.err)
		}
	}
}

// ownFigures are the figures that workloads measure themselves.
var ownFigures = map[string][]string{
	"counter":     {"counted", "others_words_seen_ppm"},
	"interactive": {"chunks_beside"},
	"spawn":       {"create_call_ns", "join_wait_ns", "parent_resident_bytes"},
	"workingset":  {"walk_switched_p50_ns", "walk_alone_p50_ns"},
}

// Without names, a run is of every variant of every workload.
func TestRunOfEverything(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "-q", "--rounds", "1", "--duration", "10ms")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	var want, have []string
	all := workloads.Plan{
		Workloads: workloads.Catalogue(), Modes: []workloads.Mode{workloads.Processes, workloads.Threads}, Rounds: 1,
	}
	for _, trial := range all.Trials() {
		want = append(want, trial.Workload+" "+trial.Variant+" "+string(trial.Mode))
	}
	for _, trial := range got.saved(t).Trials {
		have = append(have, trial.Workload+" "+trial.Variant+" "+string(trial.Mode))
		var figures []string
		for _, f := range trial.Figures {
			figures = append(figures, f.Name)
		}
		if diff := cmp.Diff(ownFigures[trial.Workload], figures); diff != "" {
			t.Errorf("figures of %s (-want +got):\n%s", trial.Workload, diff)
		}
		if (trial.Workload == "spawn") != (trial.Created != nil) {
			t.Errorf("%s created %+v", trial.Workload, trial.Created)
		}
		for _, w := range trial.Workers {
			if dies := trial.Workload == "crash" && (w.Index == 0 || trial.Mode == report.Threads); w.Exited != dies {
				t.Errorf("worker %d of %s in %s has exited: %v", w.Index, trial.Workload, trial.Mode, w.Exited)
			}
			if nice := 5 * (w.Index % 2); trial.Variant == "nice" && w.Nice != nice {
				t.Errorf("worker %d has nice level %d, want %d", w.Index, w.Nice, nice)
			}
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
}

// A phase that is left out has no figures, and nothing else is missing.
func TestRunTimesThePhasesThatAreAskedFor(t *testing.T) {
	bpftest.Require(t)
	full := call(t, append([]string{"run", "pipe"}, short...)...).saved(t).Capture
	for _, phases := range []string{"none", "pick", "switch", "switch,pick"} {
		got := call(t, append([]string{"run", "-v", "pipe", "--phases", phases}, short...)...)
		if got.status != exitDone {
			t.Fatalf("--phases %s: status %d: %s", phases, got.status, got.err)
		}
		r := got.saved(t)
		want := full
		if !strings.Contains(phases, "pick") {
			want.Pick = ""
		}
		if !strings.Contains(phases, "switch") {
			want.Switch = ""
		}
		if r.Capture.Pick != want.Pick || r.Capture.Switch != want.Switch {
			t.Errorf("--phases %s: the hooks are %+v, want %+v", phases, r.Capture, want)
		}
		if strings.Contains(got.out, "the hook floor is absent") {
			t.Errorf("--phases %s: the report warns of a floor that no phase has", phases)
		}
		asked := strings.Count(phases, "pick") + strings.Count(phases, "switch")
		if left := strings.Count(got.out, "not asked for"); left != 2-asked {
			t.Errorf("--phases %s: the report says of %d phases that they were not asked for", phases, left)
		}
		var switches, picks, switchPhases uint64
		for i := range r.Trials {
			for _, core := range r.Trials[i].Cores {
				for _, class := range core.Classes {
					switches += class.Switches
					picks += class.Pick.Count
					switchPhases += class.Switch.Count
				}
			}
		}
		if switches == 0 || picks > 0 != (want.Pick != "") || switchPhases > 0 != (want.Switch != "") {
			t.Errorf("--phases %s: of %d switches %d picks and %d switch phases were timed",
				phases, switches, picks, switchPhases)
		}
		hasFloor := want.Pick != "" || want.Switch != ""
		if q := r.Quality; q.ReconciledWorkers != q.Workers || q.Lost.Total() != 0 || q.AccountingErrorPPM > 1000 ||
			(q.ProbeFloorNS != nil) != hasFloor {
			t.Errorf("--phases %s: the figures are not to be trusted: %+v", phases, q)
		}
	}
}

func TestRunFormats(t *testing.T) {
	bpftest.Require(t)
	args := append([]string{"run", "futex", "--mode", "threads"}, short...)
	got := call(t, append(args, "--format", "csv")...)
	if !strings.HasPrefix(got.out, "workload,mode,round,core,class,") {
		t.Errorf("csv begins with %.80q; %s", got.out, got.err)
	}
	got = call(t, append(args, "--format", "json")...)
	if r, err := report.Decode(strings.NewReader(got.out)); err != nil || len(r.Trials) != 2 {
		t.Errorf("json: %v", err)
	}
	if got := call(t, append(args, "-q")...); got.out != "" || got.err != "" || len(got.saved(t).Trials) != 2 {
		t.Errorf("quiet says %q and %q", got.out, got.err)
	}
}

// Runs within one second do not overwrite each other's reports.
func TestRunTwiceKeepsBothReports(t *testing.T) {
	bpftest.Require(t)
	first := tool(t, "run", "-q", "--", "true")
	finish(t, first)
	for range 5 {
		again := tool(t, "run", "-q", "--", "true")
		again.Dir = first.Dir
		finish(t, again)
	}
	if names := (invocation{dir: first.Dir}).files(t); len(names) != 6 {
		t.Errorf("6 runs left %v", names)
	}
}

// The report is saved even if its reader stops reading.
func TestRunIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	read.Close()
	cmd := tool(t, append([]string{"run", "yield", "-o", "r.json"}, short...)...)
	cmd.Stdout = write
	if err := cmd.Run(); err == nil {
		t.Error("status 0 although nobody could read the report")
	}
	if r := (invocation{dir: cmd.Dir}).saved(t); len(r.Trials) != 4 {
		t.Errorf("%d trials are saved", len(r.Trials))
	}
}

func TestRunUnderSudoGivesTheReportToTheCaller(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, append([]string{"run", "spin", "-o", "r.json"}, short...)...)
	cmd.Env = append(cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534")
	got := finish(t, cmd)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	info, err := os.Stat(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != nobody || st.Gid != nobody {
		t.Errorf("the report belongs to %d:%d", st.Uid, st.Gid)
	}
	cmd = tool(t, "run", "-q", "--", "sh", "-c", "id -u; id -g; id -G")
	cmd.Env = append(cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534")
	if got := finish(t, cmd); !strings.HasPrefix(got.out, "65534\n65534\n65534") {
		t.Errorf("the program ran as %q; %s", got.out, got.err)
	}
	cmd = tool(t, "run", "-q", "--keep-root", "--", "id", "-u")
	cmd.Env = append(cmd.Env, "SUDO_UID=65534", "SUDO_GID=65534")
	if got := finish(t, cmd); got.out != "0\n" {
		t.Errorf("with --keep-root the program ran as %q; %s", got.out, got.err)
	}
}

// CAP_BPF and CAP_PERFMON are all that tracing needs.
func TestRunWithoutRoot(t *testing.T) {
	bpftest.Require(t)
	args := append([]string{"run", "spin"}, short...)
	got := finish(t, asNobody(t, tool(t, args...), unix.CAP_BPF, unix.CAP_PERFMON))
	if got.status != exitDone {
		t.Fatalf("with both capabilities: status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	if q := r.Quality; q.ReconciledWorkers != q.Workers || q.Workers == 0 {
		t.Errorf("%d of %d workers reconciled", q.ReconciledWorkers, q.Workers)
	}
	if r.Capture.Tick == "" {
		t.Error("ticks are absent")
	}
	for missing, given := range map[string][]uintptr{
		"needs CAP_BPF and CAP_PERFMON:": nil,
		"needs CAP_PERFMON:":             {unix.CAP_BPF},
		"needs CAP_BPF:":                 {unix.CAP_PERFMON},
	} {
		// User nobody may not write there either, but the missing capability comes first.
		got := finish(t, asNobody(t, tool(t, append(args, "-o", "/r.json")...), given...))
		got.checkOneSentence(t, missing)
		if got.status != exitFailed || len(got.files(t)) > 0 {
			t.Errorf("%s status %d, left %v", missing, got.status, got.files(t))
		}
	}
}

func TestKilledToolLeavesNothing(t *testing.T) {
	bpftest.Require(t)
	for _, mode := range []string{"processes", "threads"} {
		cmd := tool(t, "run", "spin", "--mode", mode, "--duration", "1h", "--workers", "9")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitWorkers(t, cmd)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		checkNoWorkers(t, cmd)
		if left := (invocation{dir: cmd.Dir}).files(t); len(left) > 0 {
			t.Errorf("%s: left %v", mode, left)
		}
	}
}

func TestCrashedWorkerIsAnError(t *testing.T) {
	bpftest.Require(t)
	for _, load := range []string{"yield", "socket"} { // of one variant each
		t.Run(load, func(t *testing.T) { crashWorker(t, load) })
	}
}

func crashWorker(t *testing.T, load string) {
	cmd := tool(t, "run", load, "--duration", "1h", "--mode", "processes")
	got := finish(t, cmd, func() {
		hosts := awaitWork(t, cmd, anyTrial)
		_ = unix.Kill(hosts[0], unix.SIGSEGV)
	})
	if got.status != exitFailed || len(got.files(t)) > 0 {
		t.Errorf("status %d, left %v", got.status, got.files(t))
	}
	got.checkOneSentence(t, "worker")
	checkNoWorkers(t, cmd)
}
