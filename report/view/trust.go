package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// recordingDigest says in a few words what was recorded, on that many cores.
func recordingDigest(r *report.Recording, cores int) string {
	perSwitch := report.Maybe(float64(r.Bytes)/float64(r.Switches), r.Switches > 0, report.Ratio)
	return fmt.Sprintf("Recorded: %s of %s switches and %s wakeups, %s events lost, in %s (%s bytes a switch); the tool used %s of core time.",
		ofCount(r.Switches), ofCount(r.Counted), ofCount(r.Wakeups), ofCount(r.Lost), report.Of(float64(r.Bytes), report.Bytes), perSwitch,
		percent(float64(r.ToolCPUNS), float64(r.WallNS)*float64(max(1, cores))))
}

// throttlingNote is a sentence of what a quota of CPU time did, "" if none did anything.
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
	return fmt.Sprintf("a control group's quota of CPU time (cpu.max, cpu.cfs_quota_us) throttled tasks"+
		" of %s %s times and kept them from running for %s in all: that time is in no wait, but in durations and rates.",
		of, ofCount(times), report.Of(float64(ns), report.Nanoseconds))
}

const trustTitle = "Trust"

// trustSection says how far the figures can be believed.
func trustSection(r *report.Report) Section {
	q := r.Quality
	row := func(name string, figure Cell, meaning string) Row {
		return Row{textCell(name), figure, textCell(meaning)}
	}
	count := func(n uint64) Cell { return valueCell(ofCount(n)) }
	g := Group{Rows: []Row{
		row("switches counted", count(q.Switches), "all switches on all watched cores"),
		row("phases unmatched", count(q.Lost.Unmatched()), fmt.Sprintf("should have been timed and were not: pick %d, switch %d", q.Lost.UnmatchedPick, q.Lost.UnmatchedSwitch)),
		row("switches unseen", count(q.Lost.Unseen), "away from tasks that the kernel hides from tracing; repaired"),
		row("switches unwatched", count(q.Lost.Unwatched), "on cores that came online later"),
		row("tasks lost", count(q.Lost.MapFull+q.Lost.DroppedTasks), fmt.Sprintf("task map full %d, ended tasks' rows dropped %d", q.Lost.MapFull, q.Lost.DroppedTasks)+q.MoreRoom(": ", "")),
		row("hook firings skipped", count(q.RecursionMisses), "by the kernel, to prevent recursion"),
		row("workers reconciled", reconciledCell(r), "switch counts equal the kernel's own nvcsw and nivcsw"),
	}}
	if q.CreatedTasks > 0 {
		g.Rows = append(g.Rows, row("created reconciled", textCell(fmt.Sprintf("%d of %d", q.ReconciledCreated, q.CreatedTasks)), "likewise, of tasks that workers created and that ended"))
	}
	g.Rows = append(g.Rows,
		row("hook floor", valueCell(q.HookFloor()), "what remains of the tracer inside each phase; not subtracted"),
		row("tracer's own time", valueCell(percent(float64(q.SelfNS), float64(q.WallNS))), "of core time, in no slice or cost"+selfPerCore(r)),
		row("tracer's own, a switch", valueCell(selfPerSwitch(r)), "its bookkeeping; the hooks slow a switch down by several times that"),
		row("stolen time", valueCell(percent(float64(q.StealNS), float64(q.WallNS))), "of core time, taken by the hypervisor; inside the figures"),
		row("interrupt time", valueCell(interruptShare(r)), "of core time, by /proc/stat; inside idle time and slices alike"),
		row("accounting error", valueCell(report.Of(float64(q.AccountingErrorPPM), report.PPM)), "idle + workers + others + own time against wall, worst core"),
		row("on-CPU error", valueCell(runtimeError(q)), "workers' time on cores against the kernel's sum_exec_runtime"),
	)
	if q.ToolSwitches != nil {
		g.Rows = append(g.Rows, row("tool's own switches", valueCell(toolSwitchRate(r)), "of slicetrace itself, while work ran"))
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

// trustNotes say how and where the figures were taken.
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
		notes = append(notes, "Settings that are not the usual: "+strings.Join(unusual, " · "))
	}
	return notes
}

func reconciledCell(r *report.Report) Cell {
	q := r.Quality
	if q.ComparedWorkers == 0 {
		return textCell("none compared")
	}
	return textCell(fmt.Sprintf("%d of %d", q.ReconciledWorkers, q.ComparedWorkers))
}

// interruptShare is interrupts' part of core time.
func interruptShare(r *report.Report) report.Quantity {
	var sum int64
	for i := range r.Trials {
		for j := range r.Trials[i].Cores {
			sum += r.Trials[i].Cores[j].InterruptNS
		}
	}
	return percent(float64(sum), float64(r.Quality.WallNS))
}

// runtimeError is absent where no worker's time on cores is known to the kernel.
func runtimeError(q report.Quality) report.Quantity {
	if q.RuntimeErrorPPM == nil {
		return report.Quantity{Unit: report.PPM}
	}
	return report.Of(float64(*q.RuntimeErrorPPM), report.PPM)
}

// runtimeNote defines the independent check of workers' time on cores, "" where
// there was none.
func runtimeNote(q report.Quality) string {
	if q.RuntimeErrorPPM == nil || q.RuntimeNS <= 0 {
		return ""
	}
	return fmt.Sprintf("On-CPU error: by how much workers' time on cores is more than the kernel's sum_exec_runtime with stolen and "+
		"interrupt time, or less than it without the tracer's own. It is %.1f %% of it.", 100*float64(q.OnCPUNS)/float64(q.RuntimeNS))
}

// unwatchedClause is "" on the machines where all cores are watched.
func unwatchedClause(l report.Lost) string {
	if l.Unwatched == 0 {
		return ""
	}
	return ", unwatched " + ofCount(l.Unwatched).String()
}

// createdClause says the same of tasks that workers created, "" where there were none.
func createdClause(q report.Quality) string {
	if q.CreatedTasks == 0 {
		return ""
	}
	return fmt.Sprintf("; tasks that they created: %d of %d", q.ReconciledCreated, q.CreatedTasks)
}

// selfPerCore returns the tracer's share of each core's time, or its range on
// a machine with more than two; "" for a single core, which the total already describes.
func selfPerCore(r *report.Report) string {
	self, wall := map[int]int64{}, map[int]int64{}
	var cpus []int
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
		return fmt.Sprintf("; %.1f to %.1f %% by core", slices.Min(shares), slices.Max(shares))
	}
	return "; " + strings.Join(list, ", ")
}

// selfPerSwitch is what the bookkeeping took of each switch, which is not all by which
// tracing slows it down.
func selfPerSwitch(r *report.Report) report.Quantity {
	q := r.Quality
	return report.Maybe(float64(q.SelfNS)/float64(max(1, q.Switches)), q.Switches > 0, report.Nanoseconds)
}

// selfClause says so in the digest, "" where nothing was counted.
func selfClause(r *report.Report) string {
	per := selfPerSwitch(r)
	if !per.Known {
		return ""
	}
	return fmt.Sprintf("; %s a switch, which the hooks slow down by several times that", per)
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

// trustDigest says on a few lines how far the figures can be believed.
func trustDigest(r *report.Report) Section {
	q := r.Quality
	return Section{Title: trustTitle, Notes: append([]string{
		fmt.Sprintf("%s switches counted; phases unmatched %s, switches unseen %s%s, tasks lost %s%s, hooks skipped %s.",
			ofCount(q.Switches), ofCount(q.Lost.Unmatched()), ofCount(q.Lost.Unseen), unwatchedClause(q.Lost), ofCount(q.Lost.MapFull+q.Lost.DroppedTasks), q.MoreRoom(" (", ")"), ofCount(q.RecursionMisses)),
		fmt.Sprintf("Workers whose switch counts equal the kernel's own: %s%s. Accounting error %s, on-CPU error %s.",
			reconciledCell(r).Text, createdClause(q), report.Of(float64(q.AccountingErrorPPM), report.PPM), runtimeError(q)),
		fmt.Sprintf("Hook floor %s a phase, not subtracted. Of core time: stolen %s, tracer's bookkeeping %s%s%s.%s",
			q.HookFloor(), percent(float64(q.StealNS), float64(q.WallNS)), percent(float64(q.SelfNS), float64(q.WallNS)), selfPerCore(r), selfClause(r), toolClause(r)),
	}, trustNotes(r)...)}
}

// toolSwitchRate is how often the tool itself was switched out a second of work,
// absent where that was not counted.
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

func toolClause(r *report.Report) string {
	if r.Quality.ToolSwitches == nil {
		return ""
	}
	return fmt.Sprintf(" While work ran, the tool was switched %s.", toolSwitchRate(r))
}
