package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// Bounds on what a report can hold. They are far above what a run produces, and keep a hostile file
// from growing without limit in the tables that are made from it.
const (
	maxTrials  = 100_000
	maxCores   = 8192
	maxWorkers = 1 << 20
	maxFigures = 1000
	// maxSettings leaves room for settings of later versions.
	maxSettings = 1000
	// maxFindings leaves room for claims of later versions.
	maxFindings = 1000
)

// The kernel's bounds of a nice level.
const (
	minNice = -20
	maxNice = 19
)

// Validate returns an error that names the first figure that no measurement can produce.
func (r *Report) Validate() error {
	if r.Schema != SchemaVersion {
		return fmt.Errorf("schema %d is not %d", r.Schema, SchemaVersion)
	}
	if err := r.Setup.validate(); err != nil {
		return err
	}
	if len(r.Trials) > maxTrials {
		return fmt.Errorf("%d trials are more than %d", len(r.Trials), maxTrials)
	}
	for i := range r.Trials {
		if err := r.Trials[i].validate(); err != nil {
			return fmt.Errorf("trial %d: %w", i+1, err)
		}
	}
	if len(r.Untraced) > maxTrials {
		return fmt.Errorf("%d untraced trials are more than %d", len(r.Untraced), maxTrials)
	}
	for i := range r.Untraced {
		if t := &r.Untraced[i]; len(t.Cores)+len(t.Workers) > 0 {
			return fmt.Errorf("untraced trial %d has cores or workers", i+1)
		}
		if err := r.Untraced[i].validate(); err != nil {
			return fmt.Errorf("untraced trial %d: %w", i+1, err)
		}
	}
	if err := r.validateStacks(); err != nil {
		return err
	}
	if len(r.Failed) > maxTrials {
		return fmt.Errorf("%d failed trials are more than %d", len(r.Failed), maxTrials)
	}
	for i, f := range r.Failed {
		if f.Mode != Processes && f.Mode != Threads || f.Round < 1 {
			return fmt.Errorf("failed trial %d: mode %q and round %d", i+1, f.Mode, f.Round)
		}
	}
	if rec := r.Recording; rec != nil && min(rec.Bytes, rec.ToolCPUNS, rec.WallNS) < 0 {
		return errors.New("a recording of a negative size or time")
	}
	if n := max(len(r.Settings), len(r.SettingsAtEnd)); n > maxSettings {
		return fmt.Errorf("%d settings are more than %d", n, maxSettings)
	}
	if len(r.Findings) > maxFindings {
		return fmt.Errorf("%d findings are more than %d", len(r.Findings), maxFindings)
	}
	for i := range r.Findings {
		if err := r.Findings[i].validate(); err != nil {
			return fmt.Errorf("finding %d: %w", i+1, err)
		}
	}
	return nil
}

func (f *Finding) validate() error {
	if !slices.Contains(Verdicts(), f.Verdict) {
		return fmt.Errorf("verdict %q is unknown", f.Verdict)
	}
	if len(f.Figures) > maxFigures {
		return fmt.Errorf("%d figures are more than %d", len(f.Figures), maxFigures)
	}
	return nil
}

func (t *Trial) validate() error {
	switch {
	case t.Mode != Processes && t.Mode != Threads && t.Mode != Command && t.Mode != SystemMode:
		return fmt.Errorf("mode %q is unknown", t.Mode)
	case t.DurationNS < 0 || t.Operations < 0 || t.Round < 0:
		return errors.New("a negative duration, count of operations or round")
	case t.StartedNS != nil && *t.StartedNS < 0:
		return errors.New("a start before that of the run")
	case len(t.Cores) > maxCores:
		return fmt.Errorf("%d cores are more than %d", len(t.Cores), maxCores)
	case len(t.Figures) > maxFigures:
		return fmt.Errorf("%d figures are more than %d", len(t.Figures), maxFigures)
	case len(t.Workers) > maxWorkers:
		return fmt.Errorf("%d workers are more than %d", len(t.Workers), maxWorkers)
	case len(t.Settings) > maxSettings:
		return fmt.Errorf("%d settings are more than %d", len(t.Settings), maxSettings)
	case t.ToolNS != nil && *t.ToolNS < 0:
		return errors.New("a negative time of the tool's own")
	case t.Throttling != nil && t.Throttling.NS < 0:
		return errors.New("a negative time of throttling")
	case t.Memory.negative():
		return errors.New("a negative amount of memory")
	}
	for i := range t.Cores {
		if err := t.Cores[i].validate(); err != nil {
			return fmt.Errorf("core %d: %w", t.Cores[i].CPU, err)
		}
	}
	for i := range t.Workers {
		w := &t.Workers[i]
		if w.Nice < minNice || w.Nice > maxNice {
			return fmt.Errorf("worker %d: a nice level of %d", w.Index, w.Nice)
		}
		if min(w.OnCPUNS, w.WaitNS, w.WaitMaxNS, w.ThrottledNS, w.Operations, int64(w.Merged)) < 0 {
			return fmt.Errorf("worker %d: a negative time or count", w.Index)
		}
	}
	if (t.Mode == SystemMode) != (t.System != nil) || t.System != nil && len(t.Workers) > 0 {
		return errors.New("a trial of a running system with workers, or without its tasks")
	}
	return cmp.Or(t.validateCommand(), t.System.validate(), t.Created.validate())
}

// negative reports whether any amount is below 0.
func (m *Memory) negative() bool {
	return m != nil && min(int64(m.Processes), m.PSSBytes, m.PrivateBytes, m.PageTableBytes) < 0
}

func (c *Core) validate() error {
	if min(c.WallNS, c.IdleNS, c.WorkersNS, c.OthersNS, c.SelfNS, c.StealNS, c.InterruptNS) < 0 {
		return errors.New("a negative time")
	}
	if len(c.Classes) > len(Classes()) || len(c.Slices) > len(Causes()) {
		return errors.New("a switch class or slice cause occurs twice")
	}
	for _, s := range c.Classes {
		for _, h := range []histogram.Histogram{s.Pick, s.Switch, s.Cost} {
			if err := h.Validate(); err != nil {
				return fmt.Errorf("class %q: %w", s.Class, err)
			}
		}
	}
	for _, s := range c.Slices {
		if err := s.Length.Validate(); err != nil {
			return fmt.Errorf("slices that were ended by %q: %w", s.EndedBy, err)
		}
	}
	if err := c.Wait.Validate(); err != nil {
		return fmt.Errorf("waits: %w", err)
	}
	return nil
}
