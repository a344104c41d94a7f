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
	// manyCores is the number of cores beyond which a section shows the pool
	// of all and the extremes only.
	manyCores = 8
	// rareShare is the part of a class's switches below which a core's row is
	// left to the export: the system's own switches beside a pinned workload.
	rareShare = 0.005
	// otherLoads names the group that pools every trial.
	otherLoads = "any"
)

// pool is one class of switch on one core, or on all, over several trials.
type pool struct {
	core  string
	stats report.ClassStats
	// wallNS is the core time watched in those trials, with or without such switches.
	wallNS int64
}

// pools returns the class's pool of every core, ascending, over the trials.
func pools(trials []*report.Trial, class report.Class) []pool {
	at := map[int]*pool{}
	tallies := map[int]*classTally{}
	var cpus []int
	for _, t := range trials {
		for i := range t.Cores {
			c := &t.Cores[i]
			p := at[c.CPU]
			if p == nil {
				p = &pool{core: strconv.Itoa(c.CPU)}
				at[c.CPU], tallies[c.CPU] = p, &classTally{}
				cpus = append(cpus, c.CPU)
			}
			p.wallNS += c.WallNS
			for _, s := range c.Classes {
				if s.Class == class {
					tallies[c.CPU].add(s)
				}
			}
		}
	}
	slices.Sort(cpus)
	out := make([]pool, len(cpus))
	for i, cpu := range cpus {
		out[i] = *at[cpu]
		out[i].stats = tallies[cpu].stats(class)
	}
	return out
}

// typicalNS orders pools by their median cost, or switch phase where there is no cost.
func (p *pool) typicalNS() float64 {
	if ns, ok := p.stats.Cost.Quantile(0.5); ok {
		return ns
	}
	ns, _ := p.stats.Switch.Quantile(0.5)
	return ns
}

// sum pools all cores.
func sum(all []pool) pool {
	total := pool{core: "all"}
	for _, p := range all {
		total.stats.Class = p.stats.Class
		total.stats.Add(p.stats)
		total.wallNS += p.wallNS
	}
	return total
}

// condense drops cores with next to no such switches and, on a machine with
// many cores, keeps the pool of all and the extremes. It says how many rows it left out.
func condense(all []pool) (kept []pool, dropped int) {
	total := sum(all)
	for _, p := range all {
		switch n := float64(p.stats.Switches); {
		case n == 0:
		case n < rareShare*float64(total.stats.Switches):
			dropped++
		default:
			kept = append(kept, p)
		}
	}
	if len(all) <= manyCores || len(kept) < 3 {
		return kept, dropped
	}
	byCost := func(a, b pool) int { return cmp.Compare(a.typicalNS(), b.typicalNS()) }
	least, most := slices.MinFunc(kept, byCost), slices.MaxFunc(kept, byCost)
	least.core, most.core = "min "+least.core, "max "+most.core
	return []pool{total, least, most}, dropped + len(kept) - 2
}

func (p *pool) row() Row {
	s := p.stats
	share := report.Quantity{Unit: report.Percent}
	if s.Cost.Count > 0 {
		share = percent(float64(s.Cost.SumNS), float64(p.wallNS))
	}
	return Row{
		textCell(p.core), textCell(classLabel(s.Class)), valueCell(ofCount(s.Switches)),
		valueCell(metric.Quantile(s.Pick, 0.5)), valueCell(metric.Quantile(s.Switch, 0.5)), valueCell(metric.Quantile(s.Switch, 0.99)),
		valueCell(metric.Quantile(s.Cost, 0.5)), valueCell(share),
	}
}

// switchGroup returns the rows of some classes, each pooled over its own
// trials: core by core on a small machine, class by class on a large one.
func switchGroup(classes []report.Class, trialsOf func(report.Class) []*report.Trial) (g Group, dropped int) {
	type entry struct {
		cpu int
		row Row
	}
	var entries []entry
	for _, class := range classes {
		kept, n := condense(pools(trialsOf(class), class))
		dropped += n
		for _, p := range kept {
			cpu, err := strconv.Atoi(p.core)
			if err != nil {
				cpu = -1 // "all" and the extremes stay together
			}
			entries = append(entries, entry{cpu, p.row()})
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

// backgroundGroup has a row for each class of switch that comes with any load, on all cores.
func backgroundGroup(trials []*report.Trial) (g Group) {
	for _, class := range backgroundClasses() {
		if p := sum(pools(trials, class)); p.stats.Switches > 0 {
			g.Rows = append(g.Rows, p.row())
		}
	}
	return g
}

// switchSection shows what a switch cost on each core. A thread switch is the
// work of threads trials and a process switch of processes trials, so each is
// pooled over those; the other classes come with any load. Pooled leaves the
// workloads apart from each other no more.
func switchSection(r *report.Report, pooled bool) Section {
	s := Section{
		Title: "Switch cost per core",
		Columns: append([]Column{{Name: "core"}, textColumn("switch")},
			columns("switches", "pick p50", "switch p50", "switch p99", "cost p50", "core time")...),
	}
	bundled := metric.BundledTrials(r, "")
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
		if !pooled {
			add(groupOf(load), []report.Class{report.ClassThread, report.ClassProcess}, func(c report.Class) []*report.Trial {
				return metric.TrialsOf(r, load, modeOf(c))
			})
		}
	}
	if pooled {
		add(Group{}, []report.Class{report.ClassThread, report.ClassProcess}, func(c report.Class) []*report.Trial { return metric.BundledTrials(r, modeOf(c)) })
		if g := backgroundGroup(bundled); len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	} else {
		add(Group{Name: otherLoads}, backgroundClasses(), func(report.Class) []*report.Trial { return bundled })
	}
	s.Caption = "Kernel time in which no task advances: cost = pick (choose the next task) + switch (change to it). " +
		"Core time is the share of the core's time that went into such switches. "
	switch {
	case pooled:
		s.Caption += "Thread switches are those of all threads trials, process switches of all processes trials, the others of every trial."
	case len(bundled) > 0:
		s.Caption += "Thread switches are those of threads trials, process switches of processes trials; \"" + otherLoads + "\" pools every trial."
	default:
		s.Caption += "All switches on the core are counted, the command's and others'."
	}
	if dropped > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more rows in: slicetrace export REPORT --table cores", dropped))
	}
	return s
}

// modeOf returns the mode whose work makes this class of switch, "" for the
// classes that come with any load.
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
