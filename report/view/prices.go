package view

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// PricesLack says why a report of bundled work does not have the prices of switches, "" if it has.
func PricesLack(prices *report.Report) string {
	if _, ok := extraOf(prices); !ok {
		return "it has no switches of pipe or spin in both modes: slicetrace run pipe spin measures them"
	}
	return ""
}

// extraOf is by how much a switch of processes costs more than one of threads: hot or after a time
// slice, whichever can be more.
func extraOf(prices *report.Report) (most metric.Excess, ok bool) {
	t := &answer{report: prices}
	for _, l := range []metric.Load{t.hot(), afterSlices(prices)} {
		if o, known := t.excess(l); known && (!ok || upperEnd(o) > upperEnd(most)) {
			most, ok = o, true
		}
	}
	return most, ok
}

// upperEnd is the upper end of the interval or, without one, the estimate.
func upperEnd(e metric.Excess) float64 {
	if e.Bounded() {
		return e.High
	}
	return e.Center
}

// Prices are those of switches, in a report of bundled work.
type Prices struct {
	Report *report.Report
	// Name is what the reader calls the report, "" if there is none.
	Name string
}

// HaveInterval reports whether there are enough rounds for an interval.
func (p Prices) HaveInterval() bool {
	extra, ok := extraOf(p.Report)
	return ok && extra.Bounded()
}

// AreOf reports whether the prices are of the machine of a report.
func (p Prices) AreOf(r *report.Report) bool { return otherMachine(r.Host, p.Report.Host) == "" }

// AddPrices adds to the summary of a command or a watched system what its switches cost and, at the
// prices of a report of bundled work, the most that threads in place of processes could save. Without
// a report it says how to get one.
func AddPrices(s *Summary, r *report.Report, prices Prices) {
	if len(metric.BundledModes(r)) > 0 {
		return
	}
	var section Section
	if prices.Report == nil {
		section = unpricedSection(r)
	} else if extra, ok := extraOf(prices.Report); ok {
		section = savingSection(r, prices, extra)
	}
	if !section.empty() {
		s.Sections = append([]Section{section}, s.Sections...)
	}
}

// notWorthIt is the percentage of the time that tasks had cores below which a saving is not worth a
// change.
const notWorthIt = 1

const savingTitle = "Threads instead of processes"

// unpricedSection says how to learn what threads could save, if there is anything to save.
func unpricedSection(r *report.Report) Section {
	for i := range r.Trials {
		if r.Trials[i].Class(report.ClassProcess).Switches > 0 {
			return Section{Title: savingTitle, Notes: []string{
				"What threads could save is not known: no report of this machine's prices is in this folder. " +
					"slicetrace run pipe spin makes one.",
			}}
		}
	}
	return Section{}
}

func savingSection(r *report.Report, prices Prices, extra metric.Excess) Section {
	s := Section{Title: savingTitle}
	if prices.Name != "" {
		s.Caption = "At the prices in " + prices.Name + "."
	}
	var trials []*report.Trial
	var passedNS, busyNS int64
	for i := range r.Trials {
		t := &r.Trials[i]
		trials = append(trials, t)
		passedNS += t.DurationNS
		for j := range t.Workers {
			busyNS += t.Workers[j].OnCPUNS
		}
	}
	all, _ := metric.SumCores(trials)
	whose := "its tasks had a core"
	if isWatch(r) {
		busyNS, whose = all.WallNS-all.IdleNS, "cores were busy"
	}
	if busyNS <= 0 || passedNS <= 0 {
		return s
	}
	between := all.Class(report.ClassProcess)
	text := fmt.Sprintf("Switches between processes: %s, %s.", ofCount(between.Switches),
		metric.Rate(between.Switches, passedNS))
	own := []report.ClassStats{between, all.Class(report.ClassThread)}
	if ns, ok := metric.SwitchingNS(own); ok {
		text += fmt.Sprintf(" With those between threads, they took %s, %s of the time that %s.",
			nanosecondsOf(ns), percentOf(100*ns/float64(busyNS)), whose)
	}
	s.Notes = append(s.Notes, text, savingText(float64(between.Switches), float64(busyNS), extra))
	if lack := otherMachine(r.Host, prices.Report.Host); lack != "" {
		s.Notes = append(s.Notes, "Note: the prices are of another machine: "+lack+".")
	}
	return s
}

// savingText says how much of the time of some switches between processes is their extra price.
func savingText(switches, busyNS float64, extra metric.Excess) string {
	interval := "too few rounds for an interval"
	if extra.Bounded() {
		interval = fmt.Sprintf("%s to %s", nanosecondsOf(switches*extra.Low), nanosecondsOf(switches*extra.High))
	}
	most := upperEnd(extra)
	if most <= 0 {
		return fmt.Sprintf("Here a switch between processes costs no more than one between threads%s: "+
			"threads would save nothing.", brackets(interval))
	}
	share := metric.CoreShare(most, switches*1e9/busyNS)
	return fmt.Sprintf("Of this, processes cost %s more than threads%s. So threads would save %s %s of that "+
		"time%s. Refilling caches and TLB is not in it.", nanosecondsOf(switches*extra.Center), brackets(interval),
		words.Choose(extra.Bounded(), "at most", "about"), percentOf(share),
		words.Choose(share < notWorthIt, ": not worth it", ""))
}

// otherMachine says in what the machine of the prices differs, "" if it is the same.
func otherMachine(here, there report.Host) string {
	var said []string
	for _, c := range []struct{ name, here, there string }{
		{"CPU", here.CPUModel, there.CPUModel}, {"kernel", here.Kernel, there.Kernel}, {"PTI", here.PTI, there.PTI},
	} {
		if c.here != c.there {
			said = append(said, fmt.Sprintf("%s %s, here %s", c.name, shortened(orDash(c.there), briefLine),
				shortened(orDash(c.here), briefLine)))
		}
	}
	return strings.Join(said, "; ")
}
