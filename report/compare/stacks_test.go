package compare_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func longer(factor int64) func(*report.StackWait) {
	return func(w *report.StackWait) { w.BlockedNS, w.WaitNS = factor*w.BlockedNS, factor*w.WaitNS }
}

// without returns a copy of a report in which no time was spent at stacks that have a function.
func without(r *report.Report, function string) *report.Report {
	return reporttest.AtStacks(r, function, longer(0))
}

// otherwise returns a copy of a report with the same stacks, but as another run would have them: in another
// order, with other addresses, and with other functions of the scheduler.
func otherwise(r *report.Report) *report.Report {
	out := reporttest.Copy(r)
	slices.Reverse(out.Frames)
	slices.Reverse(out.Stacks)
	for i := range out.Frames {
		if f := &out.Frames[i]; f.Address != 0 {
			f.Address += 0x1000
		}
		if f := &out.Frames[i]; f.Function == "schedule" {
			f.Function = "schedule_timeout"
		}
	}
	for _, stack := range out.Stacks {
		for i := range stack {
			stack[i] = len(out.Frames) - 1 - stack[i]
		}
	}
	for i := range out.Trials {
		for j := range out.Trials[i].Why.Waits {
			w := &out.Trials[i].Why.Waits[j]
			w.Stack = len(out.Stacks) - 1 - w.Stack
			if w.Waker != nil && w.Waker.Stack >= 0 {
				w.Waker.Stack = len(out.Stacks) - 1 - w.Waker.Stack
			}
		}
	}
	return out
}

// stacksOf returns the compared stacks by a function that only one of them has.
func stacksOf(t *testing.T, c *compare.Comparison) map[string]compare.Change {
	t.Helper()
	out := map[string]compare.Change{}
	for _, x := range c.Pairs[0].Stacks {
		if x.Mode != report.SystemMode || x.Primary || x.Unit != report.TimeRate || len(x.Frames) == 0 {
			t.Errorf("%+v", x)
		}
		for _, function := range []string{
			"ep_poll", "ext4_file_read_iter", "runtime.futex", "[agent];[agent]", "do_nanosleep",
		} {
			if strings.Contains(x.Stack, function) {
				out[function] = x
			}
		}
	}
	if len(out) != len(c.Pairs[0].Stacks) {
		t.Fatalf("%d stacks are compared: %+v", len(c.Pairs[0].Stacks), out)
	}
	return out
}

// A stack whose time doubles changed, and no other one did, although indices and addresses differ.
func TestStacksOfWatchesInTurns(t *testing.T) {
	r := reporttest.Stacks()
	a, b := reporttest.Turns(r, otherwise(reporttest.AtStacks(r, "ext4", longer(2))), 6, 0.02, 1)
	got := stacksOf(t, comparedRuns(t, a, b))
	if len(got) != 5 {
		t.Fatalf("%d stacks", len(got))
	}
	for function, x := range got {
		want := compare.Alike
		if function == "ext4_file_read_iter" {
			want = compare.Changed
		}
		if x.Outcome != want || x.OnlyIn != "" || x.Old.N != 6 {
			t.Errorf("%s: %+v", function, x)
		}
	}
	x := got["ext4_file_read_iter"]
	if x.State != report.Uninterruptible || x.Metric != "blocked" || *x.Percent < 90 || *x.Percent > 110 {
		t.Errorf("%+v", x)
	}
	// Two intervals of a second; what the scheduler's functions alone tell apart is one stack.
	if want := (388e6*2 + 12e6) / 2; x.Old.Median < 0.95*want || x.Old.Median > 1.05*want {
		t.Errorf("the old time is %v a second, want %v", x.Old.Median, want)
	}
	if y := got["[agent];[agent]"]; y.State != report.Runnable || y.Metric != "runnable" || y.Old.Median > 100e6 {
		t.Errorf("time of a quota, or that asleep, was added to %+v", y)
	}
	const stack = "PostgresMain;index_getnext;ReadBuffer_common;mdreadv;FileReadV;pread64;ksys_pread64;vfs_read;" +
		"ext4_file_read_iter;filemap_read;folio_wait_bit_common"
	if x.Stack != stack || x.Frames[0].Function != "folio_wait_bit_common" {
		t.Errorf("the stack is %s", x.Stack)
	}
}

// A stack of only one side changed from nothing, or to nothing.
func TestNewAndGoneStacks(t *testing.T) {
	r := reporttest.Stacks()
	a, b := reporttest.Turns(without(r, "ep_poll"), without(r, "runtime.futex"), 6, 0.02, 1)
	for function, x := range stacksOf(t, comparedRuns(t, a, b)) {
		want := map[string]string{"ep_poll": "new", "runtime.futex": "old"}[function]
		if x.OnlyIn != want || (x.Outcome == compare.Changed) != (want != "") {
			t.Errorf("%s: %+v", function, x)
		}
	}
	some := append(slices.Clone(a[:5]), without(a[5], "do_nanosleep"))
	x := stacksOf(t, comparedRuns(t, some, b))["do_nanosleep"]
	if x.OnlyIn != "" || x.Outcome != compare.Alike || x.Old.N != 6 {
		t.Errorf("a stack that one run lacks: %+v", x)
	}
}

// The time is that in each second, however long the watch took. One watch a side tests nothing.
func TestWatchesOfOtherLengths(t *testing.T) {
	old, other := reporttest.Stacks(), reporttest.AtStacks(reporttest.Stacks(), "", longer(3))
	for i := range other.Trials {
		other.Trials[i].DurationNS *= 3
	}
	for function, x := range stacksOf(t, compared(t, old, other)) {
		if x.Outcome != compare.Untested || x.PercentLow != nil || *x.Percent < -0.01 || *x.Percent > 0.01 {
			t.Errorf("%s: %+v", function, x)
		}
	}
}

// intermittent returns runs, each of which has some of the same stacks by chance, for the same time.
func intermittent(n int, random *rand.Rand) (runs []*report.Report) {
	for range n {
		r := reporttest.Stacks()
		for i := range 300 {
			r.Frames = append(r.Frames, report.Frame{Function: fmt.Sprintf("f%d", i), Module: "m"})
			r.Stacks = append(r.Stacks, report.Stack{len(r.Frames) - 1})
			if random.IntN(2) == 0 {
				r.Trials[0].Why.Waits = append(r.Trials[0].Why.Waits, report.StackWait{
					State: report.Sleeping, Stack: len(r.Stacks) - 1, BlockedNS: 1e10 + random.Int64N(1e8),
				})
			}
		}
		r.Created = r.Created.Add(time.Duration(len(runs)) * time.Minute)
		runs = append(runs, r)
	}
	return runs
}

// Some stacks are in all runs of a side and in none of the other by chance. They are not reported as changed.
func TestStacksThatComeAndGo(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 4 {
		all := intermittent(8, random)
		old, other := []*report.Report{all[0], all[3], all[4], all[7]}, []*report.Report{all[1], all[2], all[5], all[6]}
		turns := comparedRuns(t, old, other)
		like := comparedRuns(t, all[:1], all[1:2], all[2:]...)
		only := 0
		for _, p := range []*compare.Pair{&turns.Pairs[0], &like.Pairs[0]} {
			for _, x := range p.Stacks {
				if x.Outcome == compare.Changed {
					t.Errorf("%s: %+v", p.Basis.Kind, x)
				}
				if x.OnlyIn != "" && x.Outcome == compare.Doubtful {
					only++
				}
			}
		}
		if turns.Pairs[0].Basis.Kind != compare.BasisTurns || like.Pairs[0].Basis.Kind != compare.BasisLike {
			t.Errorf("%+v, %+v", turns.Pairs[0].Basis, like.Pairs[0].Basis)
		}
		t.Logf("%d stacks of one side only are doubtful", only)
	}
}

// block returns a copy of a report whose stacks are of absences from a length on.
func block(r *report.Report, ns int64) *report.Report {
	out := reporttest.Copy(r)
	for i := range out.Trials {
		out.Trials[i].Why.BlockNS = ns
	}
	return out
}

// Stacks are not compared if a side has none, or if shorter absences are in those of one side only.
func TestStacksThatAreNotComparable(t *testing.T) {
	none := reporttest.Stacks()
	for i := range none.Trials {
		none.Trials[i].Why = nil
	}
	mixed := reporttest.Stacks()
	mixed.Trials[1].Why.BlockNS = 7e6
	with, later := reporttest.Stacks(), reporttest.Stacks()
	later.Created = later.Created.AddDate(0, 0, 1)
	type runs = []*report.Report
	for what, c := range map[string]struct {
		old, new   runs
		says       string
		difference string
	}{
		"no old ones":  {runs{none}, runs{with}, "the old side has none (run --why takes them).", "off → from 1.00 ms"},
		"no new ones":  {runs{with}, runs{none}, "the new side has none (run --why takes them).", "from 1.00 ms → off"},
		"some without": {runs{with, none}, runs{later}, "only 1 of 2 old runs have them.", ""},
		"other threshold": {runs{with}, runs{block(with, 5e6)},
			"from 1.00 ms on the old side, and from 5.00 ms on the new", "from 1.00 ms → from 5.00 ms"},
		"two thresholds": {runs{mixed}, runs{mixed}, "from 1.00 ms, 7.00 ms on the old side", ""},
		"neither":        {runs{none}, runs{none}, "", ""},
	} {
		p := comparedRuns(t, c.old, c.new).Pairs[0]
		said := ""
		for _, w := range p.Warnings {
			if strings.Contains(w, "stacks are not compared: ") {
				said += w
			}
		}
		if len(p.Stacks) > 0 || (said == "") != (c.says == "") || !strings.Contains(said, c.says) {
			t.Errorf("%s: %d stacks; it is said: %s", what, len(p.Stacks), said)
		}
		difference := ""
		for _, d := range p.Differences {
			if d.Name == "stacks" {
				difference = d.Old + " → " + d.New
			}
		}
		if difference != c.difference {
			t.Errorf("%s: the difference is %q", what, difference)
		}
	}
}

// Similar runs whose stacks are of other absences, or that have none, show nothing of how stacks vary.
func TestLikeStacks(t *testing.T) {
	r := reporttest.Stacks()
	like, _ := reporttest.Turns(r, r, 6, 0.02, 3)
	for i, want := range []compare.Outcome{compare.Changed, compare.Untested} {
		c := comparedRuns(t, []*report.Report{r}, []*report.Report{reporttest.AtStacks(r, "ext4", longer(2))}, like...)
		x := stacksOf(t, c)["ext4_file_read_iter"]
		if x.Outcome != want {
			t.Errorf("%d: %s, %+v", i, c.Pairs[0].Basis.Kind, x)
		}
		for j := range like[:3] {
			like[j] = block(like[j], 5e6)
		}
	}
}

// Of very many stacks, those with the most time are compared, and how many are not is known.
func TestVeryManyStacks(t *testing.T) {
	r := reporttest.Stacks()
	for i := range 1000 {
		r.Frames = append(r.Frames, report.Frame{Function: fmt.Sprintf("f%d", i), Module: "m"})
		r.Stacks = append(r.Stacks, report.Stack{len(r.Frames) - 1})
		r.Trials[0].Why.Waits = append(r.Trials[0].Why.Waits, report.StackWait{
			State: report.Sleeping, Stack: len(r.Stacks) - 1, BlockedNS: int64(i+1) * 1e10,
		})
	}
	p := compared(t, r, r).Pairs[0]
	if len(p.Stacks) != 201 || p.StacksLeftOut != 804 {
		t.Fatalf("%d stacks are compared, %d are not", len(p.Stacks), p.StacksLeftOut)
	}
	if first, last := &p.Stacks[0], &p.Stacks[200]; first.Stack != "f999" || last.State != report.Runnable {
		t.Errorf("the first is %s, the last %s", first.Stack, last.Stack)
	}
}

// Names are as safe as in folded stacks, modules tell stacks apart, and no text is longer than a bound.
func TestHostileStacksAreCompared(t *testing.T) {
	r := reporttest.HostileStacks()
	r.Frames = append(r.Frames, report.Frame{Function: strings.Repeat("x", 1<<14)},
		report.Frame{Function: "same", Module: "a"}, report.Frame{Function: "same", Module: "b"})
	n := len(r.Frames)
	deep := make(report.Stack, 1<<12)
	for i := range deep {
		deep[i] = n - 3
	}
	r.Stacks = append(r.Stacks, deep, report.Stack{n - 2}, report.Stack{n - 1}, report.Stack{})
	for i := range 4 {
		r.Trials[0].Why.Waits = append(r.Trials[0].Why.Waits, report.StackWait{
			State: report.Sleeping, Stack: len(r.Stacks) - 1 - i, BlockedNS: 1e9,
		})
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	p := compared(t, r, r).Pairs[0]
	texts := map[string]int{}
	for _, x := range p.Stacks {
		texts[x.Stack]++
		if strings.ContainsAny(x.Stack, "\x1b\n\r\t") || len(x.Stack) > 1<<17 || x.Stack == "" {
			t.Errorf("a stack is %.200q", x.Stack)
		}
	}
	if texts["same"] != 2 || texts["[no stack]"] != 1 {
		t.Errorf("%d stacks are called same, %d have no functions", texts["same"], texts["[no stack]"])
	}
	if text, err := json.Marshal(p); err != nil || !strings.Contains(string(text), `"state":"S","stack":"same"`) {
		t.Errorf("%v: %.300s", err, text)
	}
}
