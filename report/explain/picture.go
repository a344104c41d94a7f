package explain

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/timeline"
	"github.com/slicetrace/slicetrace/report/view"
)

// variants are those of a claim's workload that show it best. Of other claims, the one with a worker for each core is
// shown, or else the first.
var variants = map[string][]string{
	"C9": {"one core"}, "C10": {"many"}, "C12": {"one core", ""}, "C13": {"one core"}, "C14": {"one core"},
	"C16": {"one core"}, "C17": {"one core"},
}

// Scene returns the workload whose slices the claim's picture shows.
func (l *Lesson) Scene() string { return l.Workloads[0] }

// longestScene is the longest time that a picture shows, and slicesShown how many slices of workers a core has in it
// at most.
const (
	longestScene = 200 * time.Millisecond
	slicesShown  = 40
)

// ErrNoScene means that a recording has no slices of the work that a picture is to show.
var ErrNoScene = errors.New("the recording has no slices of this work")

// Picture reads a claim's picture from a recording.
func (l *Lesson) Picture(in io.ReadSeeker) (*view.Lanes, error) {
	all, err := timeline.Read(in, timeline.Options{Length: longestScene})
	if err != nil {
		return nil, err
	}
	scene := slices.DeleteFunc(all, func(w timeline.Window) bool { return w.Mark.Workload != l.Scene() })
	if len(scene) == 0 {
		return nil, ErrNoScene
	}
	is := func(variant string) func(timeline.Window) bool {
		return func(w timeline.Window) bool { return w.Mark.Variant == variant }
	}
	shown := slices.DeleteFunc(slices.Clone(variants[l.ID]), func(v string) bool {
		return !slices.ContainsFunc(scene, is(v))
	})
	if len(shown) == 0 {
		i := slices.IndexFunc(scene, func(w timeline.Window) bool { return len(w.Mark.Workers) == len(w.CPUs) })
		shown = []string{scene[max(0, i)].Mark.Variant}
	}
	scene = slices.DeleteFunc(scene, func(w timeline.Window) bool { return !slices.Contains(shown, w.Mark.Variant) })
	slices.SortStableFunc(scene, func(a, b timeline.Window) int { // processes above threads
		return cmp.Or(cmp.Compare(slices.Index(shown, a.Mark.Variant), slices.Index(shown, b.Mark.Variant)),
			cmp.Compare(a.Mark.Mode, b.Mark.Mode))
	})
	lanes := &view.Lanes{}
	for i := range scene {
		lanes.Groups = append(lanes.Groups, laneGroup(&scene[i]))
	}
	return lanes, nil
}

// laneGroup draws the cores of a window that had a worker.
func laneGroup(w *timeline.Window) view.LaneGroup {
	w.EndNS = sceneEnd(w)
	span := float64(w.EndNS - w.StartNS)
	g := view.LaneGroup{
		Name: report.WorkloadTitle(w.Mark.Workload, w.Mark.Variant) + ", " + w.Mark.Mode,
		Span: report.Of(span, report.Nanoseconds),
	}
	for _, cpu := range w.CPUs {
		lane := view.Lane{Label: "core " + strconv.Itoa(int(cpu))}
		for _, s := range w.Slices {
			if s.CPU == cpu && s.StartNS < w.EndNS {
				lane.Bars = joined(lane.Bars, view.Bar{
					From: max(0, float64(s.StartNS-w.StartNS)/span), To: min(1, float64(s.EndNS-w.StartNS)/span),
					Worker: slices.Index(w.Mark.Workers, s.TID),
				})
			}
		}
		if slices.ContainsFunc(lane.Bars, func(b view.Bar) bool { return b.Worker >= 0 }) {
			g.Lanes = append(g.Lanes, lane)
		}
	}
	return g
}

// tooClose is the part of a picture that cannot be seen.
const tooClose = 0.0005

// joined adds a bar, to the last one if that is of the same worker, or of other tasks too, and no gap can be seen.
func joined(bars []view.Bar, next view.Bar) []view.Bar {
	if n := len(bars); n > 0 && bars[n-1].Worker == next.Worker && next.From-bars[n-1].To < tooClose {
		bars[n-1].To = next.To
		return bars
	}
	return append(bars, next)
}

// sceneEnd returns when the workers have had slicesShown slices on some core, or the window's end.
func sceneEnd(w *timeline.Window) int64 {
	had := make(map[sched.CPU]int)
	for _, s := range w.Slices {
		if slices.Contains(w.Mark.Workers, s.TID) {
			if had[s.CPU]++; had[s.CPU] == slicesShown && s.EndNS > w.StartNS {
				return min(s.EndNS, w.EndNS)
			}
		}
	}
	return w.EndNS
}
