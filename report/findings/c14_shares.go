package findings

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// weight is the kernel's weight of a nice level; its table sched_prio_to_weight is this formula,
// rounded.
func weight(nice int) float64 { return 1024 / math.Pow(1.25, float64(nice)) }

// enoughSlices reports whether some workers together had so many slices that one more or less
// hardly changes their share.
func enoughSlices(workers []report.Worker) bool {
	var n uint64
	for i := range workers {
		n += workers[i].Slices
	}
	return len(workers) > 0 && float64(n) >= leastShareSlices
}

// leastShare is the smallest share of CPU time ÷ the largest. It is absent if the worker with the
// largest share has too few slices.
func leastShare() metric.Metric {
	return metric.New("smallest share ÷ largest", report.Ratio, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) < 2 {
			return 0, false
		}
		least, most := t.Workers[0], t.Workers[0]
		for _, w := range t.Workers {
			if w.OnCPUNS < least.OnCPUNS {
				least = w
			}
			if w.OnCPUNS > most.OnCPUNS {
				most = w
			}
		}
		ratio := float64(least.OnCPUNS) / float64(most.OnCPUNS)
		return ratio, most.OnCPUNS > 0 && enoughSlices([]report.Worker{most})
	})
}

// byNice returns the workers of the lowest nice level and those of the highest.
func byNice(workers []report.Worker) (low, high []report.Worker) {
	if len(workers) == 0 {
		return nil, nil
	}
	nicer := func(a, b report.Worker) int { return cmp.Compare(a.Nice, b.Nice) }
	least, most := slices.MinFunc(workers, nicer).Nice, slices.MaxFunc(workers, nicer).Nice
	for _, w := range workers {
		switch {
		case least == most:
		case w.Nice == least:
			low = append(low, w)
		case w.Nice == most:
			high = append(high, w)
		}
	}
	return low, high
}

// niceShares is the mean share of CPU time at the highest nice level ÷ that at the lowest. If
// weighted is true, it is divided by the ratio of the levels' weights.
func niceShares(name string, weighted bool) metric.Metric {
	mean := func(workers []report.Worker) float64 {
		var sum float64
		for i := range workers {
			sum += float64(workers[i].OnCPUNS)
		}
		return sum / float64(len(workers))
	}
	return metric.New(name, report.Ratio, func(t *report.Trial) (float64, bool) {
		low, high := byNice(t.Workers)
		if !enoughSlices(low) || len(high) == 0 || mean(low) == 0 {
			return 0, false
		}
		ratio := mean(high) / mean(low)
		if weighted {
			ratio *= weight(low[0].Nice) / weight(high[0].Nice)
		}
		return ratio, true
	})
}

func sharingCore(e *evidence) string {
	equals, l := oneCore(), metric.Load{Name: "spin", Variant: "nice"}
	even := e.within(equals, leastShare(), fairShare, 1)
	ofWeights := niceShares("ratio of shares under nice ÷ ratio of weights", true)
	weighted := e.within(l, ofWeights, 1/niceWithin, niceWithin)
	if len(even)+len(weighted) == 0 {
		e.missing = cmp.Or(tooShort(e, equals), tooShort(e, l))
		return ""
	}
	e.need(len(even) > 0, "needs spin one core, with eight slices a worker")
	e.need(len(weighted) > 0, "needs spin nice, with eight slices a worker")
	var said []string
	if len(even) > 0 {
		said = append(said, "among equal workers the smallest share is "+quote(even)+" of the largest")
	}
	if len(weighted) > 0 {
		raw := e.record(l, niceShares("shares, highest nice level ÷ lowest", false))
		expected := "" // not known if a level had no share at all
		if weighted[0].Median > 0 {
			expected = fmt.Sprintf(" (%s by weight)", report.Of(raw[0].Median/weighted[0].Median, report.Ratio))
		}
		said = append(said, fmt.Sprintf("a higher nice level gets %s of the lower one's share%s",
			quote(raw), expected))
	}
	return clauses(said)
}
