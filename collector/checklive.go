package collector

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// checkLive finds out by trying what watching a running machine has here. What it lacks costs single
// figures, or watching alone.
func checkLive() (checks []Check) {
	l, err := OpenLive(LiveOptions{})
	if err != nil {
		return []Check{{
			Name: "watching", Status: Absent, Lost: []string{"all of top and of run --all"}, Detail: err.Error(),
			Remedy: "use one of the kernels that the README says are tested",
		}}
	}
	defer func() {
		if err := l.Close(); err != nil {
			checks[0].Detail += "; end watching: " + err.Error()
		}
	}()
	return []Check{
		l.checkTimes(), l.checkWindow(), l.checkGroups(), checkQuotas(), checkPressure(l.groups.version),
		ok("task numbers", "/proc/self/ns/pid", "those of the host's PID namespace, as in the kernel"),
	}
}

func (l *Live) checkTimes() Check {
	const name = "watched times"
	if l.objs.KernelTimes {
		return ok(name, "rq->clock,sched_info", "the run queues' clock and sched_info: no clock is read at a switch")
	}
	return Check{
		Name: name, Status: Fallback, Uses: "sched_wakeup", StandsInFor: "sched_info",
		Lost:   []string{"waits that equal the kernel's own"},
		Detail: "own stamps of switches and wakeups stand in for the kernel's times, which makes a switch slower",
		Remedy: "use a kernel built with CONFIG_SCHED_INFO=y and CONFIG_FAIR_GROUP_SCHED=y",
	}
}

// checkWindow times the phases of switches for a moment.
func (l *Live) checkWindow() Check {
	const window = time.Millisecond
	c := Check{Name: "watched costs", Status: Absent, Lost: []string{"cost"}, Remedy: newerKernel}
	hooks := []string{l.objs.Pick.Name, l.objs.Switch.Name}
	if hooks[0] == "" || hooks[1] == "" {
		c.Detail = "the kernel lacks a hook for one of the phases"
		return c
	}
	start := time.Now()
	if err := l.TimePhases(context.Background(), window); err != nil {
		c.Detail = err.Error()
		return c
	}
	took := (time.Since(start) - window).Round(100 * time.Microsecond)
	return ok(c.Name, strings.Join(hooks, ","), fmt.Sprintf("the hooks of both phases can be attached now and then,"+
		" which took %v", took))
}

func (l *Live) checkGroups() Check {
	c := Check{Name: "control groups", Status: Absent, Lost: []string{"groups", "--cgroup"}}
	if l.groups.resolver == nil {
		c.Detail, c.Remedy = l.groups.missing.Error(), "mount -t cgroup2 none /sys/fs/cgroup"
		return c
	}
	h := l.groups.resolver.Hierarchy()
	if h.ByHandle {
		return ok(c.Name, "open_by_handle_at", h.String()+"; groups are opened by their numbers")
	}
	c.Status, c.Uses, c.StandsInFor = Fallback, h.Mount.Dir, "open_by_handle_at"
	c.Lost = []string{"names of groups that come and go within a second"}
	c.Detail = h.String() + "; it is searched, since groups cannot be opened by their numbers"
	c.Remedy = "run with sudo, or give the program CAP_DAC_READ_SEARCH too"
	return c
}

// checkQuotas says whether the kernel can stop groups that have used up their CPU time.
func checkQuotas() Check {
	const name, slice = "CPU quotas", "/proc/sys/kernel/sched_cfs_bandwidth_slice_us"
	if _, err := os.Stat(slice); err != nil {
		return Check{
			Name: name, Status: Absent, Lost: []string{"throttled", "quota"},
			Detail: "this kernel has no CPU quotas, so nothing is throttled",
			Remedy: "use a kernel built with CONFIG_CFS_BANDWIDTH=y",
		}
	}
	return ok(name, "cpu.stat", "time throttled is told apart from waits")
}

// checkPressure says whether the kernel measures pressure, for groups of a version.
func checkPressure(version int) Check {
	c := Check{Name: "pressure", Status: Absent, Lost: []string{"pressure"}}
	_, err := os.ReadFile("/proc/pressure/cpu")
	switch {
	case err != nil:
		c.Detail = "this kernel does not measure pressure (PSI): " + err.Error()
		c.Remedy = "boot with psi=1, or use a kernel built with CONFIG_PSI=y"
	case version != 2:
		c.Detail = "the kernel measures pressure (PSI) only of control groups of version 2"
		c.Remedy = "boot with systemd.unified_cgroup_hierarchy=1"
	default:
		return ok(c.Name, "cpu.pressure", "pressure stall information (PSI) of each group")
	}
	return c
}
