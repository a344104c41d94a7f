package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

const (
	// manyCores is the number of cores above which a section shows only the sum of all cores and
	// the extremes.
	manyCores = 8
	// rareShare is the share of a class's switches below which a core's row is left out, such as
	// the system's own switches while a workload is pinned to other cores.
	rareShare = 0.005
	// otherLoads names the group that adds up all workloads.
	otherLoads = "any"
)

// coreSwitches holds the switches of one class on one core, or on all cores, in several trials.
type coreSwitches struct {
	core  string
	stats report.ClassStats
	// wallNS is the core time watched in those trials, with or without such switches.
	wallNS int64
}

// switchesByCore returns the class's switches on every core, in ascending order of the cores.
func switchesByCore(trials []*report.Trial, class report.Class) []coreSwitches {
	at := map[int]*coreSwitches{}
	tallies := map[int]*classTally{}
	var cpus []int
	for _, t := range trials {
		for i := range t.Cores {
			c := &t.Cores[i]
			s := at[c.CPU]
			if s == nil {
				s = &coreSwitches{core: strconv.Itoa(c.CPU)}
				at[c.CPU], tallies[c.CPU] = s, &classTally{}
				cpus = append(cpus, c.CPU)
			}
			s.wallNS += c.WallNS
			for _, stats := range c.Classes {
				if stats.Class == class {
					tallies[c.CPU].add(stats)
				}
			}
		}
	}
	slices.Sort(cpus)
	out := make([]coreSwitches, len(cpus))
	for i, cpu := range cpus {
		out[i] = *at[cpu]
		out[i].stats = tallies[cpu].stats(class)
	}
	return out
}

// typicalNS is the median cost, or the median switch phase if there is no cost.
func (s *coreSwitches) typicalNS() float64 {
	if ns, ok := s.stats.Cost.Quantile(0.5); ok {
		return ns
	}
	ns, _ := s.stats.Switch.Quantile(0.5)
	return ns
}

// allCores adds up all cores.
func allCores(all []coreSwitches) coreSwitches {
	total := coreSwitches{core: "all"}
	for _, s := range all {
		total.stats.Class = s.stats.Class
		total.stats.Add(s.stats)
		total.wallNS += s.wallNS
	}
	return total
}

// selectCores drops cores with hardly any such switches and, on a machine with many cores, keeps
// only the sum of all and the extremes. It returns how many rows it dropped.
func selectCores(all []coreSwitches) (kept []coreSwitches, dropped int) {
	total := allCores(all)
	for _, s := range all {
		switch n := float64(s.stats.Switches); {
		case n == 0:
		case n < rareShare*float64(total.stats.Switches):
			dropped++
		default:
			kept = append(kept, s)
		}
	}
	if len(all) <= manyCores || len(kept) < 3 {
		return kept, dropped
	}
	byCost := func(a, b coreSwitches) int { return cmp.Compare(a.typicalNS(), b.typicalNS()) }
	least, most := slices.MinFunc(kept, byCost), slices.MaxFunc(kept, byCost)
	least.core, most.core = "min "+least.core, "max "+most.core
	return []coreSwitches{total, least, most}, dropped + len(kept) - 2
}

func (s *coreSwitches) row() Row {
	c := s.stats
	share := report.Quantity{Unit: report.Percent}
	if c.Cost.Count > 0 {
		share = percent(float64(c.Cost.SumNS), float64(s.wallNS))
	}
	return Row{
		textCell(s.core), textCell(classLabel(c.Class)), valueCell(ofCount(c.Switches)),
		valueCell(metric.Quantile(c.Pick, 0.5)),
		valueCell(metric.Quantile(c.Switch, 0.5)), valueCell(metric.Quantile(c.Switch, 0.99)),
		valueCell(metric.Quantile(c.Cost, 0.5)), valueCell(share),
	}
}

// switchGroup returns the rows of some classes, each added up over its own trials: core by core on
// a small machine, class by class on a large one.
func switchGroup(classes []report.Class, trialsOf func(report.Class) []*report.Trial) (g Group, dropped int) {
	type entry struct {
		cpu int
		row Row
	}
	var entries []entry
	for _, class := range classes {
		kept, n := selectCores(switchesByCore(trialsOf(class), class))
		dropped += n
		for _, s := range kept {
			cpu, err := strconv.Atoi(s.core)
			if err != nil {
				cpu = -1 // "all" and the extremes stay together
			}
			entries = append(entries, entry{cpu, s.row()})
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.cpu, b.cpu) })
	for _, e := range entries {
		g.Rows = append(g.Rows, e.row)
	}
	return g, dropped
}

func backgroundClasses() []report.Class {
	return []report.Class{report.ClassKernel, report.ClassIdleIn, report.ClassIdleOut}
}

// backgroundGroup has a row, for all cores, for each class of switch that every load causes.
func backgroundGroup(trials []*report.Trial) (g Group) {
	for _, class := range backgroundClasses() {
		if s := allCores(switchesByCore(trials, class)); s.stats.Switches > 0 {
			g.Rows = append(g.Rows, s.row())
		}
	}
	return g
}

// switchSection shows the cost of a switch on each core. Thread switches are the work of threads
// trials and process switches that of processes trials, so each is added up over those. The other
// classes occur with any load. If together is true, all workloads are added up.
func switchSection(r *report.Report, together bool) Section {
	s := Section{
		Title: "Switch cost per core",
		Columns: append([]Column{{Name: "core"}, textColumn("switch")},
			columns("switches", "pick p50", "switch p50", "switch p99", "cost p50", "core time")...),
	}
	bundled := metric.BundledTrials(r, "")
	userClasses := []report.Class{report.ClassThread, report.ClassProcess}
	dropped := 0
	add := func(name Group, classes []report.Class, trialsOf func(report.Class) []*report.Trial) {
		g, n := switchGroup(classes, trialsOf)
		dropped += n
		g.Name, g.Variant = name.Name, name.Variant
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	for _, load := range metric.Loads(r) {
		if load.IsCommand() {
			trials := metric.TrialsOf(r, load, report.Command)
			add(groupOf(load), report.Classes(), func(report.Class) []*report.Trial { return trials })
			continue
		}
		if !together {
			add(groupOf(load), userClasses, func(c report.Class) []*report.Trial {
				return metric.TrialsOf(r, load, modeOf(c))
			})
		}
	}
	if together {
		add(Group{}, userClasses, func(c report.Class) []*report.Trial {
			return metric.BundledTrials(r, modeOf(c))
		})
		if g := backgroundGroup(bundled); len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	} else {
		add(Group{Name: otherLoads}, backgroundClasses(), func(report.Class) []*report.Trial { return bundled })
	}
	s.Caption = "Kernel time in which no task makes progress: " +
		"cost = pick (choose the next task) + switch (change to it). " +
		"Core time is the share of the core's time that such switches took. "
	switch {
	case together:
		s.Caption += "Thread switches are those of threads trials, process switches those of processes trials, " +
			"other rows of all trials."
	case len(bundled) > 0:
		s.Caption += "Thread switches are those of threads trials, process switches those of processes trials; \"" +
			otherLoads + "\" is all trials together."
	default:
		s.Caption += "All switches on the core are counted, the command's and those of other programs."
	}
	if dropped > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more rows in: slicetrace export REPORT --table cores", dropped))
	}
	return s
}

// modeOf returns the mode whose work makes this class of switch, "" for classes that occur with any
// load.
func modeOf(c report.Class) report.Mode {
	switch c {
	case report.ClassThread:
		return report.Threads
	case report.ClassProcess:
		return report.Processes
	}
	return ""
}

// classLabel names the class in a table.
func classLabel(c report.Class) string {
	switch c {
	case report.ClassThread:
		return "thread → thread"
	case report.ClassProcess:
		return "process → process"
	case report.ClassKernel:
		return "kernel thread"
	case report.ClassIdleIn:
		return "to idle"
	case report.ClassIdleOut:
		return "from idle"
	}
	return string(c)
}
