package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/flight"
	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report"
)

// flightOptions are run's flags for the flight recorder: it keeps the end of the recording in memory,
// and saves it when something happens.
type flightOptions struct {
	keep  time.Duration
	texts []string
	times int

	when []flight.Condition
	// groups are the control groups that conditions name.
	groups map[string]cgroup.Pattern
}

func (o *flightOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.DurationVar(&o.keep, "keep", 0, fmt.Sprintf("keep the recording in memory for this long, in %d MiB at most, "+
		"and save that to the file\nof --record only when --when says so", flight.MostBytes>>20))
	f.StringArrayVar(&o.texts, "when", nil, "with --keep: save when a task of the run or watch has a time above a "+
		"limit: wait>20ms, slice>10ms,\nblocked>1s; of NAME, a pattern or pid N, or in GROUP: 'wait>20ms of nginx* in "+
		"web.service'; SIGUSR1 alone\nsaves only at that signal, which always does; several of --when are alternatives")
	f.IntVar(&o.times, "times", 1, "with --keep: save this often; further files are named FILE-2, FILE-3, ... "+
		"before the extension")
}

func (o *flightOptions) asked() bool { return o.keep > 0 }

// The bounds of --keep and --times.
const (
	leastKeep = 100 * time.Millisecond
	mostKeep  = time.Hour
	mostTimes = 10_000
)

// check rejects flags that have no meaning together, and reads the conditions.
func (o *runOptions) checkFlight(cmd *cobra.Command) error {
	given, f := cmd.Flags().Changed, &o.flight
	switch {
	case given("when") && !given("keep"):
		return usagef("--when needs --keep: for how long events are kept, such as --keep 5s")
	case given("times") && !given("keep"):
		return usagef("--times is for --keep: add that, or leave it out")
	case !given("keep"):
		return nil
	case o.record == "":
		return usagef("--keep needs --record FILE, to which what was kept is saved")
	case !given("when"):
		return usagef("--keep needs --when: what must happen, such as --when 'wait>20ms', or --when SIGUSR1")
	case f.keep < leastKeep || f.keep > mostKeep:
		return usagef("--keep %v: give %v to %v", f.keep, leastKeep, mostKeep)
	case f.times < 1 || f.times > mostTimes:
		return usagef("--times %d: give 1 to %d", f.times, mostTimes)
	}
	for _, text := range f.texts {
		if text == flight.BySignal {
			continue
		}
		c, err := flight.Parse(text)
		if err == nil {
			err = f.parseGroup(c)
		}
		if err != nil {
			return usagef("--when %w", err)
		}
		if c.Limit >= f.keep {
			return usagef("--when %s: what takes so long does not fit into --keep %v: keep more", text, f.keep)
		}
		f.when = append(f.when, c)
	}
	return nil
}

// openRecording prepares what --record names: a file, or a flight recorder.
func (o *runOptions) openRecording(s streams) (*recordingFile, error) {
	if !o.flight.asked() {
		return newRecordingFile(o.record, o.recorded)
	}
	if o.flight.times > 1 && o.recorded.Stream() != nil {
		return nil, usagef("--record %s takes one recording: leave out --times", o.record)
	}
	choice, err := o.chooseTasks()
	if err != nil {
		return nil, err
	}
	f := &recordingFile{name: o.record, id: rand.Text(), began: time.Now(), cpu: toolCPU(), options: o, messages: s.err}
	f.flight = flight.New(flight.Options{
		Keep: o.flight.keep, When: o.flight.when, Of: choice, Times: o.flight.times,
		Create: func(n int) (flight.File, error) {
			file, err := o.createWindow(s, n)
			if err != nil {
				return nil, err
			}
			return file, nil
		},
	})
	return f, nil
}

// windowName names the file of a window.
func windowName(name string, n int) string {
	if n == 1 {
		return name
	}
	extension := filepath.Ext(name)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, extension), n, extension)
}

// createWindow begins the file of a window. The first was checked before the run.
func (o *runOptions) createWindow(s streams, n int) (*outfile.File, error) {
	target := o.recorded
	if n > 1 {
		out := outputFlag{"--record", windowName(o.record, n)}
		var err error
		if target, err = outfile.OpenTarget(out.name, invokingUser().owner()); err != nil {
			return nil, err
		}
		if o.saved != nil && target.Same(o.saved) {
			return nil, fmt.Errorf("%s is the file of -o", out.name)
		}
		if err := notInUse(s, nil, out, target); err != nil {
			return nil, err
		}
	}
	return target.Create()
}

// saveAtSignals returns a function to be called at each SIGUSR1, which does not block. Until stop is
// called, each call makes the flight recorder save what it has.
func (f *recordingFile) saveAtSignals(c *collector.Collector) (signal, stop func()) {
	signals := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				// It fails only if the recording has failed, which finish says.
				_ = c.SaveWindow()
			case <-done:
				return
			}
		}
	}()
	signal = func() {
		select {
		case signals <- struct{}{}:
		default:
		}
	}
	return signal, func() { close(done) }
}

// finishFlight adds to the report what the flight recorder saved.
func (f *recordingFile) finishFlight(c *collector.Collector, r *report.Report) {
	_, err := c.FinishRecording()
	result := f.flight.Result()
	if err = errors.Join(err, result.Err); err != nil {
		f.failed = true
		r.Warnings = append(r.Warnings, oneLine(fmt.Errorf("recording %d of the flight recorder was not saved, "+
			"nor any later one: %w", len(result.Saved)+1, err)))
	}
	rec := &report.Recording{
		ID: f.id, KeepNS: f.options.flight.keep.Nanoseconds(), When: f.options.flight.texts,
		ToolCPUNS: (toolCPU() - f.cpu).Nanoseconds(), WallNS: time.Since(f.began).Nanoseconds(),
	}
	for _, s := range result.Saved {
		rec.Switches += s.Switches
		rec.Wakeups += s.Wakeups
		rec.Counted += s.Counted
		rec.Lost += s.Lost
		rec.LostTasks += s.LostTasks
		rec.Bytes += s.Bytes
		t := s.Trigger
		rec.Windows = append(rec.Windows, report.RecordedWindow{
			Condition: t.Condition, TID: t.TID, TGID: t.TGID, Comm: t.Comm, AtNS: t.AtNS - result.BeganNS,
			LengthNS: t.LengthNS, SpanNS: s.UntilNS - s.FromNS, Short: s.Short, More: s.More,
		})
	}
	r.Recording = rec
	if !f.options.quiet {
		f.sayWindows(f.messages, len(rec.Windows))
	}
}

// sayWindows names the files that were saved.
func (f *recordingFile) sayWindows(w io.Writer, n int) {
	switch n {
	case 0:
		if !f.failed {
			fmt.Fprintf(w, "Nothing of the recording was saved: nothing met --when %s.\n",
				strings.Join(f.options.flight.texts, ", "))
		}
	case 1:
		fmt.Fprintln(w, "Saved", f.name)
	default:
		fmt.Fprintf(w, "Saved %s to %s, %d recordings\n", f.name, windowName(f.name, n), n)
	}
}

// saveAtNotified makes SIGUSR1 save what the flight recorder has, until stop is called.
func (f *recordingFile) saveAtNotified(c *collector.Collector) (stop func()) {
	save, end := f.saveAtSignals(c)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)
	go func() {
		for range signals {
			save()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		end()
	}
}
