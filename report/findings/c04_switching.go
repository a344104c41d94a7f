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
		m, floors := metric.CostP50(), 2.0
		if len(e.samples(l, report.Threads, m).Values) == 0 {
			m, floors = metric.SwitchP50(), 1 // a kernel without the hook at pick's start
		}
		clause, ok := e.dearerSwitch(l, m, floors*e.report.Quality.HookFloor().Value)
		if !ok {
			continue
		}
		both := e.record(l, m)
		said = append(said, fmt.Sprintf("%s %s against %s, %s", l.Title(), both[0].Quantity(), both[1].Quantity(), clause))
		share = cmp.Or(share, e.phaseShare(l))
	}
	if e.report.Capture.Switch == "" {
		e.missing = "needs the switch phase, which was not timed: see Hooks under Trust"
	}
	return clauses(said) + share + e.colder()
}

// dearerSwitch lets the ratio of the modes' times of a switch decide, if it says the same
// as it stands and less what the hooks add to both; ok is false where there is none.
func (e *evidence) dearerSwitch(l metric.Load, m metric.Metric, floor float64) (clause string, ok bool) {
	processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
	f, ok := e.noteRatio(l, "", m.Name+", processes ÷ threads", metric.Compare(processes, threads))
	if !ok {
		return "", false
	}
	verdict := e.judge(f, dearerBy, unbounded())
	var aside []string
	if interval := undecidedEnds(f); interval != "" {
		aside = append(aside, interval)
	}
	processes, threads = less(processes, floor), less(threads, floor)
	switch {
	case floor <= 0:
	case len(processes.Values) == 0 || len(threads.Values) == 0:
		verdict = report.Inconclusive
		aside = append(aside, "in some round not more than the hook floor")
	default:
		if bare, ok := e.noteRatio(l, "", m.Name+" less the hook floor, processes ÷ threads", metric.Compare(processes, threads)); ok {
			said := fmt.Sprintf("%s × less the hook floor", bare.Quantity())
			if e.judge(bare, dearerBy, unbounded()) != verdict {
				verdict, said = report.Inconclusive, said+", which does not say the same"
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

// less takes an amount from each value; nothing is left where one is not more than it.
func less(s metric.Rounds, amount float64) metric.Rounds {
	out := metric.Rounds{Unit: s.Unit, Round: s.Round}
	for _, v := range s.Values {
		if v <= amount {
			return metric.Rounds{}
		}
		out.Values = append(out.Values, v-amount)
	}
	return out
}

// colder says what a switch costs after its end. It decides nothing: the claim is
// of kernel time.
func (e *evidence) colder() string {
	loads := metric.WorkingSets(e.report)
	if len(loads) == 0 {
		return "; cold caches afterwards are not counted"
	}
	// Half a MiB of two tasks fits into most second-level caches, and not into a
	// first-level one.
	i := max(0, slices.IndexFunc(loads, func(l metric.Load) bool { return strings.HasPrefix(l.Variant, "256 KiB") }))
	figures := e.record(loads[i], metric.CacheRefillCost())
	unsure := func(f report.NamedFigure) bool { return f.Low == nil || *f.Low <= 0 }
	switch {
	case len(figures) == 0:
		return "; cold caches afterwards are not counted"
	case slices.ContainsFunc(figures, unsure):
		return fmt.Sprintf("; what colder caches and TLB cost afterwards, for %s touched, is not told from nothing", loads[i].Variant)
	}
	return fmt.Sprintf("; afterwards, colder caches and TLB cost %s for %s touched", quote(figures), loads[i].Variant)
}

// phaseShare says how much of the two modes' difference in cost arises in the
// switch phase, "" where that cannot be told.
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
	return fmt.Sprintf("; %s of the gap is in the switch phase (%s)", report.Of(min(100, 100*change/(pick+change)), report.Share), l.Title())
}
