package report

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// side holds the runs of one side of a comparison, in the order in which they began.
type side struct {
	runs    []Named
	figures []figures
}

// readSides prepares all reports at once, which takes most of the time.
func readSides(sides [][]Named) ([]side, error) {
	out := make([]side, len(sides))
	var wait sync.WaitGroup
	for i, runs := range sides {
		s := &out[i]
		s.runs = slices.Clone(runs)
		slices.SortStableFunc(s.runs, func(a, b Named) int { return a.Report.Created.Compare(b.Report.Created) })
		s.figures = make([]figures, len(runs))
		for j, n := range s.runs {
			wait.Go(func() { s.figures[j] = newFigures(n.Report) })
		}
	}
	wait.Wait()
	for _, s := range out {
		for i := 1; i < len(s.runs); i++ {
			if a, b := s.runs[i-1], s.runs[i]; sameRun(a.Report, b.Report) {
				return nil, fmt.Errorf("compare: %s and %s are one report: give each run once", a.Name, b.Name)
			}
		}
	}
	return out, nil
}

func sameRun(a, b *Report) bool { return a.Created.Equal(b.Created) && a.ID() == b.ID() }

// sameReport says that a report stands on both sides, "" if none does.
func sameReport(a, b side) string {
	for _, x := range a.runs {
		for _, y := range b.runs {
			switch {
			case !sameRun(x.Report, y.Report):
			case len(a.runs) == 1 && len(b.runs) == 1:
				return "both are one report, under one name or two: nothing can have changed."
			default:
				return fmt.Sprintf("%s and %s are one report: it cannot stand on both sides.", x.Name, y.Name)
			}
		}
	}
	return ""
}

func (s side) side() Side {
	first := s.runs[0]
	out := Side{
		Name: first.Name, Created: first.Report.Created, Kernel: first.Report.Host.Kernel,
		header: first.Report.Host.header()[1:], // the first is our name
	}
	if more := len(s.runs) - 1; more > 0 {
		out.Name = fmt.Sprintf("%s and %d more", first.Name, more)
	}
	for _, n := range s.runs {
		out.Runs = append(out.Runs, n.Name)
		out.Trials += len(n.Report.Trials)
		_, reasons := n.Report.Quality.Clean()
		for _, reason := range reasons {
			if len(s.runs) > 1 {
				reason = n.Name + ": " + reason
			}
			out.NotClean = append(out.NotClean, reason)
		}
	}
	return out
}

// warnings say what differs among the runs of one side.
func (s side) warnings(name string) []string {
	var differ []string
	for _, n := range s.runs[1:] {
		for _, u := range unlike(s.runs[0].Report, n.Report) {
			if !slices.Contains(differ, u.Name) {
				differ = append(differ, u.Name)
			}
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the %s runs differ among themselves (%s): they are taken for runs of the same.", name, strings.Join(differ, ", "))}
}

// LikeRuns returns those of some reports that are like one: of the same machine, kernel,
// set-up and settings, and not the report itself.
func LikeRuns(of *Report, among []Named) []Named {
	var out []Named
	for _, n := range among {
		if !sameRun(of, n.Report) && len(unlike(of, n.Report)) == 0 {
			out = append(out, n)
		}
	}
	return out
}

// inTime tells of the runs of both sides, in the order in which they began, which are
// new; ok is false where the times do not tell the order.
func inTime(old, other side) (isNew []bool, index []int, ok bool) {
	type run struct {
		began time.Time
		isNew bool
		index int // old runs first
	}
	var all []run
	for i, n := range slices.Concat(old.runs, other.runs) {
		all = append(all, run{n.Report.Created, i >= len(old.runs), i})
	}
	slices.SortStableFunc(all, func(a, b run) int { return a.began.Compare(b.began) })
	ok = true
	for i, r := range all {
		isNew, index = append(isNew, r.isNew), append(index, r.index)
		// Reports tell seconds, in which two short runs can follow each other.
		ok = ok && (i < 2 || !r.began.Equal(all[i-2].began))
	}
	return isNew, index, ok
}

// alternate reports whether runs of both sides were made in turns, so that what drifts
// meanwhile meets both alike.
func alternate(isNew []bool) bool {
	turns, count := 0, news(isNew)
	for i := 1; i < len(isNew); i++ {
		if isNew[i] != isNew[i-1] {
			turns++
		}
	}
	return turns >= min(count, len(isNew)-count)
}
