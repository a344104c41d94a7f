package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/sched"
)

// recordingDigest describes the recording of a run on the given number of cores.
func recordingDigest(r *report.Recording, cores int) string {
	if r.KeepNS > 0 {
		return flightDigest(r, cores)
	}
	perSwitch := report.Maybe(float64(r.Bytes)/float64(r.Switches), r.Switches > 0, report.Ratio)
	return fmt.Sprintf("Recorded: %s of %s switches and %s wakeups, %s events lost, in %s (%s bytes a switch); "+
		"slicetrace used %s of core time.",
		ofCount(r.Switches), ofCount(r.Counted), ofCount(r.Wakeups), ofCount(r.Lost),
		report.Of(float64(r.Bytes), report.Bytes), perSwitch,
		percent(float64(r.ToolCPUNS), float64(r.WallNS)*float64(max(1, cores))))
}

// throttlingNote describes the effect of a CPU quota, "" if there was none.
func throttlingNote(r *report.Report) string {
	var times uint64
	var ns int64
	var where []string
	seen := make(map[string]bool)
	for i := range r.Trials {
		t := &r.Trials[i]
		var here uint64
		for j := range t.Workers {
			here += t.Workers[j].EndedBy.Throttled
		}
		held := t.ThrottledNS()
		times, ns = times+here, ns+held
		if (here > 0 || held > 0) && t.Mode != report.Command && !seen[t.Workload] {
			seen[t.Workload] = true
			where = append(where, t.Workload)
		}
	}
	if times == 0 && ns == 0 {
		return ""
	}
	of := "the program"
	if len(where) > 0 {
		of = strings.Join(where, ", ")
	}
	return fmt.Sprintf("a control group's quota of CPU time (cpu.max, cpu.cfs_quota_us) throttled tasks "+
		"of %s %s times and kept them from running for %s in all: "+
		"this time is part of durations and rates, but of no wait.",
		of, ofCount(times), report.Of(float64(ns), report.Nanoseconds))
}

const trustTitle = "Trust"

// trustSection shows how far the figures can be trusted.
func trustSection(r *report.Report) Section {
	q := r.Quality
	row := func(name string, figure Cell, meaning string) Row {
		return Row{textCell(name), figure, textCell(meaning)}
	}
	count := func(n uint64) Cell { return valueCell(ofCount(n)) }
	tasksLost := fmt.Sprintf("task map full %d, rows of ended tasks lost %d", q.Lost.MapFull, q.Lost.DroppedTasks)
	if n := q.Lost.UnplacedSlices; n > 0 {
		tasksLost += fmt.Sprintf(", slices only in their cores' times %d", n)
	}
	g := Group{Rows: []Row{
		row("switches counted", count(q.Switches), "all switches on all watched cores"),
		row("phases not timed", count(q.Lost.Unmatched()), fmt.Sprintf("although there is a hook: pick %d, switch %d",
			q.Lost.UnmatchedPick, q.Lost.UnmatchedSwitch)),
		row("hidden switches", count(q.Lost.HiddenSwitches), "of tasks that the kernel hides from tracing; corrected"),
		row("switches not watched", count(q.Lost.Unwatched), "on cores that came online later"),
		row("tasks lost", count(q.Lost.MapFull+q.Lost.DroppedTasks), tasksLost+q.MoreRoom(": ", "")),
		row("hook calls skipped", count(q.RecursionMisses), "by the kernel, to prevent recursion"),
	}}
	own := ownCost(r)
	if own != nil {
		g.Rows = append(g.Rows, own...)
	} else {
		g.Rows = append(g.Rows, row("workers that agree", textCell(agreeingWorkers(q)),
			"switch counts equal the kernel's own nvcsw and nivcsw"))
	}
	if q.CreatedTasks > 0 {
		g.Rows = append(g.Rows, row("created tasks",
			textCell(fmt.Sprintf("%d of %d", q.ReconciledCreated, q.CreatedTasks)),
			"likewise, for tasks that workers created and that ended"))
	}
	g.Rows = append(g.Rows,
		row("hook floor", valueCell(q.SwitchFloor()), "slicetrace's own part of each phase; not subtracted"))
	if q.PickFloorNS != nil {
		g.Rows = append(g.Rows, row("hook floor of pick", valueCell(q.PickFloor()),
			"in place of the one above, since other kinds of hooks bound that phase"))
	}
	g.Rows = append(g.Rows,
		row("tracing time", valueCell(percent(float64(q.SelfNS), float64(q.WallNS))),
			"of core time, in no slice or cost"+selfPerCore(r, "; ", "")),
		row("tracing, per switch", valueCell(selfPerSwitch(r)), "bookkeeping only; the hooks add several times that"),
		row("stolen time", valueCell(percent(float64(q.StealNS), float64(q.WallNS))),
			"of core time, taken by the hypervisor; included in the figures"),
		row("interrupt time", valueCell(interruptShare(r)),
			"of core time, from /proc/stat; included in idle time and slices"),
		row("accounting error", valueCell(report.Of(float64(q.AccountingErrorPPM), report.PPM)),
			"idle + workers + others + tracing against wall time, worst core"),
	)
	if own == nil {
		g.Rows = append(g.Rows, row("on-CPU error", valueCell(runtimeError(q)),
			"workers' time on cores against the kernel's sum_exec_runtime"))
	}
	if q.ToolSwitches != nil {
		g.Rows = append(g.Rows, row("slicetrace's switches", valueCell(toolSwitchRate(r)), while(r)))
	}
	s := Section{
		Title:   trustTitle,
		Columns: []Column{textColumn(""), {}, textColumn("")},
		Groups:  []Group{g},
	}
	if note := runtimeNote(q); note != "" {
		s.Notes = append(s.Notes, note)
	}
	s.Notes = append(s.Notes, trustNotes(r)...)
	return s
}

// trustNotes say how and on which machine the figures were measured.
func trustNotes(r *report.Report) []string {
	var notes []string
	if r.Recording != nil {
		notes = append(notes, recordingDigest(r.Recording, r.Host.CPUs))
	}
	notes = append(notes, "Hooks: "+hooks(r.Capture))
	for _, n := range r.Capture.Notes {
		notes = append(notes, "Note: "+n)
	}
	if quota := throttlingNote(r); quota != "" {
		notes = append(notes, "Note: "+quota)
	}
	if rest := details(r.Host); rest != "" {
		notes = append(notes, "Host: "+rest)
	}
	if unusual := unusual(r.Settings); len(unusual) > 0 {
		notes = append(notes, "Unusual settings: "+strings.Join(unusual, " · "))
	}
	return notes
}

func agreeingWorkers(q report.Quality) string {
	if q.ComparedWorkers == 0 {
		return "none compared"
	}
	return fmt.Sprintf("%d of %d", q.ReconciledWorkers, q.ComparedWorkers)
}

// interruptShare is the share of core time that interrupts took.
func interruptShare(r *report.Report) report.Quantity {
	var sum int64
	for i := range r.Trials {
		for j := range r.Trials[i].Cores {
			sum += r.Trials[i].Cores[j].InterruptNS
		}
	}
	return percent(float64(sum), float64(r.Quality.WallNS))
}

// runtimeError is absent if the kernel's time is known for no worker.
func runtimeError(q report.Quality) report.Quantity {
	if q.RuntimeErrorPPM == nil {
		return report.Quantity{Unit: report.PPM}
	}
	return report.Of(float64(*q.RuntimeErrorPPM), report.PPM)
}

// runtimeNote explains the check of workers' time on cores, "" if there was none.
func runtimeNote(q report.Quality) string {
	if q.RuntimeErrorPPM == nil || q.RuntimeNS <= 0 {
		return ""
	}
	return fmt.Sprintf("On-CPU error: how far workers' time on cores is above the kernel's sum_exec_runtime "+
		"plus stolen and interrupt time, or below sum_exec_runtime less tracing time. "+
		"Workers' time on cores is %.1f %% of sum_exec_runtime.",
		100*float64(q.OnCPUNS)/float64(q.RuntimeNS))
}

// unwatchedClause is "" if all cores were watched.
func unwatchedClause(l report.Lost) string {
	if l.Unwatched == 0 {
		return ""
	}
	return ", " + ofCount(l.Unwatched).String() + " not watched"
}

// createdClause counts the tasks that workers created and that agree, "" if there were none.
func createdClause(q report.Quality) string {
	if q.CreatedTasks == 0 {
		return ""
	}
	return fmt.Sprintf("; tasks that they created: %d of %d", q.ReconciledCreated, q.CreatedTasks)
}

// selfPerCore returns the share of each core's time that tracing took, or the range of these shares
// if there are more than two cores, between the texts before and after. It is "" for one core, which
// the total describes.
func selfPerCore(r *report.Report, before, after string) string {
	self, wall := map[sched.CPU]int64{}, map[sched.CPU]int64{}
	var cpus []sched.CPU
	for i := range r.Trials {
		for _, c := range r.Trials[i].Cores {
			if _, ok := wall[c.CPU]; !ok {
				cpus = append(cpus, c.CPU)
			}
			self[c.CPU] += c.SelfNS
			wall[c.CPU] += c.WallNS
		}
	}
	slices.Sort(cpus)
	var shares []float64
	var list []string
	for _, cpu := range cpus {
		share := percent(float64(self[cpu]), float64(wall[cpu])).Value
		shares = append(shares, share)
		list = append(list, fmt.Sprintf("core %d %.1f %%", cpu, share))
	}
	switch {
	case len(cpus) < 2:
		return ""
	case len(cpus) > 2:
		return fmt.Sprintf("%s%.1f to %.1f %% by core%s", before, slices.Min(shares), slices.Max(shares), after)
	}
	return before + strings.Join(list, ", ") + after
}

// selfPerSwitch is the time of slicetrace's bookkeeping per switch, which is only a part of what
// tracing costs.
func selfPerSwitch(r *report.Report) report.Quantity {
	q := r.Quality
	return report.Maybe(float64(q.SelfNS)/float64(max(1, q.Switches)), q.Switches > 0, report.Nanoseconds)
}

// selfClause is selfPerSwitch in a sentence, "" if nothing was counted.
func selfClause(r *report.Report) string {
	per := selfPerSwitch(r)
	if !per.Known {
		return ""
	}
	return fmt.Sprintf(", which is %s a switch; the hooks add several times that", per)
}

func hooks(c report.Capture) string {
	name := func(hook string) string {
		if hook == "" {
			return "none"
		}
		return hook
	}
	return fmt.Sprintf("pick %s · switch %s · tick %s", name(c.Pick), name(c.Switch), name(c.Tick))
}

// trustDigest shows on a few lines how far the figures can be trusted.
func trustDigest(r *report.Report) Section {
	q := r.Quality
	steal, self := percent(float64(q.StealNS), float64(q.WallNS)), percent(float64(q.SelfNS), float64(q.WallNS))
	return Section{Title: trustTitle, Notes: append([]string{
		fmt.Sprintf("%s switches counted, %s hidden%s; phases not timed %s, tasks lost %s%s, hook calls skipped %s.",
			ofCount(q.Switches), ofCount(q.Lost.HiddenSwitches), unwatchedClause(q.Lost), ofCount(q.Lost.Unmatched()),
			ofCount(q.Lost.MapFull+q.Lost.DroppedTasks), q.MoreRoom(" (", ")"), ofCount(q.RecursionMisses)),
		agreement(r),
		fmt.Sprintf("Hook floor %s, not subtracted. Of core time: stolen %s, tracing %s%s%s.%s",
			floors(q), steal, self, selfPerCore(r, " (", ")"), selfClause(r), toolClause(r)),
	}, trustNotes(r)...)}
}

// agreement says in a sentence how far the figures agree with the kernel's own or, of a watched
// system, what watching it cost.
func agreement(r *report.Report) string {
	q := r.Quality
	accounting := report.Of(float64(q.AccountingErrorPPM), report.PPM)
	if isWatch(r) {
		return fmt.Sprintf("%s Accounting error %s.", costOfWatch(r), accounting)
	}
	return fmt.Sprintf("Workers whose switch counts equal the kernel's own: %s%s. "+
		"Accounting error %s, on-CPU error %s.", agreeingWorkers(q), createdClause(q), accounting, runtimeError(q))
}

// floors is the hook floor, or those of the two phases where they differ.
func floors(q report.Quality) string {
	if q.PickFloorNS == nil {
		return q.SwitchFloor().String() + " a phase"
	}
	return fmt.Sprintf("%s in the pick phase, %s in the switch phase", q.PickFloor(), q.SwitchFloor())
}

// toolSwitchRate is how often slicetrace itself was switched out per second of work, absent if that
// was not counted.
func toolSwitchRate(r *report.Report) report.Quantity {
	var worked int64
	for i := range r.Trials {
		worked += r.Trials[i].DurationNS
	}
	if r.Quality.ToolSwitches == nil || worked == 0 {
		return report.Quantity{Unit: report.PerSecond}
	}
	return report.Of(float64(*r.Quality.ToolSwitches)/(float64(worked)/1e9), report.PerSecond)
}

// while says during which time slicetrace's own switches were counted.
func while(r *report.Report) string {
	return words.Choose(isWatch(r), "while the system was watched", "while the workers ran")
}

// sentence begins a text with a capital letter.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func toolClause(r *report.Report) string {
	if r.Quality.ToolSwitches == nil {
		return ""
	}
	return fmt.Sprintf(" %s, slicetrace itself was switched out %s.", sentence(while(r)), toolSwitchRate(r))
}
