package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

const (
	// manyCores is the number of cores above which a section shows only the sum of all cores and
	// the extremes.
	manyCores = 8
	// rareShare is the share of a class's switches below which a core's row is left out, such as
	// the system's own switches while a workload is pinned to other cores.
	rareShare = 0.005
	// otherLoads is the name of the group that adds up all workloads.
	otherLoads = "any"
)

// coreChoice says which cores a row of the table is about.
type coreChoice uint8

const (
	oneCore   coreChoice = iota
	everyCore            // the sum
	leastCost            // the core with the least cost
	mostCost             // the core with the greatest cost
)

// coreSwitches holds the switches of one class on one core, or on all cores, in several trials.
type coreSwitches struct {
	choice coreChoice
	cpu    sched.CPU // unless choice is everyCore
	stats  report.ClassStats
	// wallNS is the core time watched in those trials, with or without such switches.
	wallNS int64
}

// core names the core in the table.
func (s *coreSwitches) core() string {
	cpu := strconv.Itoa(int(s.cpu))
	return [...]string{oneCore: cpu, everyCore: "all", leastCost: "min " + cpu, mostCost: "max " + cpu}[s.choice]
}

// place orders rows by core, after the sum of all and the extremes, which stay together.
func (s *coreSwitches) place() sched.CPU {
	if s.choice != oneCore {
		return -1
	}
	return s.cpu
}

// title names the class and the core in the chart.
func (s *coreSwitches) title() string {
	core := "core " + strconv.Itoa(int(s.cpu))
	cores := [...]string{oneCore: core, everyCore: "all cores", leastCost: "min, " + core, mostCost: "max, " + core}
	return classLabel(s.stats.Class) + ", " + cores[s.choice]
}

// switchesByCore returns the class's switches on every core, in ascending order of the cores.
func switchesByCore(trials []*report.Trial, class report.Class) []coreSwitches {
	at := map[sched.CPU]*coreSwitches{}
	tallies := map[sched.CPU]*classTally{}
	var cpus []sched.CPU
	for _, t := range trials {
		for i := range t.Cores {
			c := &t.Cores[i]
			s := at[c.CPU]
			if s == nil {
				s = &coreSwitches{cpu: c.CPU}
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
	total := coreSwitches{choice: everyCore}
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
	least.choice, most.choice = leastCost, mostCost
	return []coreSwitches{total, least, most}, dropped + len(kept) - 2
}

// row shows the switches. If only some of them were timed, the time of all is estimated.
func (s *coreSwitches) row(estimated bool) Row {
	c := s.stats
	share := report.Quantity{Unit: report.Percent}
	if c.Cost.Count > 0 {
		ns := float64(c.Cost.SumNS)
		if estimated {
			ns, _ = metric.SwitchingNS([]report.ClassStats{c})
		}
		share = percent(ns, float64(s.wallNS))
	}
	return Row{
		textCell(s.core()), textCell(classLabel(c.Class)), valueCell(ofCount(c.Switches)),
		valueCell(metric.Quantile(c.Pick, 0.5)),
		valueCell(metric.Quantile(c.Switch, 0.5)), valueCell(metric.Quantile(c.Switch, 0.99)),
		valueCell(metric.Quantile(c.Cost, 0.5)), valueCell(share),
	}
}

// switchGroup holds the switches that the section shows under one name.
type switchGroup struct {
	Group // without rows
	cores []coreSwitches
}

// add adds some classes, each added up over its own trials: core by core on a small machine, class
// by class on a large one. It returns how many rows it dropped.
func (g *switchGroup) add(classes []report.Class, trialsOf func(report.Class) []*report.Trial) (dropped int) {
	for _, class := range classes {
		kept, n := selectCores(switchesByCore(trialsOf(class), class))
		dropped += n
		g.cores = append(g.cores, kept...)
	}
	slices.SortStableFunc(g.cores, func(a, b coreSwitches) int { return cmp.Compare(a.place(), b.place()) })
	return dropped
}

func backgroundClasses() []report.Class {
	return []report.Class{report.ClassKernel, report.ClassIdleIn, report.ClassIdleOut}
}

// addBackground adds, for all cores together, each class of switch that every load causes.
func (g *switchGroup) addBackground(trials []*report.Trial) {
	for _, class := range backgroundClasses() {
		if s := allCores(switchesByCore(trials, class)); s.stats.Switches > 0 {
			g.cores = append(g.cores, s)
		}
	}
}

// switchTable is the cost of a switch on each core. Thread switches are the work of threads trials
// and process switches that of processes trials, so each is added up over those. The other classes
// occur with any load.
type switchTable struct {
	groups  []switchGroup
	dropped int // rows
	// together is true if all workloads are added up.
	together bool
	bundled  bool
	// watched is true for a watched system, of which some switches were timed.
	watched bool
}

func newSwitchTable(r *report.Report, together bool) *switchTable {
	bundled := metric.BundledTrials(r, "")
	t := &switchTable{together: together, bundled: len(bundled) > 0}
	userClasses := []report.Class{report.ClassThread, report.ClassProcess}
	for _, load := range metric.Loads(r) {
		if load.IsCommand() || load.IsSystem() {
			t.watched = load.IsSystem()
			trials := metric.TrialsOf(r, load, load.Modes[0])
			t.add(groupOf(r, load), report.Classes(), func(report.Class) []*report.Trial { return trials })
			continue
		}
		if !together {
			t.add(groupOf(r, load), userClasses, func(c report.Class) []*report.Trial {
				return metric.TrialsOf(r, load, modeOf(c))
			})
		}
	}
	if !together {
		t.add(Group{Name: otherLoads}, backgroundClasses(), func(report.Class) []*report.Trial { return bundled })
		return t
	}
	t.add(Group{}, userClasses, func(c report.Class) []*report.Trial { return metric.BundledTrials(r, modeOf(c)) })
	var background switchGroup
	background.addBackground(bundled)
	t.append(background)
	return t
}

func (t *switchTable) add(name Group, classes []report.Class, trialsOf func(report.Class) []*report.Trial) {
	g := switchGroup{Group: name}
	t.dropped += g.add(classes, trialsOf)
	t.append(g)
}

func (t *switchTable) append(g switchGroup) {
	if len(g.cores) > 0 {
		t.groups = append(t.groups, g)
	}
}

// section shows the table.
func (t *switchTable) section() Section {
	s := Section{
		Title: "Switch cost per core",
		Columns: append([]Column{{Name: "core"}, textColumn("switch")},
			columns("switches", "pick p50", "switch p50", "switch p99", "cost p50", "core time")...),
	}
	for _, g := range t.groups {
		for i := range g.cores {
			g.Rows = append(g.Rows, g.cores[i].row(t.watched))
		}
		s.Groups = append(s.Groups, g.Group)
	}
	s.Caption = "Kernel time in which no task makes progress: " +
		"cost = pick (choose the next task) + switch (change to it). " +
		"Core time is the share of the core's time that such switches took. "
	switch {
	case t.together:
		s.Caption += "Thread switches are those of threads trials, process switches those of processes trials, " +
			"other rows of all trials."
	case t.bundled:
		s.Caption += "Thread switches are those of threads trials, process switches those of processes trials; \"" +
			otherLoads + "\" is all trials together."
	case t.watched:
		s.Caption += "All switches on the core are counted; core time is estimated from those that were timed."
	default:
		s.Caption += "All switches on the core are counted, the command's and those of other programs."
	}
	if t.dropped > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more rows in: slicetrace export REPORT --table cores", t.dropped))
	}
	return s
}

// chart plots the medians of the table's rows.
func (t *switchTable) chart() *Chart {
	c := &Chart{
		Title:   "time of a switch",
		Caption: "Logarithmic axis. The line behind the switch phase reaches from its p50 to its p99.",
		Series:  []string{"pick p50", "switch p50", "cost p50"},
	}
	for _, g := range t.groups {
		for i := range g.cores {
			s := &g.cores[i]
			pick, cost := metric.Quantile(s.stats.Pick, 0.5), metric.Quantile(s.stats.Cost, 0.5)
			p50, p99 := metric.Quantile(s.stats.Switch, 0.5), metric.Quantile(s.stats.Switch, 0.99)
			line := ChartRow{Group: report.WorkloadTitle(g.Name, g.Variant), Label: s.title()}
			line.add(
				Point{Series: 0, Value: pick, Text: valueCell(pick)},
				Point{Series: 1, Value: p50, Low: p50, High: p99, Text: valueCell(p50)},
				Point{Series: 2, Value: cost, Text: valueCell(cost)},
			)
			if len(line.Points) > 0 {
				c.Rows = append(c.Rows, line)
			}
		}
	}
	return c.unlessEmpty()
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
