package collector

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

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
	checks = append(checks,
		ok("kernel types", "/sys/kernel/btf/vmlinux", "BTF in /sys/kernel/btf/vmlinux"),
		ok("switches", "sched_switch", "tracepoint sched_switch"),
		c.checkPhase(pickPhase, c.objs.Pick), c.checkPhase(switchPhase, c.objs.Switch), c.checkTick(), c.checkFloor())
	return append(checks, checkLive()...)
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

// phase is a phase of a switch, and what bounds it since Linux 6.15.
type phase struct {
	name, tracepoint string
	// less is what the phase lacks where another hook bounds it.
	less string
	// others are those hooks.
	others string
}

var (
	pickPhase = phase{
		"pick", "sched_entry_tp",
		"the first part of the pick phase: what the scheduler does before it tells RCU of the switch",
		"it does not tell RCU of switches, as kernels for one core",
	}
	switchPhase = phase{
		"switch", "sched_exit_tp",
		"the last part of the switch phase: what finish_task_switch does",
		"neither an fentry program nor a kprobe can be attached to finish_task_switch",
	}
)

// checkPhase says which hook bounds a phase.
func (c *Collector) checkPhase(p phase, h bpf.Hook) Check {
	name := p.name + " phase"
	switch {
	case h.Name == "":
		why, remedy := c.lack(p)
		return Check{Name: name, Status: Absent, Lost: []string{p.name, "cost"}, Detail: why, Remedy: remedy}
	case h.Name == p.tracepoint:
		return ok(name, h.Name, "tracepoint "+h.Name)
	}
	by := "tracepoint " + h.Name
	if kind, _, ok := strings.Cut(h.Name, ":"); ok {
		by = kind + " on " + h.Symbol
	}
	return Check{
		Name: name, Status: Fallback, Uses: h.Name, StandsInFor: p.tracepoint, Remedy: newerKernel,
		Lost: []string{p.less}, Detail: by + " stands in for the tracepoint " + p.tracepoint + c.uselessHooks(p),
	}
}

// useless is a hook that the kernel seemed to have for a phase, and why it does not serve.
type useless struct {
	phase, hook string
	err         error
}

// uselessHooks says which hooks do not serve for a phase, and why; "" if there are none.
func (c *Collector) uselessHooks(p phase) string {
	var text strings.Builder
	for _, u := range c.useless {
		why := u.err.Error()
		switch {
		case u.phase != p.name:
			continue
		case errors.Is(u.err, ebpf.ErrNotSupported):
			why = "this kernel does not support it"
		case errors.Is(u.err, unix.EPERM):
			why = "this kernel does not permit it"
		}
		fmt.Fprintf(&text, "; not by %s: %s", u.hook, why)
	}
	return text.String()
}

// lack says why a phase that was asked for is absent, and what to do.
func (c *Collector) lack(p phase) (why, remedy string) {
	if off := c.SwitchedOff(); off != "" && p == switchPhase {
		return off, "echo 1 > " + kprobesSwitch + ", or " + newerKernel
	}
	why = fmt.Sprintf("the kernel has no tracepoint %s (Linux 6.15 and later have it), and %s", p.tracepoint, p.others)
	return why + c.uselessHooks(p), newerKernel
}

// kprobesSwitch is the file by which all kprobes are switched on and off.
const kprobesSwitch = "/sys/kernel/debug/kprobes/enabled"

// SwitchedOff says that there is no switch phase because kprobes, which could end it, are
// switched off; otherwise it is "".
func (c *Collector) SwitchedOff() string {
	if c.objs.Switch.Name != "" || c.options.NoSwitch || !bpf.KprobesSwitchedOff() {
		return ""
	}
	return "kprobes, which stand in for the tracepoint sched_exit_tp, are switched off in " + kprobesSwitch +
		": no switch phase and no cost"
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
	lost := []string{"hook floor"}
	var uses, details []string
	for _, f := range c.floors {
		if f.Err != nil {
			return Check{Name: "hook floor", Status: Absent, Detail: f.Err.Error(), Lost: lost}
		}
		detail := fmt.Sprintf("%d ns of %s are the tracer's own", f.Median.Nanoseconds(), f.phases())
		if f.kind == bpf.Kprobe {
			detail += ": a kprobe's way in and out is long"
		}
		uses, details = append(uses, f.hooks), append(details, detail)
	}
	if len(details) == 0 {
		return Check{Name: "hook floor", Status: Absent, Detail: "no phase is timed", Lost: lost}
	}
	return ok("hook floor", strings.Join(uses, "; "), strings.Join(details, "; "))
}
