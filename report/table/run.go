package table

import (
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// runTable has one row: the report as a whole, with typed columns, for collections of many reports.
// Its columns have the same names as the rows of the tables host and quality. machine is Host.ID;
// policy and nice are those under which the work was started, and workloads may give their workers
// others.
//
// others_share and steal_share are parts of wall_ns, the core time between the snapshots of all
// trials. The sentences of notes, warnings and not_clean are joined by "; ".
func runTable(r *report.Report) Table {
	columns := columnList(`report_id:text created:time machine:text
		kernel:text arch:text cpu_model:text cpus smt:text hz preemption:text scheduler:text base_slice_ns
		pti:text pcid:text invpcid:text nested_paging:text clocksource:text hypervisor:text governor:text
		memory_bytes distribution:text
		tool:text tool_version:text workloads:text command:text modes:text
		rounds duration_ns operations workers_asked cores core_list:text policy:text nice cpu_quota:text
		trials failed_trials clean:boolean not_clean:text switches lost unmatched unseen
		workers compared_workers reconciled_workers created_tasks reconciled_created
		hook_floor_ns pick_floor_ns wall_ns idle_ns workers_ns others_ns self_ns steal_ns interrupt_ns
		others_share:decimal steal_share:decimal accounting_error_ppm runtime_error_ppm tool_switches
		recorded:boolean pick_hook:text switch_hook:text tick_hook:text settings_stayed:boolean
		notes:text warnings:text watch:text every_ns for_ns`)
	return Table{Name: "runs", Columns: columns, Rows: func(yield func([]Field) bool) {
		row := []Field{FreeText(r.ID()), Moment(r.Created), FreeText(r.Host.ID())}
		row = append(row, hostFields(r.Host)...)
		row = append(row, askedFor(r)...)
		row = append(row, trusted(r)...)
		row = append(row, reportedHow(r)...)
		yield(append(row, watched(r.Setup.Watch)...))
	}}
}

// watched returns what a watch was asked for, all absent for other runs.
func watched(w *report.Watch) []Field {
	if w == nil {
		return []Field{absent(), absent(), absent()}
	}
	return []Field{FreeText(w.String()), positiveField(w.EveryNS), positiveField(w.ForNS)}
}

func hostFields(h report.Host) []Field {
	return []Field{
		FreeText(h.Kernel), FreeText(h.Arch), FreeText(h.CPUModel), positiveField(int64(h.CPUs)), FreeText(h.SMT),
		positiveField(int64(h.HZ)),
		FreeText(h.Preemption), FreeText(h.Scheduler), known(h.BaseSliceNS),
		FreeText(h.PTI), FreeText(h.PCID), FreeText(h.INVPCID), FreeText(h.NestedPaging), FreeText(h.Clocksource),
		FreeText(h.Hypervisor), FreeText(h.Governor),
		positiveField(h.MemoryBytes), FreeText(h.Distribution),
	}
}

// askedFor returns the version of slicetrace and what it was asked to do.
func askedFor(r *report.Report) []Field {
	asked := map[string]Field{}
	for _, p := range r.Setup.Properties() {
		asked[p.Name] = propertyField(p)
	}
	nice := absent()
	if n, err := strconv.ParseInt(r.Settings["nice"], 10, 64); err == nil {
		nice = Whole(n)
	}
	return []Field{
		FreeText(r.Tool.Name), FreeText(r.Tool.Version), asked["workloads"], asked["command"], asked["modes"],
		positiveField(int64(r.Setup.Rounds)), positiveField(r.Setup.DurationNS), positiveField(r.Setup.Operations),
		positiveField(int64(r.Setup.Workers)), positiveField(int64(len(r.Setup.CPUs))), asked["cores"],
		FreeText(r.Settings["policy"]), nice, FreeText(r.Settings["cpu_quota"]),
	}
}

// trusted returns what was watched and how far it can be trusted.
func trusted(r *report.Report) []Field {
	q := r.Quality
	clean, reasons := r.Clean()
	var sum report.Core
	for _, core := range everyCore(r) {
		addTimes(&sum, core)
	}
	share := func(ns int64) Field { return decimal(float64(ns)/float64(sum.WallNS), sum.WallNS > 0) }
	return []Field{
		Whole(len(r.Trials)), Whole(len(r.Failed)), Truth(clean), FreeText(strings.Join(reasons, "; ")),
		Whole(q.Switches), Whole(q.Lost.Total() + q.RecursionMisses), Whole(q.Lost.Unmatched()),
		Whole(q.Lost.HiddenSwitches),
		Whole(q.Workers), Whole(q.ComparedWorkers), Whole(q.ReconciledWorkers),
		Whole(q.CreatedTasks), Whole(q.ReconciledCreated),
		known(q.ProbeFloorNS), known(q.PickFloorNS),
		Whole(sum.WallNS), Whole(sum.IdleNS), Whole(sum.WorkersNS), Whole(sum.OthersNS),
		Whole(sum.SelfNS), Whole(sum.StealNS), Whole(sum.InterruptNS),
		share(sum.OthersNS), share(sum.StealNS),
		Whole(q.AccountingErrorPPM), known(q.RuntimeErrorPPM), known(q.ToolSwitches),
	}
}

// reportedHow returns the hooks, whether a recording was made, and what a reader was told.
func reportedHow(r *report.Report) []Field {
	stayed := absent()
	if r.Settings != nil {
		stayed = Truth(len(r.Drifts()) == 0)
	}
	return []Field{
		Truth(r.Recording != nil),
		FreeText(r.Capture.Pick), FreeText(r.Capture.Switch), FreeText(r.Capture.Tick), stayed,
		FreeText(strings.Join(r.Capture.Notes, "; ")), FreeText(strings.Join(r.Warnings, "; ")),
	}
}
