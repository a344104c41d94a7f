package compare

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// side holds the runs of one side of a comparison, in the order in which they began.
type side struct {
	runs    []Input
	figures []figures
}

// readSides prepares all reports at once, since this takes most of the time.
func readSides(sides [][]Input, cores bool) ([]side, error) {
	out := make([]side, len(sides))
	var wait sync.WaitGroup
	for i, runs := range sides {
		s := &out[i]
		s.runs = slices.Clone(runs)
		slices.SortStableFunc(s.runs, func(a, b Input) int { return a.Report.Created.Compare(b.Report.Created) })
		s.figures = make([]figures, len(runs))
		for j, n := range s.runs {
			wait.Go(func() { s.figures[j] = newFigures(n.Report, cores) })
		}
	}
	wait.Wait()
	for _, s := range out {
		for i, a := range s.runs {
			for _, b := range s.runs[:i] {
				if sameRun(a.Report, b.Report) {
					return nil, fmt.Errorf("compare: %s and %s are the same report: give each run once", b.Name, a.Name)
				}
			}
		}
	}
	return out, nil
}

// without returns the side without the runs of others, which would be compared with themselves.
func (s side) without(others ...side) side {
	var out side
	for i, n := range s.runs {
		taken := slices.ContainsFunc(others, func(o side) bool {
			return slices.ContainsFunc(o.runs, func(m Input) bool { return sameRun(m.Report, n.Report) })
		})
		if !taken {
			out.runs, out.figures = append(out.runs, n), append(out.figures, s.figures[i])
		}
	}
	return out
}

// span is the time from the beginning of the first run to the beginning of the last.
func (s side) span() time.Duration {
	if len(s.runs) == 0 {
		return 0
	}
	return s.runs[len(s.runs)-1].Report.Created.Sub(s.runs[0].Report.Created)
}

func sameRun(a, b *report.Report) bool { return a.Created.Equal(b.Created) && a.ID() == b.ID() }

// sameReport returns a warning if both sides are a single report and it is the same one, otherwise
// "". If one of several reports is on both sides, it returns an error.
func sameReport(a, b side) (string, error) {
	for _, x := range a.runs {
		for _, y := range b.runs {
			switch {
			case !sameRun(x.Report, y.Report):
			case len(a.runs) == 1 && len(b.runs) == 1:
				return "both sides are the same report: nothing can have changed.", nil
			default:
				return "", fmt.Errorf("compare: %s and %s are the same report, which cannot be on both sides",
					x.Name, y.Name)
			}
		}
	}
	return "", nil
}

func (s side) side() Side {
	first := s.runs[0]
	out := Side{
		Name: first.Name, Created: first.Report.Created, Kernel: first.Report.Host.Kernel,
		Host: first.Report.Host,
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

// warnings returns sentences about differences between the runs of one side.
func (s side) warnings(name string) []string {
	var differ []string
	for _, n := range s.runs[1:] {
		for _, u := range differencesOf(s.runs[0].Report, n.Report) {
			if !slices.Contains(differ, u.Name) {
				differ = append(differ, u.Name)
			}
		}
	}
	var out []string
	if len(differ) > 0 {
		out = append(out, fmt.Sprintf("the %s runs differ in %s: they are treated as runs of the same work.",
			name, strings.Join(differ, ", ")))
	}
	var lacking []string
	for _, l := range s.loads() {
		for _, mode := range l.Modes {
			if n := s.ran(trialKey(l.Name, l.Variant, mode)); n < len(s.runs) {
				lacking = append(lacking,
					fmt.Sprintf("%s in %d of %d", place(l.Name, l.Variant, mode), n, len(s.runs)))
			}
		}
	}
	if len(lacking) > 0 {
		out = append(out, fmt.Sprintf("not all %s runs have the same work; "+
			"work that some of them lack is left out: %s.", name, words.List(lacking, 4)))
	}
	return out
}

// LikeRuns returns the reports that are similar to one: of the same machine, kernel, set-up and
// settings. It does not return the report itself.
func LikeRuns(of *report.Report, among []Input) []Input {
	var out []Input
	for _, n := range among {
		if !sameRun(of, n.Report) && len(differencesOf(of, n.Report)) == 0 {
			out = append(out, n)
		}
	}
	return out
}

// inTime puts the runs of both sides in the order in which they began. isNew says which of them are
// new, and index which runs they are. ok is false if the times do not determine the order.
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
		// Reports store seconds, and two short runs can begin within one.
		ok = ok && (i < 2 || !r.began.Equal(all[i-2].began))
	}
	return isNew, index, ok
}

// alternate reports whether the runs of both sides were made in turns, so that slow changes of the
// machine affect both equally: the side changes at least as often as the smaller side has runs, and
// neither side is ever ahead of the other by more than the share of two of those runs.
func alternate(isNew []bool) bool {
	newer := 0.0
	for _, n := range isNew {
		if n {
			newer++
		}
	}
	older := float64(len(isNew)) - newer
	fewer := min(newer, older)
	turns, ahead, most := 0, 0.0, 0.0
	for i, n := range isNew {
		if n {
			ahead += 1 / newer
		} else {
			ahead -= 1 / older
		}
		most = max(most, ahead, -ahead)
		if i > 0 && n != isNew[i-1] {
			turns++
		}
	}
	return float64(turns) >= fewer && most*fewer <= 2+1e-9
}

// notLike returns a warning about similar runs that differ from the old side.
func (s side) notLike(first Input) []string {
	var out []string
	for _, n := range s.runs {
		if differ := differencesOf(first.Report, n.Report); len(differ) > 0 {
			out = append(out, fmt.Sprintf("%s (%s)", n.Name, differ[0].Name))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("not all runs that were given with --like are like the old side: %s.",
		words.List(out, 4))}
}
