package collector

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
)

// Status says whether something that measuring needs is there.
type Status string

// The states of a Check.
const (
	OK       Status = "ok"
	Fallback Status = "fallback" // something else replaces it
	Absent   Status = "absent"   // a figure is lost, the rest works
	Missing  Status = "missing"  // nothing can be measured
)

// Check is one thing that measuring needs.
type Check struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail says what is there, or what is lost without it.
	Detail string `json:"detail"`
	// Uses is the part of the kernel that is used: a tracepoint's name, "kprobe:" and a
	// function's name, or a privilege; "" if there is none.
	Uses string `json:"uses"`
	// StandsInFor is what Uses replaces when Status is Fallback.
	StandsInFor string `json:"stands_in_for,omitempty"`
	// Lost are the figures that a report lacks, or that are less exact.
	Lost []string `json:"lost"`
	// Remedy says how to get it; "" if nothing needs a remedy.
	Remedy string `json:"remedy,omitempty"`
}

// allFigures are lost where nothing can be measured.
var allFigures = []string{"all"}

func missing(name, detail, remedy string) Check {
	return Check{Name: name, Status: Missing, Detail: detail, Lost: allFigures, Remedy: remedy}
}

func ok(name, uses, detail string) Check {
	return Check{Name: name, Status: OK, Detail: detail, Uses: uses, Lost: []string{}}
}

const newerKernel = "use Linux 6.15 or later"

// Checks finds out by trying what this kernel and these privileges allow.
// Nothing can be measured if one of the checks is Missing.
func Checks() []Check {
	if err := CheckAllowed(); err != nil {
		return []Check{forbidden(err)}
	}
	checks := []Check{ok("privileges", "CAP_BPF,CAP_PERFMON", "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN")}
	c, err := Open(Options{Tasks: 1})
	if err != nil {
		return append(checks, refusal(err))
	}
	defer c.Close()
	if c.ahead != 0 {
		checks = append(checks, ok("clock", "CLOCK_MONOTONIC",
			fmt.Sprintf("%v ahead of the kernel's in this time namespace, which is taken off", c.ahead)))
	}
	return append(checks,
		ok("kernel types", "/sys/kernel/btf/vmlinux", "BTF in /sys/kernel/btf/vmlinux"),
		ok("switches", "sched_switch", "tracepoint sched_switch"),
		c.checkPick(), c.checkSwitch(), c.checkTick(), c.checkFloor())
}

// forbidden says why this process may not trace.
func forbidden(err error) Check {
	var lack *PrivilegeError
	switch {
	case errors.Is(err, ErrUserNamespace):
		return missing("privileges", "this process is in a user namespace (a rootless container)", "run on the host")
	case errors.Is(err, ErrPIDNamespace):
		return missing("task numbers", "this process is in a PID namespace (a container)",
			"run on the host, or the container with --pid=host --cap-add=BPF --cap-add=PERFMON")
	case errors.Is(err, ErrTimeNamespace):
		return missing("clock", "this process's children are in another time namespace than itself",
			"start slicetrace with unshare --fork, or outside of the namespace")
	case errors.As(err, &lack):
		return missing("privileges", "lacks "+strings.Join(lack.Missing, " and "),
			"run with sudo, or once: sudo setcap cap_bpf,cap_perfmon+ep FILE")
	}
	var hidden *RefusedError
	if errors.As(err, &hidden) {
		return missing(hidden.Object, hidden.Cause, hidden.Remedy)
	}
	return missing("privileges", err.Error(), "run with sudo")
}

// refusal says why the kernel takes no programs.
func refusal(err error) Check {
	switch {
	case errors.Is(err, bpf.ErrNoBTF):
		return missing("kernel types", "no BTF in /sys/kernel/btf/vmlinux",
			"use a kernel built with CONFIG_DEBUG_INFO_BTF=y")
	case errors.Is(err, bpf.ErrTooOld):
		return missing("kernel", "too old: it lacks the eBPF helper bpf_task_pt_regs", "use Linux 5.15 or later")
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		return missing(refused.Object, refused.Cause, refused.Remedy)
	}
	return missing("tracing programs", err.Error(), "use one of the kernels that the README says are tested")
}

func (c *Collector) checkPick() Check {
	if c.objs.Pick == "" {
		return Check{
			Name: "pick phase", Status: Absent, Lost: []string{"pick", "cost"}, Remedy: newerKernel,
			Detail: "the kernel has no tracepoint sched_entry_tp: no pick and no cost",
		}
	}
	return ok("pick phase", c.objs.Pick, "tracepoint "+c.objs.Pick)
}

func (c *Collector) checkSwitch() Check {
	switch symbol, isKprobe := strings.CutPrefix(c.objs.Switch, "kprobe:"); {
	case c.objs.Switch == "" && bpf.KprobesSwitchedOff():
		return Check{
			Name: "switch phase", Status: Absent, Lost: []string{"switch", "cost"},
			Detail: c.SwitchLack(), Remedy: "echo 1 > /sys/kernel/debug/kprobes/enabled, or " + newerKernel,
		}
	case c.objs.Switch == "":
		return Check{
			Name: "switch phase", Status: Absent, Lost: []string{"switch", "cost"}, Remedy: newerKernel,
			Detail: "the kernel has neither the tracepoint sched_exit_tp nor kprobes: no switch phase and no cost",
		}
	case isKprobe:
		return Check{
			Name: "switch phase", Status: Fallback, Uses: c.objs.Switch, StandsInFor: "sched_exit_tp",
			Remedy: newerKernel,
			Lost:   []string{"the last part of the switch phase: what the function does"},
			Detail: "kprobe on " + symbol + " stands in for the tracepoint sched_exit_tp",
		}
	}
	return ok("switch phase", c.objs.Switch, "tracepoint "+c.objs.Switch)
}

// SwitchLack says why there is no switch phase although it was asked for and the kernel
// could give it; otherwise it is "".
func (c *Collector) SwitchLack() string {
	if c.objs.Switch != "" || c.options.NoSwitch || !bpf.KprobesSwitchedOff() {
		return ""
	}
	return "kprobes, which stand in for the tracepoint sched_exit_tp, are switched off in" +
		" /sys/kernel/debug/kprobes/enabled: no switch phase and no cost"
}

// checkTick keeps a core busy until its tick has been seen, at most for a few ticks at the
// slowest HZ.
func (c *Collector) checkTick() Check {
	for start := time.Now(); time.Since(start) < 60*time.Millisecond; {
		if globals, err := c.globals(); err == nil && globals.TickFunction != 0 {
			return ok("ticks", tickHooks, "tracepoints "+tickHooks)
		}
	}
	return Check{
		Name: "ticks", Status: Absent, Lost: []string{"ticks", "ended by tick"},
		Detail: "no timer was recognised as the scheduler's tick: slices that it ends are counted as other",
		Remedy: "boot with high-resolution timers (without highres=off)",
	}
}

func (c *Collector) checkFloor() Check {
	floor, err := c.Floor()
	if err != nil {
		return Check{Name: "hook floor", Status: Absent, Detail: err.Error(), Lost: []string{"hook floor"}}
	}
	detail := fmt.Sprintf("%d ns of each phase are the tracer's own", floor.Nanoseconds())
	if strings.HasPrefix(c.floor.end, "kprobe:") {
		detail += ": a kprobe's way in is long"
	}
	return ok("hook floor", c.floor.end, detail)
}
