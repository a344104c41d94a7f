package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/screen"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
)

// watcher watches the machine interval by interval. It is the screen's source.
type watcher struct {
	live       *collector.Live
	filter     *watchFilter
	phases     bool // are timed now and then
	beganNS    int64
	every      chan time.Duration // a new length, at most one
	length     time.Duration
	most       int // intervals; 0: no limit
	number     int
	spentNS    int64
	due        time.Time // when the interval under way ends
	over       bool      // all processes of --pid have ended
	hotplugged bool
}

// phaseShare is the part of the time in which the phases of switches are timed: in every second
// interval, a tenth of it.
const (
	phaseShare  = 10
	phaseRounds = 2
	// firstWindow is how long the programs themselves are timed, before the privilege for that is given up.
	firstWindow = 50 * time.Millisecond
	// refreshEvery is how often the users, groups and names of processes are read again, and
	// refreshFiltered how often if what is watched depends on the first two.
	refreshEvery    = 5 * time.Second
	refreshFiltered = time.Second
)

func newWatcher(l *collector.Live, f *watchFilter, every time.Duration, phases bool, most int) *watcher {
	return &watcher{
		live: l, filter: f, phases: phases, beganNS: collector.NowNS(), every: make(chan time.Duration, 1),
		length: every, most: most, spentNS: ownCPUNS(), due: time.Now(),
	}
}

// setInterval changes the length of intervals from the next one on.
func (w *watcher) setInterval(d time.Duration) {
	select {
	case <-w.every:
	default:
	}
	w.every <- d
}

// Next returns the next interval when it is over. It returns io.EOF after the last one, or a
// *screen.OverError if all processes of --pid have ended, and a shorter interval if they end or ctx is
// cancelled meanwhile.
func (w *watcher) Next(ctx context.Context) (*report.Trial, error) {
	if w.most > 0 && w.number >= w.most || ctx.Err() != nil {
		return nil, io.EOF
	}
	if w.over {
		return nil, &screen.OverError{Why: w.filter.processes.gone()}
	}
	ctx, stop := w.filter.processes.until(ctx)
	defer stop()
	select {
	case w.length = <-w.every:
	default:
	}
	start := time.Now()
	// Intervals begin where the one before ended, however long it took to show that.
	w.due = w.due.Add(w.length)
	if w.due.Before(start) {
		w.due = start.Add(w.length)
	}
	if w.phases && w.number%phaseRounds == 0 {
		if err := w.live.TimePhases(ctx, w.length/phaseShare); err != nil {
			return nil, err
		}
	}
	wait := time.NewTimer(time.Until(w.due))
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
	refresh := refreshEvery
	if len(w.filter.patterns)+len(w.filter.uids) > 0 {
		refresh = refreshFiltered
	}
	if every := max(1, int(refresh/w.length)); w.number%every == every-1 {
		if err := w.live.Refresh(); err != nil {
			return nil, err
		}
	}
	w.filter.processes.look()
	seen, err := w.live.Next()
	if err != nil {
		return nil, err
	}
	w.number++
	w.hotplugged = w.hotplugged || len(seen.Hotplugged) > 0
	spent := ownCPUNS()
	t := trial.OfReading(seen, w.number, collector.NowNS(), w.beganNS, spent-w.spentNS)
	w.spentNS = spent
	w.filter.apply(&t)
	if t.Why != nil {
		t.Why.KeepMostPairs()
	}
	w.over = w.filter.processes.turn(t.System)
	w.live.DescribeGroups(t.System, t.Why)
	return &t, nil
}

// ownCPUNS is the CPU time that this process has taken so far.
func ownCPUNS() int64 {
	var used unix.Rusage
	// The call fails only for an argument that does not exist.
	_ = unix.Getrusage(unix.RUSAGE_SELF, &used)
	return used.Utime.Nano() + used.Stime.Nano()
}

// checkInterval rejects lengths of intervals that cannot be kept.
func checkInterval(flag string, d time.Duration) error {
	if d < screen.ShortestInterval || d > screen.LongestInterval {
		return usagef("--%s %v: give %v to %v", flag, d, screen.ShortestInterval, screen.LongestInterval)
	}
	return nil
}

// openLive opens the live view, and says in the error what to do if it is not possible.
func openLive(o collector.LiveOptions) (*collector.Live, error) {
	l, err := collector.OpenLive(o)
	if err != nil {
		return nil, fmt.Errorf("watch this machine: %w", err)
	}
	saveMemory()
	return l, nil
}
