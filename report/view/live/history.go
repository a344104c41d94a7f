package live

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Series is a figure of the last intervals.
type Series struct {
	Name string
	// Values are of the intervals, the oldest first. They are absent for intervals in which the task
	// did nothing or was not there.
	Values []report.Quantity
	// Most is the greatest of them, and Heights are the values as parts of it, 0 to 1.
	Most    report.Quantity
	Heights []float64
}

// sum is what a task, or several, did in an interval.
type sum struct {
	onCPUNS, waitNS, waitMaxNS, switches, involuntary float64
	present                                           bool
}

// history returns figures of a task or sum in the last intervals, and how many intervals these are.
func (m *Model) history(k Key) (series []Series, intervals int) {
	sums := make([]sum, len(m.shown.past))
	of := k.matcher()
	for i := len(sums) - 1; i >= 0; i-- {
		born := false
		for j := range m.shown.past[i].points {
			if p := &m.shown.past[i].points[j]; of(p) {
				sums[i].add(p)
				born = born || p.born
			}
		}
		// What had a task's number before the task was born is another one.
		if born && k.By == ByTask {
			break
		}
	}
	of1 := func(name string, figure func(sum, int64) report.Quantity) Series {
		s := Series{Name: name}
		for i, sum := range sums {
			q := report.Quantity{}
			if sum.present {
				q = figure(sum, m.shown.past[i].durationNS)
			}
			s.Values = append(s.Values, q)
			if q.Known && (!s.Most.Known || q.Value > s.Most.Value) {
				s.Most = q
			}
		}
		for _, q := range s.Values {
			height := 0.0
			if q.Known && s.Most.Value > 0 {
				height = q.Value / s.Most.Value
			}
			s.Heights = append(s.Heights, height)
		}
		return s
	}
	return []Series{
		of1(columnOnCPU, func(s sum, ns int64) report.Quantity { return metric.TimeShare(int64(s.onCPUNS), ns) }),
		of1(columnSwitches, func(s sum, ns int64) report.Quantity { return metric.Rate(uint64(s.switches), ns) }),
		of1("involuntary/s", func(s sum, ns int64) report.Quantity { return metric.Rate(uint64(s.involuntary), ns) }),
		of1("waiting", func(s sum, ns int64) report.Quantity { return metric.TimeShare(int64(s.waitNS), ns) }),
		of1("longest wait", func(s sum, _ int64) report.Quantity { return report.Of(s.waitMaxNS, report.Nanoseconds) }),
	}, len(sums)
}

func (s *sum) add(p *point) {
	s.present = true
	s.onCPUNS += float64(p.onCPUNS)
	s.waitNS += float64(p.waitNS)
	s.waitMaxNS = max(s.waitMaxNS, float64(p.waitMaxNS))
	s.switches += float64(p.switches)
	s.involuntary += float64(p.involuntary)
}

// matcher returns a function that reports whether a point belongs to the key.
func (k Key) matcher() func(*point) bool {
	name := hashOf(k.Name)
	switch {
	case k.Ended:
		return func(p *point) bool { return p.ended && p.group == k.Group && p.comm == name }
	case k.By == ByProcess:
		return func(p *point) bool { return !p.ended && p.pid == int32(k.PID) }
	case k.By == ByProgram:
		return func(p *point) bool { return p.program == name }
	case k.By == ByGroup:
		return func(p *point) bool { return p.group == k.Group }
	}
	return func(p *point) bool { return !p.ended && p.pid == int32(k.PID) && p.tid == int32(k.TID) }
}
