package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// header returns the most important properties of the machine.
func header(h report.Host) []string {
	out := []string{"slicetrace"}
	add := func(ok bool, part string) {
		if ok {
			out = append(out, part)
		}
	}
	// The vendor's suffix is long; details includes it.
	version, _, _ := strings.Cut(h.Kernel, "-")
	add(h.Kernel != "", "Linux "+version)
	add(h.CPUModel != "", h.CPUModel)
	add(h.CPUs > 0, coresOf(h))
	add(h.HZ > 0, "HZ "+strconv.Itoa(h.HZ))
	add(h.Preemption != "", "preempt "+h.Preemption)
	add(h.PTI != "", "PTI "+h.PTI)
	switch h.Hypervisor {
	case "":
	case "none":
		out = append(out, "bare metal")
	default:
		out = append(out, "virtual machine")
	}
	return out
}

// coresOf returns how many cores there are, as the kernel counts them. With SMT, this is twice what
// a data sheet says.
func coresOf(h report.Host) string {
	if h.SMT == "on" {
		return words.Plural(h.CPUs, "logical core") + " (SMT)"
	}
	return words.Plural(h.CPUs, "core")
}

// details returns the other properties of the machine on one line.
func details(h report.Host) string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, strings.TrimSpace(name+" "+value))
		}
	}
	add("kernel", h.Kernel)
	add("", h.Distribution)
	add("", h.Arch)
	add("scheduler", h.Scheduler)
	if h.BaseSliceNS != nil {
		add("base slice", fmt.Sprintf("%.2f ms", float64(*h.BaseSliceNS)/1e6))
	}
	add("SMT", h.SMT)
	add("clock", h.Clocksource)
	add("hypervisor", h.Hypervisor)
	add("governor", h.Governor)
	add("mitigations", strings.Join(shortMitigations(h.Mitigations), ", "))
	if h.MemoryBytes > 0 {
		add("memory", fmt.Sprintf("%.1f GiB", float64(h.MemoryBytes)/(1<<30)))
	}
	return strings.Join(out, " · ")
}

// shortMitigations shortens each "name: Mitigation: what; and what else" to its name and the first
// thing. The table host has the whole text.
func shortMitigations(list []string) []string {
	out := make([]string, len(list))
	for i, m := range list {
		m, _, _ = strings.Cut(m, ";")
		out[i] = strings.Replace(m, "Mitigation: ", "", 1)
	}
	return out
}
