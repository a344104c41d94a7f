package profile_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/profile"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func folded(t testing.TB, r *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := profile.Folded(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Lines of several trials are added up, and those of a task asleep stay apart from those of a task that
// waits for a core at the same stack.
func TestFoldedStacks(t *testing.T) {
	r := reporttest.Blocked()
	r.Trials = append(r.Trials, reporttest.Blocked().Trials[0], report.Trial{})
	lock := "main;Queue<Job, 16>::pop(Job&);std::mutex::lock()_[i];__lll_lock_wait;futex_wait_queue_[k];schedule_[k]"
	disk := "main;[libjobs.so];[libjobs.so];ext4_file_read_iter_[k];io_schedule_[k];schedule_[k]"
	pid := fmt.Sprintf("[pid %d]", r.Trials[0].Workers[0].PID+1)
	want := []string{
		pid + ";sh;blocked;[no stack] 3000000",
		pid + ";sh;runnable;[no stack] 1998",
		"make;jobs;blocked;" + disk + " 400000000",
		"make;jobs;runnable;" + disk + " 2000000",
		"make;jobs;runnable;main.(*pool).run;main.step_[i];[unknown];preempt_schedule_irq_[k];schedule_[k] 100000000",
		"make;jobs;throttled;" + disk + " 60000000",
		"make;make;blocked;" + lock + " 1800000000",
		"make;make;runnable;" + lock + " 6000000",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(folded(t, r), "\n"), "\n")); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// foldedLine is how flamegraph.pl reads a line; otherLine is a line of which it takes two counts.
var (
	foldedLine = regexp.MustCompile(`^(.*)\s+?(\d+(?:\.\d*)?)$`)
	otherLine  = regexp.MustCompile(`^(.*)\s+?(\d+(?:\.\d*)?)\s+?(\d+(?:\.\d*)?)$`)
)

// checkFolded fails unless flamegraph.pl would read from the text what the report has.
func checkFolded(t *testing.T, r *report.Report, text string, depth map[int]bool) {
	t.Helper()
	checkPrintable(t, text)
	var sum int64
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := foldedLine.FindStringSubmatch(line)
		if m == nil || otherLine.MatchString(line) {
			t.Fatalf("not a line with one count: %q", line)
		}
		names := strings.Split(m[1], ";")
		for _, name := range names {
			if strings.TrimSpace(name) != name || name == "" {
				t.Errorf("name %q in %q", name, line)
			}
		}
		if !depth[len(names)-3] {
			t.Errorf("%d functions in %q", len(names)-3, line)
		}
		n, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if want := sums(r)[0]; sum != want {
		t.Errorf("the lines add up to %d, the report to %d", sum, want)
	}
}

// Names that have a meaning in folded stacks keep neither it nor those of others.
func TestFoldedNamesAreOneName(t *testing.T) {
	for name, want := range map[string]string{
		"a;b": "a:b", "tail 12": "tail_12", "tail  1.5": "tail__1.5", " lead": "_lead", "end  ": "end__", "12": "12",
		"a\nb": `a\x0ab`, "f(int, int)": "f(int, int)", "   ": "___", "\x1b[2J": `\x1b[2J`,
	} {
		r := reporttest.Blocked()
		r.Frames[7] = report.Frame{Function: name}
		r.Stacks[0] = report.Stack{7}
		r.Trials[0].Why.Waits = r.Trials[0].Why.Waits[:1]
		if text := folded(t, r); !strings.HasPrefix(text, "make;make;blocked;"+want+" 900000000\n") {
			t.Errorf("%q is written %s", name, text)
		}
		checkFolded(t, r, folded(t, r), map[int]bool{1: true})
	}
}
