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
	// memoryTolerance is how much of its memory a machine may seem to lose, for a
	// kernel keeps a part to itself that depends on its version.
	memoryTolerance = 0.02
	// shareTolerance is by how much of core time others' work and the hypervisor's
	// part may differ in runs on an equally quiet machine.
	shareTolerance = 0.05
)

// fingerprint is what must be alike for two reports to be comparable: the
// machine and kernel, the hooks, what was asked for and the tool.
func fingerprint(r *report.Report) []report.Property {
	list := append(r.Host.Properties(), r.Capture.Properties()...)
	return append(append(list, r.Setup.Properties()...),
		report.Property{Name: "tool", Value: strings.TrimSpace(r.Tool.Name + " " + r.Tool.Version)})
}

// unlike returns the parts of the fingerprint and the settings that differ, in
// their order.
func unlike(old, other *report.Report) []Unlike {
	out := []Unlike{}
	before, after := drifted(old), drifted(other)
	now := fingerprint(other)
	for i, was := range fingerprint(old) {
		a, b := was.Value, now[i].Value
		alike := a == b || was.Name == "memory_bytes" && near(old.Host.MemoryBytes, other.Host.MemoryBytes) ||
			// Earlier versions did not tell bare metal from what they could not know.
			was.Name == "hypervisor" && min(a, b) == "" && max(a, b) == report.NoSetting ||
			// They did not look at these, and a machine does not always tell.
			min(a, b) == "" && slices.Contains([]string{"pcid", "invpcid", "nested_paging"}, was.Name)
		if alike && before[was.Name] == after[was.Name] {
			continue
		}
		out = append(out, Unlike{Name: was.Name, Old: words.Short(a) + before[was.Name], New: words.Short(b) + after[was.Name]})
		delete(before, was.Name)
		delete(after, was.Name)
	}
	out = append(out, unlikeVersions(old, other)...)
	out = append(out, unlikeSettings(old, other, before, after)...)
	return append(out, unlikeShares(old, other)...)
}

// unlikeSettings compares what both reports tell; what only one of them tells is
// unknown of the other, as of one of an earlier version.
func unlikeSettings(old, other *report.Report, before, after map[string]string) []Unlike {
	was, now := everySetting(old, before), everySetting(other, after)
	var out []Unlike
	for _, kind := range was.InOrder() {
		a := was[kind.Name]
		b, told := now[kind.Name]
		if !told || a == b {
			continue
		}
		if kind.Words {
			a, b = onlyIn(a, b), onlyIn(b, a)
		}
		out = append(out, Unlike{Name: kind.Name, Old: a, New: b})
	}
	return out
}

// everySetting returns a report's settings, each with what became of it. That a
// recording was made is known of every version's reports.
func everySetting(r *report.Report, drifted map[string]string) report.Settings {
	all := report.Settings{"recording": "off"}
	if r.Recording != nil {
		all["recording"] = "on"
	}
	for name, value := range r.Settings {
		all[name] = value + drifted[name]
	}
	// What is read only of a trial's two ends has no value when it stays.
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

// changingOnly are the settings of which only a change within a trial is told.
func changingOnly() []string {
	return []string{"workers_affinity", "workers_policy", "suspended_ms", "heat_throttles"}
}

// drifted returns by name what is to be added to a value that did not stay.
func drifted(r *report.Report) map[string]string {
	out := map[string]string{}
	for _, d := range r.Drifts() {
		if len(d.Values) > 0 {
			out[d.Name] = ", later " + strings.Join(d.Values, ", ")
		}
	}
	return out
}

// onlyIn returns the words of a list that another lacks.
func onlyIn(list, other string) string {
	known := strings.Fields(other)
	return strings.Join(slices.DeleteFunc(strings.Fields(list), func(w string) bool { return slices.Contains(known, w) }), " ")
}

// unlikeShares compares the core time that neither report's work had.
func unlikeShares(old, other *report.Report) []Unlike {
	var out []Unlike
	for _, share := range []struct {
		name string
		of   func(*report.Report) float64
	}{
		{"others_share", func(r *report.Report) float64 { return metric.OthersShare(r, nil) }},
		{"stolen_share", func(r *report.Report) float64 { return float64(r.Quality.StealNS) / max(1, float64(r.Quality.WallNS)) }},
	} {
		a, b := share.of(old), share.of(other)
		if math.Abs(a-b) > shareTolerance {
			out = append(out, Unlike{Name: share.name, Old: fmt.Sprintf("%.0f %%", 100*a), New: fmt.Sprintf("%.0f %%", 100*b)})
		}
	}
	return out
}

// unknownSettings names what one of two reports does not tell.
func unknownSettings(old, other Named) []string {
	var out []string
	for _, pair := range [][2]Named{{old, other}, {other, old}} {
		if pair[0].Report.Settings == nil && pair[1].Report.Settings != nil {
			out = append(out, fmt.Sprintf("%s does not tell policy, nice level, quota, tracers and the like: whether they were alike is not known", pair[0].Name))
		}
	}
	return out
}

func near(a, b int64) bool {
	return math.Abs(float64(a)-float64(b)) <= memoryTolerance*math.Max(float64(a), float64(b))
}
