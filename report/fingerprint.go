package report

import (
	"math"
	"strconv"
	"strings"
)

// memoryTolerance is how much of its memory a machine may seem to lose, for a
// kernel keeps a part to itself that depends on its version.
const memoryTolerance = 0.02

// fingerprint is what must be alike for two reports to be comparable: the
// machine and kernel, the hooks, what was asked for and the tool.
func (r *Report) fingerprint() []pair {
	list := append(r.Host.pairs(), r.Capture.pairs()...)
	return append(append(list, r.Setup.pairs()...),
		pair{"tool", free(strings.TrimSpace(r.Tool.Name + " " + r.Tool.Version))})
}

func (s Setup) pairs() []pair {
	modes := make([]string, len(s.Modes))
	for i, m := range s.Modes {
		modes[i] = string(m)
	}
	cores := make([]string, len(s.CPUs))
	for i, cpu := range s.CPUs {
		cores[i] = strconv.Itoa(cpu)
	}
	return []pair{
		{"workloads", free(strings.Join(s.Workloads, " "))},
		{"command", free(strings.Join(s.Command, " "))},
		{"modes", free(strings.Join(modes, " "))},
		{"rounds", positive(int64(s.Rounds))},
		{"duration_ns", positive(s.DurationNS)},
		{"operations", positive(s.Operations)},
		{"workers", positive(int64(s.Workers))},
		{"cores", free(strings.Join(cores, ","))},
	}
}

// unlike returns the parts of the fingerprint that differ, in its order.
func unlike(old, other *Report) []Unlike {
	out := []Unlike{}
	now := other.fingerprint()
	for i, was := range old.fingerprint() {
		a, b := was.value.Text, now[i].value.Text
		if a == b || was.name == "memory_bytes" && near(old.Host.MemoryBytes, other.Host.MemoryBytes) {
			continue
		}
		out = append(out, Unlike{Name: was.name, Old: a, New: b})
	}
	return out
}

func near(a, b int64) bool {
	return math.Abs(float64(a)-float64(b)) <= memoryTolerance*math.Max(float64(a), float64(b))
}
