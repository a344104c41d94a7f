package report

import (
	"strconv"
	"strings"
)

// Property is one property of a report's machine, hooks, set-up or settings, with the name that it
// has in the tables host and quality and in comparisons.
type Property struct {
	Name string
	// Value is "" if it was not read, or not asked for.
	Value string
	// Number is true if the value is a whole number, in the unit that the name ends with. Any other
	// value is text from outside, and may be hostile.
	Number bool
}

// text is a property that is not a number.
func text(name, value string) Property { return Property{Name: name, Value: value} }

// positive is a number. 0 means that it was not read, or not asked for.
func positive(name string, n int64) Property {
	p := Property{Name: name, Number: true}
	if n > 0 {
		p.Value = strconv.FormatInt(n, 10)
	}
	return p
}

// Properties returns the properties of the machine and kernel, in the order in which they are
// shown.
func (h Host) Properties() []Property {
	baseSlice := Property{Name: "base_slice_ns", Number: true}
	if h.BaseSliceNS != nil {
		baseSlice.Value = strconv.FormatInt(*h.BaseSliceNS, 10)
	}
	return []Property{
		text("kernel", h.Kernel),
		text("arch", h.Arch),
		text("cpu_model", h.CPUModel),
		positive("cpus", int64(h.CPUs)),
		text("smt", h.SMT),
		positive("hz", int64(h.HZ)),
		text("preemption", h.Preemption),
		text("scheduler", h.Scheduler),
		baseSlice,
		text("pti", h.PTI),
		text("mitigations", strings.Join(h.Mitigations, "; ")),
		text("clocksource", h.Clocksource),
		text("hypervisor", h.Hypervisor),
		text("governor", h.Governor),
		positive("memory_bytes", h.MemoryBytes),
		text("distribution", h.Distribution),
		text("pcid", h.PCID),
		text("invpcid", h.INVPCID),
		text("nested_paging", h.NestedPaging),
	}
}

// Properties returns the hooks that were used.
func (c Capture) Properties() []Property {
	return []Property{text("pick_hook", c.Pick), text("switch_hook", c.Switch), text("tick_hook", c.Tick)}
}

// Properties returns what was asked for.
func (s Setup) Properties() []Property {
	modes := make([]string, len(s.Modes))
	for i, m := range s.Modes {
		modes[i] = string(m)
	}
	cores := make([]string, len(s.CPUs))
	for i, cpu := range s.CPUs {
		cores[i] = strconv.Itoa(int(cpu))
	}
	output := ""
	if s.Output != nil {
		output = s.Output.Regexp
	}
	return append([]Property{
		text("workloads", strings.Join(s.Workloads, " ")),
		text("command", s.CommandLine()),
		text("modes", strings.Join(modes, " ")),
		positive("rounds", int64(s.Rounds)),
		positive("duration_ns", s.DurationNS),
		positive("operations", s.Operations),
		positive("workers", int64(s.Workers)),
		text("cores", strings.Join(cores, ",")),
		positive("warmup", int64(s.Warmup)),
		text("prepare", s.Prepare),
		positive("untraced_every", int64(s.UntracedEvery)),
		text("output", output),
	}, s.Watch.properties()...)
}

// Properties returns the settings in the order in which they are shown.
func (s Settings) Properties() []Property {
	var out []Property
	for _, kind := range s.InOrder() {
		out = append(out, text(kind.Name, s[kind.Name]))
	}
	return out
}
