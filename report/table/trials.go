package table

import (
	"iter"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// createdFields are all absent for a trial whose workers created no tasks.
func createdFields(c *report.Created) []Field {
	if c == nil {
		return []Field{absent(), absent(), absent(), absent(), absent(), absent(), absent(), absent()}
	}
	return []Field{
		Whole(c.Tasks), Whole(c.Reconciled),
		quantileField(c.Start, 0.5), quantileField(c.Start, 0.99),
		quantileField(c.Run, 0.5), quantileField(c.Run, 0.99),
		quantileField(c.End, 0.5), quantileField(c.End, 0.99),
	}
}

// trialTable has one row per trial. slices, on_cpu_ns and wait_ns are those of the workers. The
// tasks that they created and that ended are in created_slices and so on. Together they are the
// slices of the table slices, and workers_ns. tool_ns is part of others_ns; findings do not count
// it as the time of other programs. For a watched system these columns are of all its tasks, and there
// are no workers.
func trialTable(r *report.Report) Table {
	columns := columnList(`workload:text mode:text round duration_ns workers operations
		parallelism:decimal concurrency:decimal jain_index:decimal switches slices on_cpu_ns wait_ns wait_max_ns
		wall_ns idle_ns workers_ns others_ns self_ns steal_ns
		unmatched_pick unmatched_switch map_full dropped_tasks variant:name
		pss_bytes private_bytes page_table_bytes
		created_tasks created_reconciled created_start_p50_ns created_start_p99_ns
		created_run_p50_ns created_run_p99_ns created_end_p50_ns created_end_p99_ns
		tool_switches created_slices created_on_cpu_ns created_wait_ns unwatched
		quota_throttled quota_throttled_ns changed_settings:text throttled_ns` + endColumns + ` tool_ns
		tasks ended_tasks watched_tasks phase_ns program_ns program_sample_ns
		cpu_ns exit_status output:decimal untraced_ns untraced_operations untraced_output:decimal`)
	return Table{Name: "trials", Columns: columns, Rows: func(yield func([]Field) bool) {
		untraced := untracedTrials(r)
		for t := range numberedTrials(r) {
			row := append(append(t.fields(), t.end()...), known(t.ToolNS))
			row = append(row, systemFields(t.System)...)
			if !yield(append(row, commandFields(t.Trial, untraced[idOf(t.Trial)])...)) {
				return
			}
		}
	}}
}

func (t numbered) fields() []Field {
	var workers int
	var slices uint64
	var onCPU, wait int64
	for a := range t.System.Activities() {
		slices += a.Switches()
		onCPU += a.OnCPUNS
		wait += a.WaitNS
	}
	for i := range t.Workers {
		w := &t.Workers[i]
		workers += w.Tasks()
		slices += w.Slices
		onCPU += w.OnCPUNS
		wait += w.WaitNS
	}
	var sum report.Core
	for i := range t.Cores {
		addTimes(&sum, &t.Cores[i])
	}
	operations := Whole(t.Operations)
	if t.Mode == report.Command || t.Mode == report.SystemMode {
		operations = absent()
	}
	longest := absent()
	if ns, ok := t.WaitMaxNS(); ok {
		longest = Whole(ns)
	}
	row := append(t.key(),
		Whole(t.DurationNS), Whole(workers), operations,
		decimal(t.Parallelism()), decimal(t.Concurrency()), decimal(t.JainIndex()),
		Whole(t.Switches()), Whole(slices), Whole(onCPU), Whole(wait), longest,
		Whole(sum.WallNS), Whole(sum.IdleNS), Whole(sum.WorkersNS), Whole(sum.OthersNS),
		Whole(sum.SelfNS), Whole(sum.StealNS),
		Whole(t.Lost.UnmatchedPick), Whole(t.Lost.UnmatchedSwitch),
		Whole(t.Lost.MapFull), Whole(t.Lost.DroppedTasks), FreeText(t.Variant))
	row = append(row, memoryFields(t.Memory)...)
	row = append(row, createdFields(t.Created)...)
	row = append(row, known(t.ToolSwitches))
	row = append(row, createdTimes(t.Trial, slices)...)
	row = append(row, Whole(t.Lost.Unwatched))
	return append(append(row, throttlingFields(t.Throttling)...), changedSettings(t.Trial), Whole(t.ThrottledNS()))
}

// commandFields are what only a command has, followed by what the same work did in the same round without the
// tracer, which is absent from most rounds.
func commandFields(t, untraced *report.Trial) []Field {
	row := []Field{known(t.CPUNS), known(t.ExitStatus), optional(t.Output), absent(), absent(), absent()}
	if untraced != nil {
		row[3], row[5] = Whole(untraced.DurationNS), optional(untraced.Output)
		if t.Mode != report.Command {
			row[4] = Whole(untraced.Operations)
		}
	}
	return row
}

// trialID tells which work a trial is of, and in which round.
type trialID struct {
	workload, variant string
	mode              report.Mode
	round             int
}

func idOf(t *report.Trial) trialID { return trialID{t.Workload, t.Variant, t.Mode, t.Round} }

// untracedTrials returns the trials that ran without the tracer.
func untracedTrials(r *report.Report) map[trialID]*report.Trial {
	out := map[trialID]*report.Trial{}
	for i := range r.Untraced {
		out[idOf(&r.Untraced[i])] = &r.Untraced[i]
	}
	return out
}

// systemFields are the tasks that had a row, those that began and ended within the interval, and how
// many were watched, followed by how long phases were timed and what slicetrace's programs took. They
// are all absent unless the trial is an interval of a watch.
func systemFields(s *report.System) []Field {
	if s == nil {
		return []Field{absent(), absent(), absent(), absent(), absent(), absent()}
	}
	var ended uint64
	for i := range s.Ended {
		ended += s.Ended[i].Tasks
	}
	program := absent()
	if s.ProgramSampleNS > 0 {
		program = Whole(s.ProgramNS)
	}
	return []Field{
		Whole(len(s.Tasks)), Whole(ended), Whole(s.Watched), Whole(s.PhaseNS), program, Whole(s.ProgramSampleNS),
	}
}

// createdTimes are all absent for a trial whose workers created no tasks. The slices of created
// tasks are those that the cores counted and that are not the workers'.
func createdTimes(t *report.Trial, workers uint64) []Field {
	if t.Created == nil {
		return []Field{absent(), absent(), absent()}
	}
	var all uint64
	for i := range t.Cores {
		for _, s := range t.Cores[i].Slices {
			all += s.Length.Count
		}
	}
	return []Field{Whole(all - min(all, workers)), Whole(t.Created.OnCPUNS), Whole(t.Created.WaitNS)}
}

// memoryFields are all absent if the memory was not read.
func memoryFields(m *report.Memory) []Field {
	if m == nil {
		return []Field{absent(), absent(), absent()}
	}
	return []Field{Whole(m.PSSBytes), Whole(m.PrivateBytes), Whole(m.PageTableBytes)}
}

// coreTable has one row per trial, core and class of switch. A core without switches has one row
// with no class, so that its times are not lost.
func coreTable(r *report.Report) Table {
	columns := columnList(`workload:text mode:text round core class:text switches
		pick_p50_ns pick_p99_ns switch_p50_ns switch_p90_ns switch_p99_ns cost_p50_ns cost_sum_ns
		pick_count pick_p90_ns pick_max_ns pick_sum_ns switch_count switch_max_ns switch_sum_ns
		cost_count cost_p90_ns cost_p99_ns cost_max_ns
		wall_ns idle_ns workers_ns others_ns self_ns steal_ns ticks busy_ticks variant:name interrupt_ns` + endColumns)
	return Table{Name: "cores", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial, core := range everyCore(r) {
			classes := core.Classes
			if len(classes) == 0 {
				classes = []report.ClassStats{{}}
			}
			for _, c := range classes {
				row := append(trial.key(), Whole(core.CPU))
				row = append(append(row, classFields(&c)...), coreTimes(core)...)
				row = append(row, FreeText(trial.Variant), Whole(core.InterruptNS))
				if !yield(append(row, trial.end()...)) {
					return
				}
			}
		}
	}}
}

// everyCore returns every core of every trial.
func everyCore(r *report.Report) iter.Seq2[numbered, *report.Core] {
	return func(yield func(numbered, *report.Core) bool) {
		for trial := range numberedTrials(r) {
			for j := range trial.Cores {
				if !yield(trial, &trial.Cores[j]) {
					return
				}
			}
		}
	}
}

func classFields(c *report.ClassStats) []Field {
	return []Field{
		FreeText(string(c.Class)), Whole(c.Switches),
		quantileField(c.Pick, 0.5), quantileField(c.Pick, 0.99),
		quantileField(c.Switch, 0.5), quantileField(c.Switch, 0.9), quantileField(c.Switch, 0.99),
		quantileField(c.Cost, 0.5), sumField(c.Cost),
		Whole(c.Pick.Count), quantileField(c.Pick, 0.9), maxField(c.Pick), sumField(c.Pick),
		Whole(c.Switch.Count), maxField(c.Switch), sumField(c.Switch),
		Whole(c.Cost.Count), quantileField(c.Cost, 0.9), quantileField(c.Cost, 0.99), maxField(c.Cost),
	}
}

func coreTimes(c *report.Core) []Field {
	return []Field{
		Whole(c.WallNS), Whole(c.IdleNS), Whole(c.WorkersNS), Whole(c.OthersNS),
		Whole(c.SelfNS), Whole(c.StealNS), known(c.Ticks), known(c.BusyTicks),
	}
}

// sliceTable has one row per trial, core and reason why slices ended.
func sliceTable(r *report.Report) Table {
	columns := columnList(`workload:text mode:text round core ended_by:text slices
		p50_ns p90_ns p99_ns max_ns sum_ns variant:name` + endColumns)
	return Table{Name: "slices", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial, core := range everyCore(r) {
			for _, s := range core.Slices {
				h := s.Length
				row := append(trial.key(), Whole(core.CPU), FreeText(string(s.EndedBy)), Whole(h.Count),
					quantileField(h, 0.5), quantileField(h, 0.9), quantileField(h, 0.99), maxField(h), sumField(h),
					FreeText(trial.Variant))
				if !yield(append(row, trial.end()...)) {
					return
				}
			}
		}
	}}
}

// workerTable has one row per trial and worker. runtime_ns is the kernel's sum_exec_runtime.
func workerTable(r *report.Report) Table {
	list := `workload:text mode:text round worker pid tid comm:text slices
		voluntary involuntary kernel_voluntary kernel_involuntary on_cpu_ns wait_ns wait_max_ns migrations
		operations runtime_ns exited merged`
	for _, cause := range firstCauses() {
		list += " slices_" + string(cause)
	}
	columns := columnList(list + " variant:name nice slices_throttled throttled_ns" + endColumns)
	return Table{Name: "workers", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range numberedTrials(r) {
			for j := range trial.Workers {
				w := &trial.Workers[j]
				row := append(trial.key(), workerFields(w, trial.Mode)...)
				row = append(row, FreeText(trial.Variant), Whole(w.Nice),
					Whole(w.EndedBy.Throttled), Whole(w.ThrottledNS))
				if !yield(append(row, trial.end()...)) {
					return
				}
			}
		}
	}}
}

// firstCauses are those whose columns are next to each other; later columns are added at the end.
func firstCauses() []report.EndedBy { return report.Causes()[:6] }

func workerFields(w *report.Worker, mode report.Mode) []Field {
	voluntary, involuntary, runtime := absent(), absent(), absent()
	if k := w.Kernel; k != nil {
		voluntary, involuntary = Whole(k.Voluntary), Whole(k.Involuntary)
		if k.RuntimeNS >= 0 {
			runtime = Whole(k.RuntimeNS)
		}
	}
	operations, exited := absent(), 0
	if mode != report.Command {
		operations = Whole(w.Operations)
	}
	if w.Exited {
		exited = 1
	}
	row := []Field{
		Whole(w.Index), Whole(w.PID), Whole(w.TID), FreeText(w.Comm), Whole(w.Slices),
		Whole(w.Voluntary), Whole(w.Involuntary), voluntary, involuntary,
		Whole(w.OnCPUNS), Whole(w.WaitNS), Whole(w.WaitMaxNS), Whole(w.Migrations),
		operations, runtime, Whole(exited), Whole(w.Merged),
	}
	for _, cause := range firstCauses() {
		row = append(row, Whole(*w.EndedBy.At(cause)))
	}
	return row
}

func throttlingFields(t *report.Throttling) []Field {
	if t == nil {
		return []Field{absent(), absent()}
	}
	return []Field{Whole(t.Times), Whole(t.NS)}
}

// changedSettings lists the settings that were not as at the beginning of the run.
func changedSettings(t *report.Trial) Field {
	var names []string
	for _, c := range t.Settings {
		names = append(names, c.Name)
	}
	return FreeText(strings.Join(names, " "))
}
