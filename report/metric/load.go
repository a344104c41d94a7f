package metric

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
)

// Load is one variant of a workload and the modes that it ran in.
type Load struct {
	// Name is the workload's or the command's, "" for a watched system, and Variant its variant, "" if
	// it has only one.
	Name, Variant string
	// Modes are in the order processes, threads, command, system.
	Modes []report.Mode
}

// IsCommand reports whether the load is a program that slicetrace did not bundle.
func (l Load) IsCommand() bool { return slices.Equal(l.Modes, []report.Mode{report.Command}) }

// IsSystem reports whether the load is what ran on a watched system.
func (l Load) IsSystem() bool { return slices.Equal(l.Modes, []report.Mode{report.SystemMode}) }

// Title names the load within a sentence.
func (l Load) Title() string { return report.WorkloadTitle(l.Name, l.Variant) }

// Loads returns the loads in the order in which they first ran, each with its modes in the order
// processes, threads, command, system.
func Loads(r *report.Report) []Load {
	var out []Load
	type key struct{ name, variant string }
	seen := map[key]map[report.Mode]bool{}
	for i := range r.Trials {
		t := &r.Trials[i]
		k := key{t.Workload, t.Variant}
		if seen[k] == nil {
			out = append(out, Load{Name: t.Workload, Variant: t.Variant})
			seen[k] = map[report.Mode]bool{}
		}
		seen[k][t.Mode] = true
	}
	for i := range out {
		for _, m := range []report.Mode{report.Processes, report.Threads, report.Command, report.SystemMode} {
			if seen[key{out[i].Name, out[i].Variant}][m] {
				out[i].Modes = append(out[i].Modes, m)
			}
		}
	}
	return out
}

// TrialsOf returns the trials of one load in one mode in the order of their rounds.
func TrialsOf(r *report.Report, l Load, mode report.Mode) []*report.Trial {
	return trialsAmong(r.Trials, l, mode)
}

// UntracedOf returns those that ran without the tracer.
func UntracedOf(r *report.Report, l Load, mode report.Mode) []*report.Trial {
	return trialsAmong(r.Untraced, l, mode)
}

func trialsAmong(trials []report.Trial, l Load, mode report.Mode) []*report.Trial {
	var out []*report.Trial
	for i := range trials {
		if t := &trials[i]; t.Workload == l.Name && t.Variant == l.Variant && t.Mode == mode {
			out = append(out, t)
		}
	}
	return out
}

// BundledTrials returns the trials of bundled workloads in one mode, or in both if mode is "".
func BundledTrials(r *report.Report, mode report.Mode) []*report.Trial {
	var out []*report.Trial
	for i := range r.Trials {
		t := &r.Trials[i]
		bundled := t.Mode == report.Processes || t.Mode == report.Threads
		if bundled && (mode == "" || t.Mode == mode) {
			out = append(out, t)
		}
	}
	return out
}

// WorkingSets returns the variants of the workload that measures cache refills.
func WorkingSets(r *report.Report) []Load {
	return slices.DeleteFunc(Loads(r), func(l Load) bool { return !OfWorkingSet(l) })
}

// OfWorkingSet reports whether a load is a variant of that workload.
func OfWorkingSet(l Load) bool { return l.Name == "workingset" }

// BundledModes returns the modes in which bundled workloads ran.
func BundledModes(r *report.Report) []report.Mode {
	var out []report.Mode
	for _, m := range []report.Mode{report.Processes, report.Threads} {
		if slices.ContainsFunc(r.Trials, func(t report.Trial) bool { return t.Mode == m }) {
			out = append(out, m)
		}
	}
	return out
}
