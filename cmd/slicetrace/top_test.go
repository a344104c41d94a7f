package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/screen"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// intervalsOf reads the lines that top --format jsonl wrote. Each must be a trial of the published schema.
func intervalsOf(t *testing.T, lines string) []report.Trial {
	t.Helper()
	r := reporttest.System(reporttest.SystemSize{Cores: 1, Tasks: 1, Groups: 1, Intervals: 1})
	r.Trials = nil
	for line := range strings.Lines(lines) {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		var interval report.Trial
		if err := decoder.Decode(&interval); err != nil {
			t.Fatalf("%v: %.300s", err, line)
		}
		r.Trials = append(r.Trials, interval)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := reporttest.CheckSchema(data); err != nil {
		t.Error(err)
	}
	return r.Trials
}

// topJSON runs top for so many intervals of 200 ms and returns them.
func topJSON(t *testing.T, count int, args ...string) []report.Trial {
	t.Helper()
	got := call(t, append([]string{"top", "--format", "jsonl", "--interval", "200ms", "--count", strconv.Itoa(count)},
		args...)...)
	if got.status != exitDone || got.err != "" || len(got.files(t)) > 0 {
		t.Fatalf("%v: status %d: %s", args, got.status, got.err)
	}
	intervals := intervalsOf(t, got.out)
	if len(intervals) != count {
		t.Fatalf("%v: %d intervals, want %d", args, len(intervals), count)
	}
	return intervals
}

// Each interval is a line, a trial of its own number that is as long as was asked for.
func TestTopIntervals(t *testing.T) {
	bpftest.Require(t)
	for i, interval := range topJSON(t, 3) {
		d := time.Duration(interval.DurationNS)
		if interval.Mode != report.SystemMode || interval.Round != i+1 || interval.System == nil {
			t.Errorf("interval %d is %s, round %d", i+1, interval.Mode, interval.Round)
		}
		// A busy machine lets it read later, never earlier than the rest of a late interval before.
		if d < 50*time.Millisecond || d > waitLimit || i == 0 && d < 200*time.Millisecond {
			t.Errorf("interval %d took %v", i+1, d)
		}
		if len(interval.Cores) == 0 || len(interval.System.Tasks) == 0 {
			t.Errorf("interval %d has %d cores, %d tasks", i+1, len(interval.Cores), len(interval.System.Tasks))
		}
	}
}

// The formats show the same figures of an interval: text is what is computed from the line of JSON, and
// CSV has its tasks.
func TestTopFormatsAgree(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 60, Groups: 5, Intervals: 3})
	anyWidth := func() int { return 0 }
	for i := range r.Trials {
		r.Trials[i].Round = i + 1
	}
	for _, by := range live.Groupings() {
		var lines, text, table, again bytes.Buffer
		write := func(format string, out *bytes.Buffer) func(*report.Trial) error {
			return (&topOptions{format: format, by: by.String(), rows: 20}).writer(out, anyWidth)
		}
		jsonl, block, rows := write(topJSONL, &lines), write(topText, &text), write(topCSV, &table)
		for i := range r.Trials {
			for _, f := range []func(*report.Trial) error{jsonl, block, rows} {
				if err := f(&r.Trials[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		var onCPU, listed int64
		model := live.New(nil)
		for _, interval := range intervalsOf(t, lines.String()) {
			model.Add(&interval)
			model.Update()
			if err := screen.WriteBlock(&again, model, by, 20, 0); err != nil {
				t.Fatal(err)
			}
			for _, task := range interval.System.Tasks {
				onCPU += task.OnCPUNS
			}
			for _, tasks := range interval.System.Ended {
				onCPU += tasks.OnCPUNS
			}
		}
		if diff := cmp.Diff(again.String(), text.String()); diff != "" {
			t.Errorf("by %s: text (-of JSON +written):\n%s", by, diff)
		}
		records, err := csv.NewReader(&table).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		column := map[string]int{}
		for i, name := range records[0] {
			column[name] = i
		}
		trials := map[string]bool{}
		for _, record := range records[1:] {
			n, err := strconv.ParseInt(record[column["on_cpu_ns"]], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			listed += n
			trials[record[column["trial"]]] = true
			if record[column["trial"]] != record[column["round"]] {
				t.Fatalf("by %s: an interval is numbered otherwise: %q", by, record)
			}
		}
		if listed != onCPU || len(trials) != len(r.Trials) {
			t.Errorf("CSV has %d ns on cores in %d intervals, JSON %d ns", listed, len(trials), onCPU)
		}
	}
}

// A block of text has the machine's line, all cores, and tables of what was asked for.
func TestTopText(t *testing.T) {
	bpftest.Require(t)
	for _, by := range groupingNames() {
		got := call(t, "top", "--by", by, "--count", "1", "--interval", "100ms", "--rows", "1")
		lines := strings.Split(got.out, "\n")
		online := len(topJSON(t, 1)[0].Cores)
		if got.status != exitDone || got.err != "" || len(lines) < online+5 {
			t.Fatalf("status %d: %q, %q", got.status, got.out, got.err)
		}
		heads := []string{"slicetrace top · ", "cores ", "all "}
		for i, head := range append(heads, "core 0 ") {
			if !strings.HasPrefix(lines[i], head) {
				t.Errorf("line %d is %q, want %q", i, lines[i], head)
			}
		}
		if !strings.HasPrefix(lines[len(heads)+online], by+" ") {
			t.Errorf("by %s: %q", by, lines[len(heads)+online])
		}
	}
}

// Lines of text fit the terminal on which they are shown.
func TestTopTextFitsATerminal(t *testing.T) {
	for _, width := range []int{40, 80, 132, 300} {
		r := reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 60, Groups: 5, Intervals: 1})
		var out bytes.Buffer
		write := (&topOptions{format: topText, by: "task", rows: 5}).writer(&out, func() int { return width })
		if err := write(&r.Trials[0]); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
				t.Errorf("%d columns, of %d: %s", n, width, line)
			}
		}
	}
}

// Many cores are not all in a block, and it says how many more there are.
func TestTopTextOfManyCores(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 100, Tasks: 3, Groups: 1, Intervals: 1})
	var out bytes.Buffer
	write := (&topOptions{format: topText, by: "task", rows: 2}).writer(&out, func() int { return 0 })
	if err := write(&r.Trials[0]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ncore 63 ", "\n36 more cores\n", " more rows\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
	r.Trials[0].System.Tasks, r.Trials[0].System.Ended = nil, nil
	out.Reset()
	if err := write(&r.Trials[0]); err != nil {
		t.Fatal(err)
	}
	if want := "\nno task that is asked for has run"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in %s", want, out.String())
	}
}

// topSample is a line of top --format jsonl from a real machine, and topSampleWidth the terminal on which
// README.md shows it.
const (
	topSample      = "testdata/top.jsonl"
	topSampleWidth = 112
)

func topSampleOutput(t *testing.T, command string) string {
	intervals := intervalsOf(t, read(t, topSample))
	o := topOptions{format: topText, by: "task"}
	if _, err := fmt.Sscanf(command, "sudo slicetrace top --format text --count 1 --rows %d", &o.rows); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var out bytes.Buffer
	if err := o.writer(&out, func() int { return topSampleWidth })(&intervals[0]); err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}
