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
		notes:text warnings:text`)
	return Table{Name: "runs", Columns: columns, Rows: func(yield func([]Field) bool) {
		row := []Field{free(r.ID()), moment(r.Created), free(r.Host.ID())}
		row = append(row, hostFields(r.Host)...)
		row = append(row, askedFor(r)...)
		row = append(row, trusted(r)...)
		yield(append(row, reportedHow(r)...))
	}}
}

func hostFields(h report.Host) []Field {
	return []Field{
		free(h.Kernel), free(h.Arch), free(h.CPUModel), positiveField(int64(h.CPUs)), free(h.SMT),
		positiveField(int64(h.HZ)),
		free(h.Preemption), free(h.Scheduler), known(h.BaseSliceNS),
		free(h.PTI), free(h.PCID), free(h.INVPCID), free(h.NestedPaging), free(h.Clocksource),
		free(h.Hypervisor), free(h.Governor),
		positiveField(h.MemoryBytes), free(h.Distribution),
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
		nice = integer(n)
	}
	return []Field{
		free(r.Tool.Name), free(r.Tool.Version), asked["workloads"], asked["command"], asked["modes"],
		asked["rounds"], asked["duration_ns"], asked["operations"], asked["workers"],
		positiveField(int64(len(r.Setup.CPUs))), asked["cores"],
		free(r.Settings["policy"]), nice, free(r.Settings["cpu_quota"]),
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
		integer(len(r.Trials)), integer(len(r.Failed)), boolean(clean), free(strings.Join(reasons, "; ")),
		integer(q.Switches), integer(q.Lost.Total() + q.RecursionMisses), integer(q.Lost.Unmatched()),
		integer(q.Lost.HiddenSwitches),
		integer(q.Workers), integer(q.ComparedWorkers), integer(q.ReconciledWorkers),
		integer(q.CreatedTasks), integer(q.ReconciledCreated),
		known(q.ProbeFloorNS), known(q.PickFloorNS),
		integer(sum.WallNS), integer(sum.IdleNS), integer(sum.WorkersNS), integer(sum.OthersNS), integer(sum.SelfNS),
		integer(sum.StealNS), integer(sum.InterruptNS),
		share(sum.OthersNS), share(sum.StealNS),
		integer(q.AccountingErrorPPM), known(q.RuntimeErrorPPM), known(q.ToolSwitches),
	}
}

// reportedHow returns the hooks, whether a recording was made, and what a reader was told.
func reportedHow(r *report.Report) []Field {
	stayed := absent()
	if r.Settings != nil {
		stayed = boolean(len(r.Drifts()) == 0)
	}
	return []Field{
		boolean(r.Recording != nil), free(r.Capture.Pick), free(r.Capture.Switch), free(r.Capture.Tick), stayed,
		free(strings.Join(r.Capture.Notes, "; ")), free(strings.Join(r.Warnings, "; ")),
	}
}
