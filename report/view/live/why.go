package live

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

const (
	// mostReasons is how many rows a list has at most.
	mostReasons = 5
	// mostFunctions is how many functions of the kernel, and of the program, a row has at most, and longestName how
	// long the name of each: those of templates have thousands of characters.
	mostFunctions, longestName = 20, 80
)

// Reason is a list of what kept a task or sum from its cores, the most first. Its texts may be hostile.
type Reason struct {
	Title string
	Rows  []ReasonRow
	// More is how many more there are.
	More int
}

// ReasonRow is one stack or partner.
type ReasonRow struct {
	// Share is its part of the whole list, TimeNS the time that is due to it, and Rate how often it was. Rate is
	// absent for stacks.
	Share, Time, Rate report.Quantity
	Text              string
	// Kernel and Program are the functions of a stack, the innermost first.
	Kernel, Program []string
}

// Explain makes the model tell why tasks were off their cores. stacks returns those that the intervals up to now refer
// to; Add calls it. It is to be called before the first Add.
func (m *Model) Explain(stacks func() ([]report.Stack, []report.Frame)) { m.stacks = stacks }

// Explains reports whether the model tells why tasks were off their cores.
func (m *Model) Explains() bool { return m.stacks != nil }

// reasons are the lists of a task or sum, but for empty ones.
func (iv *interval) reasons(k Key, r *row) []Reason {
	if iv.trial.Why == nil || iv.stacks == nil {
		return nil
	}
	comm := ""
	if r.task != nil {
		comm = r.task.Comm
	}
	why := &report.Why{}
	for i := range iv.trial.Why.Waits {
		w := &iv.trial.Why.Waits[i]
		if k.includes(comm, &report.PairTask{PID: w.PID, Process: w.Process, Comm: w.Comm, Group: w.Group}) {
			why.Waits = append(why.Waits, *w)
		}
	}
	for i := range iv.trial.Why.Pairs {
		if p := &iv.trial.Why.Pairs[i]; p.Task != nil && k.includes(comm, p.Task) {
			why.Pairs = append(why.Pairs, *p)
		}
	}
	own := *iv.stacks
	own.Trials = []report.Trial{{DurationNS: iv.trial.DurationNS, Why: why}}
	lists := []Reason{
		stacksBy(&own, "asleep", func(w *report.StackWait) int64 { return w.BlockedNS }),
		stacksBy(&own, "runnable without a core", func(w *report.StackWait) int64 { return w.WaitNS + w.ThrottledNS }),
		partners(&own, "who took its core", report.PairTaken), partners(&own, "who woke it", report.PairWoken),
	}
	return slices.DeleteFunc(lists, func(l Reason) bool { return len(l.Rows) == 0 })
}

// includes reports whether the key is of this task. comm is the name of the one task that a key of ByTask is of: those
// of one process and name are not told apart.
func (k Key) includes(comm string, t *report.PairTask) bool {
	switch {
	case k.Ended:
		return t.Group == k.Group && t.Comm == k.Name
	case k.By == ByProcess:
		return t.PID == k.PID
	case k.By == ByProgram:
		return cmp.Or(t.Process, t.Comm) == k.Name
	case k.By == ByGroup:
		return t.Group == k.Group
	}
	return t.PID == k.PID && t.Comm == comm
}

// stacksBy lists the stacks at which the most time was spent.
func stacksBy(r *report.Report, title string, timeOf func(*report.StackWait) int64) Reason {
	waits := metric.GatherOffCPU(r).Waits
	slices.SortStableFunc(waits, func(a, b metric.OffWait) int {
		return cmp.Compare(timeOf(&b.StackWait), timeOf(&a.StackWait))
	})
	list, all := Reason{Title: title + ", by stacks"}, int64(0)
	for i := range waits {
		all += timeOf(&waits[i].StackWait)
	}
	differ := len(waits)
	for i := range waits {
		if timeOf(&waits[i].StackWait) == 0 {
			differ = i
			break
		}
	}
	shared := sharedFrames(waits[:differ])
	for i := range waits[:differ] {
		if i == mostReasons {
			list.More = differ - i
			break
		}
		w := &waits[i]
		ns := timeOf(&w.StackWait)
		row := ReasonRow{
			Share: metric.TimeShare(ns, all), Time: report.Of(float64(ns), report.Nanoseconds),
			Text: w.Comm + wokenBy(w),
		}
		for _, frame := range w.Frames[:len(w.Frames)-shared] {
			functions := &row.Program
			if r.Frames[frame].Kernel {
				functions = &row.Kernel
			}
			if len(*functions) < mostFunctions {
				*functions = append(*functions, shortened(r.Frames[frame].Name()))
			}
		}
		list.Rows = append(list.Rows, row)
	}
	return list
}

func shortened(name string) string {
	if runes := []rune(name); len(runes) > longestName {
		return string(runes[:longestName-1]) + "…"
	}
	return name
}

// sharedFrames is how many functions, from the outermost one on, all of several stacks have in common, if each has
// others.
func sharedFrames(waits []metric.OffWait) int {
	if len(waits) < 2 {
		return 0
	}
	for n := 0; ; n++ {
		for i := range waits {
			frames, first := waits[i].Frames, waits[0].Frames
			if len(frames) <= n+1 || len(first) <= n+1 || frames[len(frames)-1-n] != first[len(first)-1-n] {
				return n
			}
		}
	}
}

func wokenBy(w *metric.OffWait) string {
	switch {
	case w.State == report.Runnable:
		return " preempted"
	case w.Waker == nil:
		return ""
	case w.Waker.Interrupt:
		return " woken by an interrupt"
	}
	return " woken by " + cmp.Or(w.Waker.Comm, "pid "+strconv.Itoa(int(w.Waker.PID)))
}

// partners lists who did it most often, whichever of the tasks it was done to.
func partners(r *report.Report, title string, kind report.PairKind) Reason {
	type partner struct {
		pid       sched.PID
		comm      string
		known     bool
		interrupt bool
	}
	sums, all := map[partner]*report.Pair{}, uint64(0)
	for i := range r.Trials[0].Why.Pairs {
		p := &r.Trials[0].Why.Pairs[i]
		if p.Kind != kind {
			continue
		}
		by := partner{interrupt: p.Interrupt}
		if p.By != nil {
			by.pid, by.comm, by.known = p.By.PID, p.By.Comm, true
		}
		if sums[by] == nil {
			sums[by] = &report.Pair{By: p.By, Interrupt: p.Interrupt}
		}
		sums[by].Count += p.Count
		sums[by].WaitNS += p.WaitNS
		all += p.Count
	}
	var pairs []report.Pair
	for _, p := range sums {
		pairs = append(pairs, *p)
	}
	report.SortPairs(pairs)
	slices.SortStableFunc(pairs, func(a, b report.Pair) int { return cmp.Compare(b.Count, a.Count) })
	list := Reason{Title: title, More: max(0, len(pairs)-mostReasons)}
	for _, p := range pairs[:min(len(pairs), mostReasons)] {
		list.Rows = append(list.Rows, ReasonRow{
			Share: metric.TimeShare(int64(p.Count), int64(all)), Time: report.Of(float64(p.WaitNS), report.Nanoseconds),
			Rate: metric.Rate(p.Count, r.Trials[0].DurationNS), Text: partnerName(&p),
		})
	}
	return list
}

func partnerName(p *report.Pair) string {
	switch {
	case p.Interrupt:
		return "an interrupt"
	case p.By == nil:
		return "others"
	}
	name := p.By.Comm + " [" + strconv.Itoa(int(p.By.PID))
	if p.By.Process != "" && p.By.Process != p.By.Comm {
		name += " " + p.By.Process
	}
	return strings.TrimSpace(name + "]")
}
