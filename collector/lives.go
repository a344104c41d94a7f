package collector

import (
	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// lives are the tasks, children of watched ones, that ended on one core and are
// counted, not listed.
type lives struct {
	tasks, reconciled uint64
	onCPU, wait       uint64
	throttled         uint64
	start, run, end   latencies
}

func (l *lives) grow(now, last *bpf.Lives) {
	l.tasks, l.reconciled, l.onCPU, l.wait = now.Tasks, now.Reconciled, now.OnCpu, now.Wait
	l.throttled = now.Throttled
	l.start.grow(now.Start.Bucket[:], last.Start.Bucket[:], now.Start.Sum, now.Start.Max)
	l.run.grow(now.Run.Bucket[:], last.Run.Bucket[:], now.Run.Sum, now.Run.Max)
	l.end.grow(now.End.Bucket[:], last.End.Bucket[:], now.End.Sum, now.End.Max)
}

func (l lives) clone() lives {
	l.start, l.run, l.end = l.start.clone(), l.run.clone(), l.end.clone()
	return l
}

func (l *lives) forgetMaxima() {
	l.start.max, l.run.max, l.end.max = 0, 0, 0
}

// since returns the tasks that ended on the core between two snapshots.
func (l *lives) since(before *lives) report.Created {
	return report.Created{
		Tasks:       l.tasks - before.tasks,
		Reconciled:  l.reconciled - before.reconciled,
		OnCPUNS:     int64(l.onCPU - before.onCPU),
		WaitNS:      int64(l.wait - before.wait),
		ThrottledNS: int64(l.throttled - before.throttled),
		Start:       l.start.since(before.start),
		Run:         l.run.since(before.run),
		End:         l.end.since(before.end),
	}
}
