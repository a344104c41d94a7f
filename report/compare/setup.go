package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

const (
	// memoryTolerance is by how much the memory of a machine may seem to differ, since kernels of
	// different versions reserve different amounts.
	memoryTolerance = 0.02
	// shareTolerance is by how much the shares of core time that other tasks and the hypervisor
	// took may differ between runs on equally quiet machines.
	shareTolerance = 0.05
)

// fingerprint returns the properties that must be equal for two reports to be comparable: of the
// machine and kernel, the hooks, what was asked for, and the version of slicetrace.
func fingerprint(r *report.Report) []report.Property {
	list := append(r.Host.Properties(), r.Capture.Properties()...)
	return append(append(list, r.Setup.Properties()...),
		report.Property{Name: "tool", Value: strings.TrimSpace(r.Tool.Name + " " + r.Tool.Version)})
}

// differencesOf returns the properties and settings that differ, in the order in which they are
// shown.
func differencesOf(old, other *report.Report) []Difference {
	out := []Difference{}
	before, after := drifted(old), drifted(other)
	now := fingerprint(other)
	for i, was := range fingerprint(old) {
		a, b := was.Value, now[i].Value
		alike := a == b || was.Name == "memory_bytes" && near(old.Host.MemoryBytes, other.Host.MemoryBytes) ||
			// Earlier versions could not tell bare metal from an unknown hypervisor.
			was.Name == "hypervisor" && min(a, b) == "" && max(a, b) == report.NoSetting ||
			// Earlier versions did not read these, and not every machine has them.
			min(a, b) == "" && slices.Contains([]string{"pcid", "invpcid", "nested_paging"}, was.Name)
		if alike && before[was.Name] == after[was.Name] {
			continue
		}
		out = append(out, Difference{
			Name: was.Name, Old: words.Short(a) + before[was.Name], New: words.Short(b) + after[was.Name],
		})
		delete(before, was.Name)
		delete(after, was.Name)
	}
	out = append(out, versionDifferences(old, other)...)
	out = append(out, settingDifferences(old, other, before, after)...)
	return append(out, shareDifferences(old, other)...)
}

// sameTasks returns an error if two of the reports are of watches that were asked for different tasks:
// their figures are of different things.
func sameTasks(runs []Input) error {
	first := slices.IndexFunc(runs, func(n Input) bool { return n.Report.Setup.Watch != nil })
	if first < 0 {
		return nil
	}
	one := runs[first].Report.Setup.Watch
	for _, n := range runs[first:] {
		if o := n.Report.Setup.Watch; o != nil && !one.SameTasks(o) {
			return fmt.Errorf("compare %s with %s: %w: the first watched %s, the other %s; "+
				"compare watches of the same tasks", runs[first].Name, n.Name, ErrNothingInCommon,
				words.Short(one.String()), words.Short(o.String()))
		}
	}
	return nil
}

// settingDifferences compares the settings that both reports have. A setting that only one of them
// has is unknown in the other, which may be of an earlier version.
func settingDifferences(old, other *report.Report, before, after map[string]string) []Difference {
	was, now := everySetting(old, before), everySetting(other, after)
	var out []Difference
	for _, kind := range was.InOrder() {
		a := was[kind.Name]
		b, told := now[kind.Name]
		if !told || a == b {
			continue
		}
		if kind.Words {
			a, b = onlyIn(a, b), onlyIn(b, a)
		}
		out = append(out, Difference{Name: kind.Name, Old: a, New: b})
	}
	return out
}

// everySetting returns a report's settings, each with its later values if it changed. Reports of
// every version say whether a recording was made, and stacks were taken.
func everySetting(r *report.Report, drifted map[string]string) report.Settings {
	all := report.Settings{"recording": "off", "stacks": "off"}
	if r.Recording != nil {
		all["recording"] = "on"
	}
	if block := stackThresholds(r); len(block) > 0 {
		all["stacks"] = "from " + thresholds(block)
	}
	for name, value := range r.Settings {
		all[name] = value + drifted[name]
	}
	// For these, only changes are stored.
	for _, name := range changingOnly() {
		if r.Settings == nil {
			continue
		}
		all[name] = "steady"
		if drifted[name] != "" {
			all[name] = "changed while work ran"
		}
	}
	return all
}

// changingOnly returns the settings for which only a change within a trial is stored.
func changingOnly() []string {
	return []string{"workers_affinity", "workers_policy", "suspended_ms", "heat_throttles"}
}

// drifted returns, by name, the text to be appended to the value of a setting that changed.
func drifted(r *report.Report) map[string]string {
	out := map[string]string{}
	for _, d := range r.Drifts() {
		if len(d.Values) > 0 {
			out[d.Name] = ", later " + strings.Join(d.Values, ", ")
		}
	}
	return out
}

// onlyIn returns the words of a list that another list lacks.
func onlyIn(list, other string) string {
	known := strings.Fields(other)
	isKnown := func(w string) bool { return slices.Contains(known, w) }
	return strings.Join(slices.DeleteFunc(strings.Fields(list), isKnown), " ")
}

// shareDifferences compares the shares of core time that other tasks and the hypervisor took.
func shareDifferences(old, other *report.Report) []Difference {
	var out []Difference
	for _, share := range []struct {
		name string
		of   func(*report.Report) float64
	}{
		{"others_share", func(r *report.Report) float64 { return metric.OthersShare(r, nil) }},
		{"stolen_share", func(r *report.Report) float64 {
			return float64(r.Quality.StealNS) / max(1, float64(r.Quality.WallNS))
		}},
	} {
		a, b := share.of(old), share.of(other)
		if math.Abs(a-b) > shareTolerance {
			out = append(out, Difference{
				Name: share.name, Old: fmt.Sprintf("%.0f %%", 100*a), New: fmt.Sprintf("%.0f %%", 100*b),
			})
		}
	}
	return out
}

// unknownSettings returns a warning if only one of two reports has settings.
func unknownSettings(old, other Input) []string {
	var out []string
	for _, pair := range [][2]Input{{old, other}, {other, old}} {
		if pair[0].Report.Settings == nil && pair[1].Report.Settings != nil {
			out = append(out, fmt.Sprintf("%s has no settings such as policy, nice level, quota and tracers: "+
				"whether they were equal is not known.", pair[0].Name))
		}
	}
	return out
}

func near(a, b int64) bool {
	return math.Abs(float64(a)-float64(b)) <= memoryTolerance*math.Max(float64(a), float64(b))
}
