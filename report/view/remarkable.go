package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// fewNamed is how many tasks or groups a sentence names.
const fewNamed = 3

// remarkableSection lists what stands out in a watch, each with its figures. It draws no conclusions.
func (w *watch) remarkableSection() Section {
	s := Section{Title: "What stands out"}
	for _, one := range []struct{ name, text string }{
		{"longest waits", w.longestWaits()}, {"involuntary switches", w.preempted()},
		{"never switched out", w.spinning()}, {"short-lived", w.shortLived()},
		{"throttled", w.throttled()}, {"imbalance", w.imbalance()},
	} {
		if one.text != "" {
			s.Items = append(s.Items, Item{Mark: " ", Name: one.name, Text: one.text})
		}
	}
	return s
}

// task names a task within a sentence.
func (w *watch) task(t *metric.TaskSum) string {
	if t.Task.Kernel {
		return fmt.Sprintf("%s (%d)", t.Task.Comm, t.Task.TID)
	}
	return fmt.Sprintf("%s (%d, %s)", t.Task.Comm, t.Task.TID, w.names[t.Task.Group])
}

func (w *watch) longestWaits() string {
	var parts []string
	for _, t := range most(w.Tasks, fewNamed, func(t *metric.TaskSum) float64 { return float64(t.WaitMaxNS) }) {
		parts = append(parts, fmt.Sprintf("%s of %s in interval %d",
			report.Of(float64(t.WaitMaxNS), report.Nanoseconds), w.task(t), t.WaitMaxRound))
	}
	if len(parts) == 0 {
		return ""
	}
	return clauses(parts) + "."
}

// preempted names the tasks that lost their core most often although they could have gone on.
func (w *watch) preempted() string {
	var parts []string
	for _, t := range most(w.Tasks, fewNamed, func(t *metric.TaskSum) float64 { return float64(t.Involuntary()) }) {
		causes := t.EndedBy
		causes.Blocked, causes.Exited = 0, 0
		why := ""
		for _, part := range causeCell(causes, 1).Parts {
			why = ", mostly by " + part.Label
		}
		share := report.Of(100*float64(t.Involuntary())/float64(t.Switches()), report.Share)
		parts = append(parts,
			fmt.Sprintf("%s %s (%s of its switches%s)", w.task(t), w.rate(t.Involuntary()), share, why))
	}
	if len(parts) == 0 {
		return ""
	}
	return clauses(parts) + "."
}

// mostOfTheTime is the percentage of the time of a watch from which on a task or core had it most of
// the time.
const mostOfTheTime = 50

// spinning names tasks that had a core most of the time and never left it.
func (w *watch) spinning() string {
	var parts []string
	for _, t := range w.Tasks {
		if share := w.share(t.OnCPUNS); t.Switches() == 0 && share.Known && share.Value >= mostOfTheTime {
			parts = append(parts, fmt.Sprintf("%s, which had a core %s of the time", w.task(t), share))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return clauses(parts) + "."
}

// shortLived names the tasks that began and ended within an interval.
func (w *watch) shortLived() string {
	if w.Ended == 0 {
		return ""
	}
	var sum metric.ActivitySum
	var parts []string
	onCPU := func(n *metric.EndedSum) float64 { return float64(n.OnCPUNS) }
	for _, n := range most(w.EndedNames, len(w.EndedNames), onCPU) {
		sum.OnCPUNS += n.OnCPUNS
		parts = append(parts, fmt.Sprintf("%s %s (%s)", ofCount(n.Tasks), cmp.Or(n.Comm, "of other names"),
			w.share(n.OnCPUNS)))
	}
	text := fmt.Sprintf("%s tasks began and ended within an interval, and had %s of a core together",
		ofCount(w.Ended), w.share(sum.OnCPUNS))
	if w.Ended == 1 {
		text = fmt.Sprintf("a task began and ended within an interval, and had %s of a core", w.share(sum.OnCPUNS))
	}
	if len(parts) > 0 {
		text += ": " + clauses(parts)
	}
	return text + "."
}

// throttled names the groups that their CPU quotas kept from cores.
func (w *watch) throttled() string {
	held := func(g *metric.GroupSum) float64 {
		ns := g.ThrottledNS
		if g.Throttling != nil {
			ns = max(ns, g.Throttling.NS)
		}
		return float64(ns)
	}
	all := most(w.Groups, len(w.Groups), held)
	var parts []string
	for _, g := range all {
		part := w.names[g.ID]
		if q := g.Throttling; q != nil {
			part += fmt.Sprintf(" %s by its own quota, for %s added up over cores", times(q.Times),
				report.Of(float64(q.NS), report.Nanoseconds))
		}
		if g.ThrottledNS > 0 {
			part += fmt.Sprintf(", its tasks for %s", report.Of(float64(g.ThrottledNS), report.Nanoseconds))
		}
		parts = append(parts, part+fmt.Sprintf(" (and they waited %s for a core)",
			report.Of(float64(g.WaitNS), report.Nanoseconds)))
	}
	if len(parts) == 0 {
		return ""
	}
	return clauses(parts) + ". Time throttled is in no wait."
}

// clauses joins the first texts, and says how many more there are.
func clauses(parts []string) string {
	if n := len(parts) - fewNamed; n > 0 {
		parts = append(parts[:fewNamed:fewNamed], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, "; ")
}

// muchWaiting is how many tasks must wait for a core at a time, on average, to be worth a sentence.
const muchWaiting = 0.1

// imbalance says that tasks waited for one core while another was idle.
func (w *watch) imbalance() string {
	type extreme struct {
		waited, idle sched.CPU
		waiting      float64 // tasks at a time
		idlePercent  float64
		round        int
	}
	var worst extreme
	intervals := 0
	for _, t := range w.trials {
		x := extreme{round: t.Round}
		for i := range t.Cores {
			c := &t.Cores[i]
			if c.WallNS <= 0 {
				continue
			}
			if n := float64(c.Wait.SumNS) / float64(c.WallNS); n > x.waiting {
				x.waiting, x.waited = n, c.CPU
			}
			if idle := 100 * float64(c.IdleNS) / float64(c.WallNS); idle > x.idlePercent {
				x.idlePercent, x.idle = idle, c.CPU
			}
		}
		if x.waiting < muchWaiting || x.idlePercent < mostOfTheTime || x.waited == x.idle {
			continue
		}
		if intervals++; x.waiting*x.idlePercent > worst.waiting*worst.idlePercent {
			worst = x
		}
	}
	if intervals == 0 {
		return ""
	}
	return fmt.Sprintf("In %d of %s tasks waited for one core while another was idle most of the time. "+
		"In interval %d, %s tasks at a time waited for core %d, and core %d was idle %s of the time. "+
		"Affinity and cpusets can be the reason.", intervals, words.Plural(w.Intervals, "interval"),
		worst.round, report.Of(worst.waiting, report.Ratio), worst.waited,
		worst.idle, report.Of(worst.idlePercent, report.Share))
}
