package hostinfo

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// Only root can read this directory, and not under kernel lockdown.
	schedDebugDir = "sys/kernel/debug/sched"
	schedExtDir   = "sys/kernel/sched_ext"
)

// scheduler names what picks ordinary tasks: "EEVDF", which replaced "CFS" in 6.6, or
// "sched_ext:NAME" while a BPF scheduler picks all of them. If that one picks only the tasks
// that asked for it (SCX_OPS_SWITCH_PARTIAL), both are named: "EEVDF + sched_ext:NAME".
func scheduler(tree sysTree, kernel kernelID) string {
	fair := ""
	switch {
	case kernel.atLeast(6, 6):
		fair = "EEVDF"
	case kernel.atLeast(2, 6):
		fair = "CFS"
	}
	if tree.text(schedExtDir+"/state") != "enabled" {
		return fair
	}
	ext := "sched_ext:" + tree.text(schedExtDir+"/root/ops")
	if tree.text(schedExtDir+"/switch_all") == "0" {
		return fair + " + " + ext
	}
	return ext
}

// baseSlice returns EEVDF's base slice or CFS's minimal granularity, whose file was renamed
// in 6.6, in nanoseconds; nil if it cannot be read.
func baseSlice(tree sysTree) *int64 {
	for _, file := range []string{"base_slice_ns", "min_granularity_ns"} {
		if slice, err := strconv.ParseUint(tree.text(schedDebugDir+"/"+file), 10, 63); err == nil {
			ns := int64(slice)
			return &ns
		}
	}
	return nil
}

// preemption returns the preemption model in force: "none", "voluntary",
// "full", "lazy" or "rt", or "" where the kernel does not tell.
func preemption(tree sysTree, kernel kernelID, config kernelConfig) string {
	version := strings.Fields(kernel.version)
	if slices.Contains(version, "PREEMPT_RT") || tree.text("sys/kernel/realtime") == "1" {
		return "rt"
	}
	if model := chosenPreemption(tree); model != "" {
		return model
	}
	if config.set("PREEMPT_DYNAMIC") || slices.Contains(version, "PREEMPT_DYNAMIC") {
		if model := bootPreemption(tree.text("proc/cmdline"), kernel, config); model != "" {
			return model
		}
	}
	switch {
	case config.set("PREEMPT_NONE"):
		return "none"
	case config.set("PREEMPT_VOLUNTARY"):
		return "voluntary"
	case config.set("PREEMPT_LAZY"):
		return "lazy"
	case config.set("PREEMPT"):
		return "full"
	case slices.Contains(version, "PREEMPT") && !kernel.atLeast(6, 13):
		return "full" // since 6.13 the word can also mean lazy preemption
	}
	return ""
}

// chosenPreemption returns the preemption model in force on a kernel that can change it; ""
// if the kernel does not tell.
func chosenPreemption(tree sysTree) string {
	// The one in force is in brackets: "none voluntary (full) lazy".
	_, chosen, _ := strings.Cut(tree.text(schedDebugDir+"/preempt"), "(")
	if model, _, ok := strings.Cut(chosen, ")"); ok {
		return model
	}
	return ""
}

// bootPreemption returns the model of the last preempt= that the kernel accepts; "" if there
// is no such word. "lazy" came in 6.13. Architectures that have it lost "none" and
// "voluntary" in 7.0 (7dadeaa6e851).
func bootPreemption(cmdline string, kernel kernelID, config kernelConfig) string {
	lazy := kernel.atLeast(6, 13) && (config == nil || config.set("ARCH_HAS_PREEMPT_LAZY"))
	model := ""
	for word := range strings.FieldsSeq(cmdline) {
		if word == "--" {
			break // the rest is for init
		}
		switch word {
		case "preempt=full":
			model = "full"
		case "preempt=lazy":
			if lazy {
				model = "lazy"
			}
		case "preempt=none", "preempt=voluntary":
			if !lazy || !kernel.atLeast(7, 0) {
				model = strings.TrimPrefix(word, "preempt=")
			}
		}
	}
	return model
}
