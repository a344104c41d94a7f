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

// hindrance says what keeps workers from working and what to do about it: those of
// lacking, all if it is nil. Where nothing is to be seen that is the remedy.
func (s *stage) hindrance(lacking []int, remedy string) string {
	if lacking == nil {
		for i := range s.board.slots {
			lacking = append(lacking, i)
		}
	}
	states, policies := make(map[byte]bool), make(map[int]bool)
	for _, i := range lacking {
		pid, tid := int(s.board.slots[i].pid), int(s.board.slots[i].tid)
		if tid == 0 { // it has not come so far
			pid = s.fleet.hostOf(i)
			tid = pid
		}
		if stat, err := readProc(fmt.Sprintf("/proc/%d/task/%d/stat", pid, tid)); err == nil {
			state, policy := parseStat(stat)
			states[state], policies[policy] = true, true
		}
	}
	groups, realTime := groupsOf(s.fleet.pids[0]), ""
	for policy, name := range map[int]string{
		unix.SCHED_FIFO: "SCHED_FIFO", unix.SCHED_RR: "SCHED_RR", unix.SCHED_DEADLINE: "SCHED_DEADLINE",
	} {
		if policies[policy] {
			realTime = name
		}
	}
	switch frozen, quota := groups.frozen(), groups.quota(s.throttled); {
	case states['T'] || states['t']:
		return "a signal or a debugger stops one: continue it, and run again"
	case frozen != "":
		return fmt.Sprintf("control group %s is frozen: thaw it, and run again", frozen)
	case realTime != "":
		return fmt.Sprintf("they run under %s, as slicetrace was started, and such tasks need not share a core: start it under SCHED_OTHER (chrt -o 0)",
			realTime)
	case quota != "":
		return quota
	case policies[unix.SCHED_IDLE]:
		return "they run under SCHED_IDLE, as slicetrace was started, and others leave them no core: start it under SCHED_OTHER (chrt -o 0)"
	case states['D']:
		return "one waits in the kernel (state D), for memory or a disk: see what holds it, and run again"
	case states['R']:
		return "one is ready to run and gets no core: end what else runs, real-time tasks above all, or ask for fewer workers"
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

// hostOf returns the process that is to hold a worker.
func (f *fleet) hostOf(worker int) int {
	if f.trial.Mode == Threads {
		return f.pids[0]
	}
	return f.pids[worker]
}

// workerError says why a worker's work failed.
func (s *stage) workerError(worker int, errno syscall.Errno) error {
	return fmt.Errorf("worker %d: %w%s", worker, errno, taskHint(errno))
}

// taskHint says what to do if the kernel creates no more tasks.
func taskHint(err error) string {
	if !errors.Is(err, syscall.EAGAIN) {
		return ""
	}
	if limit := groupsOf(os.Getpid()).tasks(); limit != "" {
		return limit
	}
	return " (the limit on processes is reached: ask for fewer workers or raise ulimit -u)"
}

// oomKills counts the processes that the kernel has ended for want of memory.
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
