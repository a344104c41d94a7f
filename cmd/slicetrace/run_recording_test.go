package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// readRecording reads a recording to its end.
func readRecording(t *testing.T, name string) (
	marks []recording.Mark, names map[string]bool, end recording.End,
) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := recording.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	names = map[string]bool{}
	for {
		frame, err := r.Next()
		if err == io.EOF {
			return marks, names, end
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case recording.Mark:
			marks = append(marks, f)
		case []recording.Task:
			for _, task := range f {
				names[task.Comm] = true
			}
		case recording.End:
			end = f
		}
	}
}

// eventsOf returns the times of the first and last switch of a recording, and how often each
// task was switched to, by its name.
func eventsOf(t *testing.T, name string) (first, last int64, names map[string]int) {
	t.Helper()
	got := call(t, "export", name, "--table", "switches")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	rows, err := csv.NewReader(strings.NewReader(got.out)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	names = map[string]int{}
	first = math.MaxInt64
	for _, row := range rows[1:] {
		at, err := strconv.ParseInt(row[column("time_ns")], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, last = min(first, at), max(last, at)
		if row[column("next_tid")] != "0" { // idle has no name
			names[row[column("next_comm")]]++
		}
	}
	return first, last, names
}

func TestRunRecords(t *testing.T) {
	bpftest.Require(t)
	got := call(t, append([]string{"run", "pipe", "--record", "r.rec", "-o", "r.json"}, short...)...)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	rec := r.Recording
	if rec == nil || rec.Lost != 0 || rec.Switches != rec.Counted || rec.Switches < r.Quality.Switches ||
		rec.ToolCPUNS <= 0 {
		t.Fatalf("the report says of the recording: %+v; counted in trials %d", rec, r.Quality.Switches)
	}
	file := filepath.Join(got.dir, "r.rec")
	marks, names, end := readRecording(t, file)
	if len(marks) != len(r.Trials) || end.Switches != rec.Switches || !names["st-pipe-0"] {
		t.Errorf("%d marks for %d trials, the end %+v", len(marks), len(r.Trials), end)
	}
	for i, m := range marks {
		trial := &r.Trials[i]
		isOf := m.Workload == trial.Workload && m.Mode == string(trial.Mode) && len(m.Workers) == len(trial.Workers)
		if m.EndNS-m.StartNS != trial.DurationNS || !isOf {
			t.Errorf("trial %d is marked %+v", i+1, m)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() != rec.Bytes || uint64(rec.Bytes) > 12*rec.Switches+100_000 {
		t.Errorf("%d bytes for %d switches, the file has %v, %v", rec.Bytes, rec.Switches, info, err)
	}
	if text := callIn(t, got.dir, "report", "-v", "r.json").out; !strings.Contains(text, "Recorded: ") {
		t.Errorf("the report does not say what was recorded: %s", text)
	}
}

func TestRunRecordsACommand(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "--record", "r.rec", "-o", "r.json", "--", "sh", "-c", "sleep 0.01; exit 7")
	if got.status != 7 {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	marks, names, end := readRecording(t, filepath.Join(got.dir, "r.rec"))
	if len(marks) != 1 || end.Switches == 0 ||
		marks[0].Workload != "sh" || marks[0].Mode != "command" || len(marks[0].Workers) < 2 {
		t.Errorf("marks %+v, end %+v", marks, end)
	}
	if !names["sleep"] || !names["sh"] {
		t.Errorf("neither sh nor sleep is named in %v", names)
	}
}

// If a recording fails, the report is saved all the same, and says that there is no recording.
func TestRecordingToAFullDisk(t *testing.T) {
	bpftest.Require(t)
	disk := t.TempDir()
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=64k"); err != nil {
		bpftest.Unavailable(t, "cannot mount a small disk: "+err.Error())
	}
	defer unix.Unmount(disk, 0)
	const manyForks = "for i in $(seq 2000); do (:); done"
	for _, args := range [][]string{
		{"yield", "--duration", "300ms", "--rounds", "1"}, {"--", "sh", "-c", manyForks},
		{"-q", "yield", "--duration", "300ms", "--rounds", "1"}, {"-q", "--", "sh", "-c", manyForks},
	} {
		got := call(t, append([]string{"run", "--record", filepath.Join(disk, "r.rec"), "-o", "r.json"}, args...)...)
		if got.status != exitFailed {
			t.Errorf("status %d, want %d", got.status, exitFailed)
		}
		if !strings.Contains(got.out+got.err, "there is no recording") {
			t.Errorf("%q: nothing says what is missing: %q, %q", args, got.out, got.err)
		}
		r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
		if err != nil {
			t.Fatal(err)
		}
		said := func(w string) bool {
			return strings.Contains(w, "there is no recording") && strings.Contains(w, "no space left on device")
		}
		if r.Recording != nil || !slices.ContainsFunc(r.Warnings, said) {
			t.Errorf("the report says %q of the recording %+v", r.Warnings, r.Recording)
		}
		if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
			t.Errorf("on the full disk are %v, %v", left, err)
		}
	}
}

func TestRecordingThatCannotBegin(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "pipe", "--record", "nowhere/r.rec")
	if got.status != exitFailed || len(got.files(t)) > 0 {
		t.Errorf("status %d, files %v", got.status, got.files(t))
	}
	got.checkOneSentence(t, "open output nowhere/r.rec")
}

// Each switch has the names that its tasks had at that time, however many names they had.
func TestEveryRowHasTheNameOfItsTime(t *testing.T) {
	bpftest.Require(t)
	names := func(format string, counts ...int) (all []string) {
		for i := range counts[0] {
			if len(counts) == 1 {
				all = append(all, fmt.Sprintf(format, i))
				continue
			}
			for j := range counts[1] {
				all = append(all, fmt.Sprintf(format, i, j))
			}
		}
		return all
	}
	for name, test := range map[string]struct {
		script string
		want   []string
	}{
		"one task's 40 names": {
			`i=0; while [ $i -lt 40 ]; do printf one-$i >/proc/self/comm; sleep 0.005; i=$((i+1)); done`,
			names("one-%d", 40),
		},
		"12 names each of four": {
			`for k in 0 1 2 3; do
				(i=0; while [ $i -lt 12 ]; do printf four-$k-$i >/proc/self/comm; sleep 0.003; i=$((i+1)); done) &
			done; wait`,
			names("four-%d-%d", 4, 12),
		},
		"a chain of ten executions": {
			`if [ -z "$n" ]; then
				n=0; for i in 0 1 2 3 4 5 6 7 8 9; do ln -s /bin/sh chain-$i; done
				cat /proc/$$/cmdline | tr '\0' '\n' | tail -n +3 >again
			else
				n=$((n+1))
			fi; export n; sleep 0.003; [ $n -lt 10 ] || exit 0; exec ./chain-$n -c "$(cat again)"`,
			names("chain-%d", 10),
		},
		"more names than switches": {
			`i=0; while [ $i -lt 3000 ]; do printf many-$i >/proc/self/comm; i=$((i+1)); done
			printf last >/proc/self/comm; sleep 0.01`,
			[]string{"last"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := tool(t, "run", "-q", "--record", "r.rec", "-o", "r.json", "--", "sh", "-c", test.script)
			got := finish(t, cmd)
			if got.status != exitDone {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			_, _, found := eventsOf(t, filepath.Join(cmd.Dir, "r.rec"))
			var missing []string
			for _, want := range test.want {
				if found[want] == 0 {
					missing = append(missing, want)
				}
			}
			if len(missing) > 0 {
				t.Errorf("no switch has the names %q", missing)
			}
			if found[""] > 0 {
				t.Errorf("%d switches lack the name of the task that got the core", found[""])
			}
			r, err := report.ReadFile(filepath.Join(cmd.Dir, "r.json"))
			if err != nil {
				t.Fatal(err)
			}
			if r.Recording.LostTasks > 0 {
				t.Errorf("%d names are lost", r.Recording.LostTasks)
			}
		})
	}
}

// Tasks that begin and end all the time do so also while the recording begins.
func TestNamesWhileARecordingBegins(t *testing.T) {
	bpftest.Require(t)
	for range 2 {
		shell := exec.Command("sh", "-c", "while :; do /bin/true; done")
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = shell.Process.Kill()
			_ = shell.Wait() // the error says that it was killed
		})
	}
	toShells := 0
	for range 12 {
		cmd := tool(t, "run", "-q", "--record", "r.rec", "-o", "r.json", "--", "sleep", "0.01")
		if got := finish(t, cmd); got.status != exitDone {
			t.Fatalf("status %d: %s", got.status, got.err)
		}
		_, _, found := eventsOf(t, filepath.Join(cmd.Dir, "r.rec"))
		if found[""] > 0 {
			t.Errorf("%d switches lack the name of the task that got the core", found[""])
		}
		toShells += found["true"]
	}
	if toShells < 100 {
		t.Errorf("only %d switches were to tasks of the shells", toShells)
	}
}
