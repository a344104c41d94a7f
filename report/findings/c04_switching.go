package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

func switching(e *evidence) string {
	var said []string
	share := ""
	for _, l := range []metric.Load{whole("pipe"), whole("futex"), whole("yield")} {
		l.Modes = metric.BundledModes(e.report)
		m, floor := metric.SwitchCost(e.report, l)
		clause, ok := e.costlierSwitch(l, m, floor)
		if !ok {
			continue
		}
		both := e.record(l, m)
		said = append(said, fmt.Sprintf("%s %s against %s, %s",
			l.Title(), both[0].Quantity(), both[1].Quantity(), clause))
		share = cmp.Or(share, e.phaseShare(l))
	}
	if e.report.Capture.Switch == "" {
		e.missing = "needs the switch phase, which was not timed: see Hooks under Trust"
	}
	return clauses(said) + share + e.colder()
}

// costlierSwitch decides by the ratio of the two modes' switch times, if it leads to the same
// verdict with and without the hook floor that is in both times. ok is false if there is no ratio.
func (e *evidence) costlierSwitch(l metric.Load, m metric.Metric, floor float64) (clause string, ok bool) {
	processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
	f, ok := e.noteRatio(l, "", m.Name+", processes ÷ threads", metric.Compare(processes, threads))
	if !ok {
		return "", false
	}
	verdict := e.judge(f, clearlyMore, unbounded())
	var aside []string
	if interval := undecidedEnds(f); interval != "" {
		aside = append(aside, interval)
	}
	processes, threads = processes.Less(floor), threads.Less(floor)
	switch {
	case floor <= 0:
	case len(processes.Values) == 0 || len(threads.Values) == 0:
		verdict = report.Inconclusive
		aside = append(aside, "in some rounds not above the hook floor")
	default:
		name := m.Name + " less the hook floor, processes ÷ threads"
		if bare, ok := e.noteRatio(l, "", name, metric.Compare(processes, threads)); ok {
			said := fmt.Sprintf("%s × without the hook floor", bare.Quantity())
			if e.judge(bare, clearlyMore, unbounded()) != verdict {
				verdict, said = report.Inconclusive, said+", which leads to another verdict"
			}
			aside = append(aside, said)
		}
	}
	e.decide(verdict, f)
	clause = f.Quantity().String() + " ×"
	if len(aside) > 0 {
		clause += " (" + strings.Join(aside, "; ") + ")"
	}
	return clause, true
}

// colder describes the cost of a switch after its end. It decides nothing, since the claim is about
// kernel time.
func (e *evidence) colder() string {
	loads := metric.WorkingSets(e.report)
	if len(loads) == 0 {
		return "; cold caches afterwards are not counted"
	}
	// The buffers of two workers then fit into most second-level caches, but not into a first-level
	// cache.
	ofSize := func(l metric.Load) bool { return strings.HasPrefix(l.Variant, "256 KiB") }
	i := max(0, slices.IndexFunc(loads, ofSize))
	figures := e.record(loads[i], metric.CacheRefillCost())
	unsure := func(f report.NamedFigure) bool { return f.Low == nil || *f.Low <= 0 }
	switch {
	case len(figures) == 0:
		return "; cold caches afterwards are not counted"
	case slices.ContainsFunc(figures, unsure):
		return fmt.Sprintf("; refilling caches and TLB costs nothing measurable for %s", loads[i].Variant)
	}
	return fmt.Sprintf("; refilling caches and TLB costs %s for %s", quote(figures), loads[i].Variant)
}

// phaseShare says how much of the difference in cost between the modes arises in the switch phase,
// "" if that cannot be told.
func (e *evidence) phaseShare(l metric.Load) string {
	gap := func(m metric.Metric) (float64, bool) {
		p, t := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
		if len(p.Values) == 0 || len(t.Values) == 0 {
			return 0, false
		}
		return p.Summary().Center - t.Summary().Center, true
	}
	pick, ok1 := gap(metric.PickP50())
	change, ok2 := gap(metric.SwitchP50())
	// Medians do not add up, and shares of a tiny or mixed gap mean nothing.
	if !ok1 || !ok2 || pick+change <= 0 || change < 0 {
		return ""
	}
	share := report.Of(min(100, 100*change/(pick+change)), report.Share)
	return fmt.Sprintf("; %s of the difference is in the switch phase (%s)", share, l.Title())
}
