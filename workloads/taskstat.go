//go:build linux

package workloads

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// restLimit bounds the time that workers at a gate take to go to sleep.
const restLimit = 10 * time.Second

// leastAttempts is how often countersAtRest reads at least, however long that takes.
const leastAttempts = 10

// countersAtRest returns the counters of the workers once every one is off the CPU. It
// reads all of them until two readings are equal, so that it does not take a worker that
// sleeps on its way to the gate (in a page fault, say) for one that has reached it.
func countersAtRest(ctx context.Context, workers []Worker) ([]Counters, error) {
	var last []Counters
	// If the tool itself is stopped meanwhile, the time is over before it has read anything:
	// hence the least number of attempts.
	for began, attempt := time.Now(), 0; attempt < leastAttempts || time.Since(began) < restLimit; attempt++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now, asleep, err := readAll(workers)
		if err != nil {
			return nil, err
		}
		if asleep && slices.Equal(now, last) {
			return now, nil
		}
		if !asleep {
			time.Sleep(time.Millisecond)
		}
		last = now
	}
	return nil, fmt.Errorf("read counters: the workers did not come to rest within %v: "+
		"try again on a quieter machine", restLimit)
}

// readAll reads the workers' counters, and reports whether all workers were off the CPU.
func readAll(workers []Worker) (all []Counters, asleep bool, err error) {
	asleep = true
	for _, w := range workers {
		task := fmt.Sprintf("/proc/%d/task/%d/", w.PID, w.TID)
		off, err := offCPU(task)
		if err != nil {
			return nil, false, err
		}
		c, err := readCounters(task)
		if err != nil {
			return nil, false, err
		}
		asleep = asleep && off
		all = append(all, c)
	}
	return all, asleep, nil
}

// ownSwitches returns how often this process's threads have been switched out.
func ownSwitches() uint64 {
	var usage unix.Rusage
	// With RUSAGE_SELF it cannot fail.
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return uint64(usage.Nvcsw + usage.Nivcsw)
}

// offCPU reports whether the task is blocked and switched out. When a task's syscall file
// is read, the kernel waits until the task is inactive, which means that its last switch
// is over and counted (wait_task_inactive); for a running task the file contains
// "running". Where the file is missing or may not be read, the state in stat is used. It
// becomes S a moment before the switch, hence the sleep.
func offCPU(task string) (bool, error) {
	call, err := readProc(task + "syscall")
	if err == nil {
		return !strings.HasPrefix(call, "running"), nil
	}
	stat, err := readProc(task + "stat")
	if err != nil {
		return false, fmt.Errorf("read state of worker: %w", err)
	}
	time.Sleep(2 * time.Millisecond)
	return parseAsleep(stat), nil
}

// parseAsleep reports whether a task's stat shows the state S. The name before the state,
// in parentheses, may contain any characters.
func parseAsleep(stat string) bool {
	return strings.HasPrefix(stat[strings.LastIndexByte(stat, ')')+1:], " S ")
}

// readCounters reads the kernel's counters from a task's directory in /proc.
func readCounters(task string) (Counters, error) {
	status, err := readProc(task + "status")
	if err != nil {
		return Counters{}, fmt.Errorf("read counters: %w", err)
	}
	sched, err := readProc(task + "schedstat")
	if err != nil {
		return Counters{}, fmt.Errorf("read counters: %w", err)
	}
	c, err := parseCounters(status, sched)
	if err != nil {
		return c, fmt.Errorf("read counters: parse status and schedstat in %s: %w", task, err)
	}
	return c, nil
}

// readProc is os.ReadFile for files of /proc, most of which are short. For hundreds of
// workers it allocates a fifth of what os.ReadFile does.
func readProc(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var start [4096]byte
	for n := 0; n < len(start); {
		read, err := f.Read(start[n:])
		if n += read; err == io.EOF {
			return string(start[:n]), nil
		} else if err != nil {
			return "", err
		}
	}
	rest, err := io.ReadAll(f)
	return string(start[:]) + string(rest), err
}

// parseCounters reads a task's status, whose lines are "name:	value", and its
// schedstat: nanoseconds on the CPU, nanoseconds of waiting, number of slices.
func parseCounters(status, sched string) (c Counters, err error) {
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "voluntary_ctxt_switches":
			c.Voluntary, err = strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		case "nonvoluntary_ctxt_switches":
			c.Involuntary, err = strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		}
		if err != nil {
			return c, err
		}
	}
	fields := strings.Fields(sched)
	if len(fields) != 3 {
		return c, fmt.Errorf("schedstat has %d numbers, not 3", len(fields))
	}
	var numbers [3]uint64
	for i, field := range fields {
		if numbers[i], err = strconv.ParseUint(field, 10, 63); err != nil {
			return c, err
		}
	}
	c.Runtime, c.RunDelay, c.Slices = time.Duration(numbers[0]), time.Duration(numbers[1]), numbers[2]
	return c, nil
}
