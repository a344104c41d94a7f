package collector

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"sync"
	"time"

	"github.com/slicetrace/slicetrace/collector/flight"
)

// cutter calls cut at each flight.CutEvery, until it is stopped or over.
type cutter struct {
	quit, done chan struct{}
	once       sync.Once
	err        error // of the cut after which there was none
}

func startCutter(cut func() error, over func() bool) *cutter {
	k := &cutter{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		tick := time.NewTicker(flight.CutEvery)
		defer tick.Stop()
		for k.err == nil && !over() {
			select {
			case <-k.quit:
				return
			case <-tick.C:
				k.err = cut()
			}
		}
	}()
	return k
}

// stop ends the cuts and returns the error that ended them before. It may be called more than once, and
// without a cutter.
func (k *cutter) stop() error {
	if k == nil {
		return nil
	}
	k.once.Do(func() { close(k.quit) })
	<-k.done
	return k.err
}

// cut divides what a flight recorder gets at this moment: on each core between two of its switches, so
// that the events in each part agree with the counters. Events that wait in the kernel are sent first.
func (c *Collector) cut() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var failed error
	err := c.ring.withWriter(func(w *eventWriter) {
		w.cutting = true
		defer func() { w.cutting = false }()
		if failed = c.read(); failed != nil {
			return
		}
		c.accumulate()
		if failed = c.ring.drain(); failed != nil {
			return
		}
		failed = c.cutAt(w)
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("divide the recording: %w", err)
	}
	return nil
}

// cutAt writes each core's events up to its snapshot, and the cut.
func (c *Collector) cutAt(w *eventWriter) error {
	globals, err := c.globals()
	if err != nil {
		return err
	}
	w.writeNames()
	at := flight.Cut{SafeNS: math.MaxInt64, LostTasks: w.end.LostTasks + globals.LostNames}
	for _, from := range c.cores {
		core := w.core(from.cpu)
		if !from.offline { // otherwise its last events have not been sent
			sent := int64(from.now.Sent)
			w.cutCore(core, from, sent)
			core.counted = from.now.Cpu.Switches
			at.SafeNS, at.AllNS = min(at.SafeNS, sent), max(at.AllNS, sent)
		}
		at.Counted += core.counted
	}
	if at.AllNS > 0 {
		w.out.put(func() { w.flight.Cut(at) }, 0)
	}
	return nil
}

// cutCore writes a core's events up to a time, which its snapshot is of.
func (w *eventWriter) cutCore(core *recordedCore, from *core, sentNS int64) {
	events := core.block.Events
	n := sort.Search(len(events), func(i int) bool { return events[i].TimeNS > sentNS })
	if core.open >= 0 && core.open < n {
		core.closeLast(&from.now.Cpu)
	}
	w.write(core, n)
}

// watchInFlight tells the flight recorder, if there is one, which tasks are watched.
func (c *Collector) watchInFlight(tasks []Task) error {
	if c.cutter == nil {
		return nil
	}
	sinceNS := int64(c.now())
	return c.ring.withWriter(func(w *eventWriter) {
		w.writeNames()
		w.out.put(func() {
			for _, t := range tasks {
				w.flight.Watch(t.TID, t.PID, t.Children != Unwatched, sinceNS)
			}
		}, 0)
	})
}

// SaveWindow makes the flight recorder, if there is one, save what it has up to now.
func (c *Collector) SaveWindow() error {
	if c.cutter == nil {
		return nil
	}
	atNS := int64(c.now())
	return c.ring.withWriter(func(w *eventWriter) {
		w.out.put(func() { w.flight.Save(atNS) }, 0)
	})
}
