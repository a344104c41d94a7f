package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// progressEvery is the time between two drawings. It is long, since drawing is work on the
// cores that are measured.
const progressEvery = 250 * time.Millisecond

// closeLimit is the longest time that the end of a run waits for a terminal that accepts
// no output.
const closeLimit = 200 * time.Millisecond

// progress shows the current trial, the time left and each core's switches per second. A
// nil progress shows nothing.
type progress struct {
	bar       *progressbar.ProgressBar
	terminal  *os.File
	collector *collector.Collector
	stop      chan struct{}
	stopped   chan struct{}
	closing   sync.Once

	// mu guards the rest. It is never held while the terminal is written to: a terminal
	// that is stopped by Ctrl-S blocks the writer, and must not block begin and end.
	mu    sync.Mutex
	trial string
	done  time.Duration // of the trials that have ended
	began time.Time
	plan  []time.Duration
	last  map[sched.CPU]uint64
	at    time.Time
}

func newProgress(w *os.File, c *collector.Collector, trials []workloads.Trial) *progress {
	p := &progress{terminal: w, collector: c, stop: make(chan struct{}), stopped: make(chan struct{})}
	var total time.Duration
	for _, t := range trials {
		p.plan = append(p.plan, expected(t))
		total += expected(t)
	}
	p.bar = progressbar.NewOptions64(int64(total),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false), // it guesses; we know
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("attaching"),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
	)
	go p.draw()
	return p
}

// expected returns how long a trial takes. One that ends after a number of operations
// counts as one second.
func expected(t workloads.Trial) time.Duration {
	if t.Duration > 0 {
		return t.Duration
	}
	return time.Second
}

func (p *progress) begin(t workloads.Trial) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trial = fmt.Sprintf("round %d · %s · %s", t.Round, t.Name(), t.Mode)
	p.began = time.Now()
}

func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += p.plan[0]
	p.plan = p.plan[1:]
	p.began = time.Time{}
}

// close clears the display, unless a stopped terminal blocks it.
func (p *progress) close() {
	if p == nil {
		return
	}
	p.closing.Do(func() {
		close(p.stop)
		select {
		case <-p.stopped:
			// A drawing that fails is not worth an error.
			if isForeground(p.terminal) {
				_ = p.bar.Clear()
			}
		case <-time.After(closeLimit):
		}
	})
}

func (p *progress) draw() {
	defer close(p.stopped)
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		select {
		case <-p.stop: // both channels may be ready after a wait for the terminal
			return
		default:
			p.update()
		}
	}
}

// update draws, unless the run is in the background or the bar would not fit into a line.
func (p *progress) update() {
	if !isForeground(p.terminal) || columns(p.terminal) < narrowest {
		return
	}
	if text, done, ok := p.now(); ok {
		p.bar.Describe(text)
		_ = p.bar.Set64(int64(done))
	}
}

// now returns what to show about the current trial; ok is whether there is one.
func (p *progress) now() (text string, done time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		return "", 0, false
	}
	done = p.done + min(time.Since(p.began), p.plan[0])
	left := (time.Duration(p.bar.GetMax64()) - done).Round(time.Second)
	return p.fit(fmt.Sprintf("%s · %v left", p.trial, left), p.rates()), done, true
}

// barColumns is the width of the bar with its percentage and the space around them.
const barColumns = 20 + len(" 100% ") + 3

// narrowest is the smallest width in which there is room for the bar and some words.
const narrowest = barColumns + 8

// fit appends as many of the parts as fit into a line of the terminal, and cuts the text if
// it is too long by itself: a line that wraps could not be drawn over.
func (p *progress) fit(text string, parts []string) string {
	room := max(columns(p.terminal)-barColumns, 8)
	for _, part := range parts {
		if utf8.RuneCountInString(text+part) > room {
			break
		}
		text += part
	}
	if runes := []rune(text); len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return text
}

// rates returns each core's switches per second since the last call.
func (p *progress) rates() []string {
	counts, err := p.collector.Switches()
	if err != nil {
		return nil
	}
	now := time.Now()
	last, span := p.last, now.Sub(p.at).Seconds()
	p.last, p.at = counts, now
	if last == nil {
		return nil
	}
	var parts []string
	for _, cpu := range slices.Sorted(maps.Keys(counts)) {
		rate, unit := float64(counts[cpu]-last[cpu])/span, "/s"
		if rate >= 10_000 {
			rate, unit = rate/1000, " k/s"
		}
		parts = append(parts, fmt.Sprintf(" · core %d %.0f%s", cpu, rate, unit))
	}
	return parts
}
