//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// diagnose returns what keeps the workers in missing from working, and what to do about it;
// nil means all workers. If it finds no reason, it returns the remedy given.
func (rt *runningTrial) diagnose(missing []int, remedy string) string {
	if missing == nil {
		for i := range rt.shared.slots {
			missing = append(missing, i)
		}
	}
	states, policies := make(map[byte]bool), make(map[int]bool)
	for _, i := range missing {
		pid, tid := int(rt.shared.slots[i].pid), int(rt.shared.slots[i].tid)
		if tid == 0 { // the worker does not exist yet
			pid = rt.hosts.hostOf(i)
			tid = pid
		}
		if stat, err := readProc(fmt.Sprintf("/proc/%d/task/%d/stat", pid, tid)); err == nil {
			state, policy := parseStat(stat)
			states[state], policies[policy] = true, true
		}
	}
	groups, realTime := cgroupsOf(rt.hosts.pids[0]), ""
	for policy, name := range map[int]string{
		unix.SCHED_FIFO: "SCHED_FIFO", unix.SCHED_RR: "SCHED_RR", unix.SCHED_DEADLINE: "SCHED_DEADLINE",
	} {
		if policies[policy] {
			realTime = name
		}
	}
	switch frozen, quota := groups.frozen(), groups.quota(rt.throttled); {
	case states['T'] || states['t']:
		return "a signal or a debugger has stopped one: continue it, and run again"
	case frozen != "":
		return fmt.Sprintf("control group %s is frozen: thaw it, and run again", frozen)
	case realTime != "":
		return fmt.Sprintf("they run under %s, the policy that slicetrace was started with, and such tasks "+
			"need not share a core: start it under SCHED_OTHER (chrt -o 0)", realTime)
	case quota != "":
		return quota
	case policies[unix.SCHED_IDLE]:
		return "they run under SCHED_IDLE, the policy that slicetrace was started with, and other tasks " +
			"leave them no core: start it under SCHED_OTHER (chrt -o 0)"
	case states['D']:
		return "one waits in the kernel (state D), for memory or a disk: find out for what, and run again"
	case states['R']:
		return "one is ready to run and gets no core: " +
			"end what else runs, real-time tasks above all, or ask for fewer workers"
	}
	return remedy
}

// parseStat returns a task's state and scheduling policy. The name before them, in
// parentheses, may hold anything.
func parseStat(stat string) (state byte, policy int) {
	const policyField = 38 // after the name; the state is field 0
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= policyField {
		return 0, 0
	}
	policy, _ = strconv.Atoi(fields[policyField])
	return fields[0][0], policy
}

// hostOf returns the pid of a worker's host.
func (h *hostGroup) hostOf(worker int) int {
	if h.trial.Mode == Threads {
		return h.pids[0]
	}
	return h.pids[worker]
}

// workerError names a worker that failed, and adds a hint where there is one.
func (rt *runningTrial) workerError(worker int, errno syscall.Errno) error {
	return fmt.Errorf("worker %d: %w%s", worker, errno, taskHint(errno))
}

// taskHint returns what to do if err is that the kernel creates no more tasks.
func taskHint(err error) string {
	if !errors.Is(err, syscall.EAGAIN) {
		return ""
	}
	if limit := cgroupsOf(os.Getpid()).tasks(); limit != "" {
		return limit
	}
	return " (the limit on processes is reached: ask for fewer workers or raise ulimit -u)"
}

// oomKills returns how many processes the kernel has killed for lack of memory.
func oomKills() uint64 {
	text, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "\noom_kill ")
	line, _, _ := strings.Cut(after, "\n")
	n, _ := strconv.ParseUint(line, 10, 64)
	return n
}
