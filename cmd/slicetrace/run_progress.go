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
	"github.com/slicetrace/slicetrace/workloads"
)

// progressEvery is how often the display is drawn: seldom, since drawing is
// work on the cores that are measured.
const progressEvery = 250 * time.Millisecond

// closeLimit is how long the end of a run waits for a terminal that takes nothing.
const closeLimit = 200 * time.Millisecond

// progress shows the trial under way, the time left and each core's switches a
// second. A nil progress shows nothing.
type progress struct {
	bar       *progressbar.ProgressBar
	terminal  *os.File
	collector *collector.Collector
	stop      chan struct{}
	stopped   chan struct{}
	closing   sync.Once

	// mu guards the rest. It is never held while the terminal is written to: one
	// that Ctrl-S has stopped keeps the writer waiting, and begin and end must not.
	mu    sync.Mutex
	trial string
	done  time.Duration // of trials that ended
	began time.Time
	plan  []time.Duration
	last  map[int]uint64
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

// expected is how long a trial takes; one that ends by operations counts as a second.
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

// close clears the display. A display that waits for a stopped terminal is left as it is.
func (p *progress) close() {
	if p == nil {
		return
	}
	p.closing.Do(func() {
		close(p.stop)
		select {
		case <-p.stopped:
			// What cannot be drawn on a terminal is not worth an error.
			if isLookedAt(p.terminal) {
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
		case <-p.stop: // both, after a wait for the terminal
			return
		default:
			p.update()
		}
	}
}

// update draws, unless nobody sees it or the bar would not fit into a line.
func (p *progress) update() {
	if !isLookedAt(p.terminal) || columns(p.terminal) < narrowest {
		return
	}
	if text, done, ok := p.now(); ok {
		p.bar.Describe(text)
		_ = p.bar.Set64(int64(done))
	}
}

// now returns what is to be shown of the trial under way, if one is.
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

// barColumns is what the bar, its percentage and the space around them take.
const barColumns = 20 + len(" 100% ") + 3

// narrowest is the fewest columns in which there is a bar and some words.
const narrowest = barColumns + 8

// fit appends as many of the parts as the terminal's line has room for, and
// cuts what is too long even so: a line that wraps would not be drawn over.
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

// rates returns each core's switches a second since the last call.
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
