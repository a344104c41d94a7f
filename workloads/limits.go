//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// hostThreads is the number of threads that a host has in addition to its workers,
	// rounded up: Go 1.26 starts 3 to 5.
	hostThreads = 6
	// spareFDs is how many descriptors the tool needs in addition to the workers'.
	spareFDs = 112
	// shortest is the least duration of a trial: long enough for some ticks, and for some
	// cycles of the workload that sleeps longest.
	shortest = 10 * time.Millisecond
)

// Validate returns an error that describes what is wrong with the plan and what to
// do about it. It does not complain if the machine's limits are too low for the default
// number of workers of some variants, whose trials then fail, as long as other trials
// can run.
func (p Plan) Validate() error {
	switch {
	case len(p.Workloads) == 0:
		return errors.New("check plan: no workload: name at least one")
	case len(p.Modes) == 0:
		return fmt.Errorf("check plan: no mode: give %s, %s or %[1]s,%[2]s", Processes, Threads)
	case p.Rounds < 1:
		return fmt.Errorf("check plan: %d rounds: give at least 1", p.Rounds)
	case p.Operations < 0:
		return fmt.Errorf("check plan: %d operations: give at least 1, or 0 to run for a duration", p.Operations)
	case p.Operations == 0 && p.Duration < 0:
		return fmt.Errorf("check plan: a duration of %v: give more than 0, such as 2s", p.Duration)
	case p.Operations == 0 && p.Duration > 0 && p.Duration < shortest:
		return fmt.Errorf("check plan: a duration of %v is too short to measure anything: give at least %v",
			p.Duration, shortest)
	case p.Workers < 0:
		return fmt.Errorf("check plan: %d workers: give at least 1", p.Workers)
	}
	for i, m := range p.Modes {
		if m != Processes && m != Threads {
			return fmt.Errorf("check plan: no mode is called %q: give %s, %s or %[2]s,%[3]s", m, Processes, Threads)
		}
		if slices.Contains(p.Modes[:i], m) {
			return fmt.Errorf("check plan: mode %s is named twice: name it once", m)
		}
	}
	if err := checkCPUs(p.CPUs); err != nil {
		return fmt.Errorf("check plan: %w", err)
	}
	var refused error
	able := false
	for _, t := range p.Trials() {
		w, v, err := t.resolve()
		if err == nil && w.paired && t.Workers%2 != 0 {
			err = fmt.Errorf("%d workers of %s: %s works in pairs: give an even number", t.Workers, w.Name, w.Name)
		}
		if err != nil {
			return fmt.Errorf("check plan: %w", err)
		}
		switch err := checkLimits(t, p.User); {
		case err == nil:
			able = true
		case p.Workers > 0 && v.Workers == 0: // the user has asked for this number
			return fmt.Errorf("check plan: %w", err)
		case refused == nil:
			refused = fmt.Errorf("check plan: %w", err)
		}
	}
	if able {
		return nil
	}
	return refused
}

// checkLimits returns an error that names the machine's limit that a trial would exceed.
func checkLimits(t Trial, user *Credential) error {
	w, _, err := t.resolve()
	if err != nil {
		return err
	}
	if err := checkTasks(t, user); err != nil {
		return err
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("read limit on open files: %w", err)
	}
	if need := t.Workers*w.fds + spareFDs; uint64(need) > files.Cur {
		return fmt.Errorf("%d workers of %s need %d open files and the limit is %d: "+
			"give fewer workers or raise ulimit -n", t.Workers, w.Name, need, files.Cur)
	}
	return nil
}

// checkTasks compares the threads that a trial needs with the limits on them.
func checkTasks(t Trial, user *Credential) error {
	need := t.Workers + hostThreads
	if t.Mode == Processes {
		need = t.Workers * (1 + hostThreads)
	}
	uid := uint32(os.Geteuid())
	if user != nil {
		uid = user.UID
	}
	var tasks unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &tasks); err != nil {
		return fmt.Errorf("read limit on processes: %w", err)
	}
	// This limit does not apply to root.
	if uid != 0 && uint64(need) > tasks.Cur {
		return fmt.Errorf("%d workers of %s in %s need about %d tasks and the user's limit is %d: "+
			"give fewer workers or raise ulimit -u", t.Workers, t.Workload, t.Mode, need, tasks.Cur)
	}
	for _, name := range []string{"threads-max", "pid_max"} {
		text, err := os.ReadFile("/proc/sys/kernel/" + name)
		if err != nil {
			continue // it cannot be read here; if it is exceeded, the kernel will refuse a task
		}
		limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("read limit on tasks: %w", err)
		}
		if need > limit {
			return fmt.Errorf("%d workers of %s in %s need about %d tasks and this machine's limit is %d: "+
				"give fewer workers or raise kernel.%s", t.Workers, t.Workload, t.Mode, need, limit, name)
		}
	}
	return nil
}

// checkCPUs returns an error if workers cannot run on one of cpus. If cpus is nil, every
// core that this process may run on is meant, which is no error.
func checkCPUs(cpus []CPU) error {
	allowed, err := allowedCPUs()
	if err != nil {
		return err
	}
	if cpus == nil {
		return nil
	}
	if len(cpus) == 0 {
		return fmt.Errorf("no core: name at least one of %s", formatCPUs(allowed))
	}
	for i, cpu := range cpus {
		if slices.Contains(cpus[:i], cpu) {
			return fmt.Errorf("core %d is named twice: name it once", cpu)
		}
		if slices.Contains(allowed, cpu) {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/sys/devices/system/cpu/cpu%d", cpu)); err != nil {
			return fmt.Errorf("core %d does not exist: name cores out of %s", cpu, formatCPUs(allowed))
		}
		return fmt.Errorf("core %d is offline or this process may not run on it (cpuset, taskset): "+
			"name cores out of %s", cpu, formatCPUs(allowed))
	}
	return nil
}

// mostCPUs is the greatest NR_CPUS of any architecture. sched_getaffinity fails if its
// buffer has no room for every core that the machine could have.
const mostCPUs = 8192

// allowedCPUs returns the cores that this process may run on, ascending.
func allowedCPUs() ([]CPU, error) {
	set := unix.NewCPUSet(mostCPUs)
	// The affinity of the main thread, since the thread that runs this goroutine may have
	// another one.
	if err := unix.SchedGetaffinityDynamic(os.Getpid(), set); err != nil {
		return nil, fmt.Errorf("read the cores that this process may run on: %w", err)
	}
	var cpus []CPU
	for cpu := range mostCPUs {
		if set.IsSet(cpu) {
			cpus = append(cpus, CPU(cpu))
		}
	}
	return cpus, nil
}

// formatCPUs writes ascending cores as ranges: 0-3,6.
func formatCPUs(cpus []CPU) string {
	var b strings.Builder
	for i := 0; i < len(cpus); {
		last := i
		for last+1 < len(cpus) && cpus[last+1] == cpus[last]+1 {
			last++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", cpus[i])
		if last > i {
			fmt.Fprintf(&b, "-%d", cpus[last])
		}
		i = last + 1
	}
	return b.String()
}
