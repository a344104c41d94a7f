package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
)

// watchRecorder records what runs already while it is watched. Without --record it does nothing.
type watchRecorder struct {
	file     *recordingFile
	full     *collector.Collector
	filtered bool
	stop     func() // ends what listens to SIGUSR1
}

// openBeside opens the full tracer for a recording of what runs already. It runs beside the light one and
// watches no task, so it only records.
func openBeside(rf *recordingFile, host report.Host, phases []string) (*collector.Collector, error) {
	times := func(phase string) bool { return slices.Contains(phases, phase) || slices.Contains(phases, phaseAll) }
	c, err := collector.Open(collector.Options{
		Tasks: 1, Record: rf.forCollector(host), NoPick: !times(phasePick), NoSwitch: !times(phaseSwitch),
	})
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return c, nil
}

// recordBeside begins the recording that is asked for.
func (o *runOptions) recordBeside(s streams, r *report.Report, l *collector.Live) (*watchRecorder, error) {
	rf, err := o.openRecording(s)
	if err != nil || rf == nil {
		return &watchRecorder{}, err
	}
	c, err := openBeside(rf, r.Host, o.phases)
	if err != nil {
		rf.abort()
		return nil, err
	}
	l.RecordedBy(c)
	w := &watchRecorder{file: rf, full: c, filtered: o.watch.filter.given()}
	if o.flight.asked() {
		w.stop = rf.saveAtNotified(c)
		if !o.quiet {
			fmt.Fprintf(s.err, "Keeping the last %v in memory; it is saved at %s, or by kill -USR1 %d\n",
				o.flight.keep, strings.Join(o.flight.texts, ", "), os.Getpid())
		}
	}
	return w, nil
}

// until returns a context that also ends when a flight recorder has saved all that it is to save.
func (w *watchRecorder) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if w.file != nil && w.file.flight != nil {
		go func() {
			select {
			case <-w.file.flight.Done():
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// mark marks an interval in the recording, with the tasks that a filter has chosen.
func (w *watchRecorder) mark(t *report.Trial, beganNS int64) error {
	if w.full == nil {
		return nil
	}
	m := trial.Mark(t, beganNS)
	if w.filtered {
		for i := range t.System.Tasks {
			m.Workers = append(m.Workers, t.System.Tasks[i].TID)
		}
	}
	return w.full.Mark(m)
}

// finish completes the recording, and adds to the report what it has.
func (w *watchRecorder) finish(r *report.Report) {
	if w.full != nil {
		w.file.finish(w.full, r)
	}
}

func (w *watchRecorder) close() error {
	if w.full == nil {
		return nil
	}
	if w.stop != nil {
		w.stop()
	}
	w.file.abort()
	return w.full.Close()
}
