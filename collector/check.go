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
	Fallback Status = "fallback" // something else stands in
	Absent   Status = "absent"   // a figure is lost, the rest works
	Missing  Status = "missing"  // nothing can be measured
)

// Check is one thing that measuring needs.
type Check struct {
	Name   string
	Status Status
	// Detail says what is there, or what is lost without it.
	Detail string
	// Remedy says how to get it; "" when there is nothing to mend.
	Remedy string
}

const newerKernel = "use Linux 6.15 or later"

// Checks finds out what this kernel and these privileges allow, by trying it.
// Nothing can be measured if one of the checks is Missing.
func Checks() []Check {
	if err := checkPrivileges(); err != nil {
		var lack *PrivilegeError
		if errors.As(err, &lack) {
			return []Check{{"privileges", Missing, "lacks " + strings.Join(lack.Missing, " and "),
				"run with sudo, or once: sudo setcap cap_bpf,cap_perfmon+ep FILE"}}
		}
		return []Check{{"privileges", Missing, err.Error(), "run with sudo"}}
	}
	checks := []Check{{"privileges", OK, "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN", ""}}
	if err := checkNamespace(); err != nil {
		return append(checks, Check{"task numbers", Missing, "this process is in a PID namespace (a container)", "run on the host, or the container with --pid=host"})
	}
	c, err := Open(Options{Tasks: 1})
	if err != nil {
		if errors.Is(err, bpf.ErrNoBTF) {
			return append(checks, Check{"kernel types", Missing, "no BTF in /sys/kernel/btf/vmlinux", "use a kernel built with CONFIG_DEBUG_INFO_BTF=y"})
		}
		if errors.Is(err, bpf.ErrTooOld) {
			return append(checks, Check{"kernel", Missing, "too old: it lacks the eBPF helper bpf_task_pt_regs", "use Linux 5.15 or later"})
		}
		return append(checks, Check{"tracing programs", Missing, err.Error(), "use Linux 5.15 or later, outside a container"})
	}
	defer c.Close()
	checks = append(checks,
		Check{"kernel types", OK, "BTF in /sys/kernel/btf/vmlinux", ""},
		Check{"switches", OK, "tracepoint sched_switch", ""},
		c.checkPick(), c.checkSwitch(), c.checkTick(), checkFloor())
	return checks
}

func (c *Collector) checkPick() Check {
	if c.objs.Pick == "" {
		return Check{"pick phase", Absent, "the kernel has no tracepoint sched_entry_tp: no pick and no cost", newerKernel}
	}
	return Check{"pick phase", OK, "tracepoint " + c.objs.Pick, ""}
}

func (c *Collector) checkSwitch() Check {
	switch symbol, isKprobe := strings.CutPrefix(c.objs.Switch, "kprobe:"); {
	case c.objs.Switch == "":
		return Check{"switch phase", Absent, "the kernel has neither the tracepoint sched_exit_tp nor kprobes: no switch phase and no cost", newerKernel}
	case isKprobe:
		return Check{"switch phase", Fallback, "kprobe on " + symbol + " stands in for the tracepoint sched_exit_tp", newerKernel}
	}
	return Check{"switch phase", OK, "tracepoint " + c.objs.Switch, ""}
}

// checkTick keeps a core busy until its tick has been seen, at most for some
// ticks at the slowest HZ.
func (c *Collector) checkTick() Check {
	for start := time.Now(); time.Since(start) < 60*time.Millisecond; {
		if totals, err := c.totals(); err == nil && totals.TickFunction != 0 {
			return Check{"ticks", OK, "tracepoint hrtimer_expire_entry", ""}
		}
	}
	return Check{"ticks", Absent, "no timer was recognised as the scheduler's tick: slices that it ends are counted as other",
		"boot with high-resolution timers (without highres=off)"}
}

func checkFloor() Check {
	floor, err := ProbeFloor()
	if err != nil {
		return Check{"hook floor", Absent, err.Error(), ""}
	}
	return Check{"hook floor", OK, fmt.Sprintf("%d ns of each phase are the tracer's own", floor.Nanoseconds()), ""}
}
