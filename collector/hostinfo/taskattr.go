package hostinfo

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report/sched"
)

// taskSettings asks how tasks are scheduled: the kernel, or a test's stand-ins.
type taskSettings struct {
	own            sched.TID
	attributes     func(tid sched.TID) (*unix.SchedAttr, error)
	affinity       func(tid sched.TID) (unix.CPUSet, error)
	coreScheduling func() string
}

// ownTask asks the kernel, and takes this process's first thread for own.
func ownTask() taskSettings {
	return taskSettings{
		own:        sched.TID(os.Getpid()),
		attributes: func(tid sched.TID) (*unix.SchedAttr, error) { return unix.SchedGetAttr(int(tid), 0) },
		affinity: func(tid sched.TID) (set unix.CPUSet, err error) {
			err = unix.SchedGetaffinity(int(tid), &set)
			return set, err
		},
		coreScheduling: ownCoreScheduling,
	}
}

// ownCoreScheduling tells whether this process shares a physical core only with tasks of its
// group; "" if the kernel has no core scheduling, or no SMT.
func ownCoreScheduling() string {
	const ofThread = 0 // PIDTYPE_PID
	var cookie uint64
	err := unix.Prctl(unix.PR_SCHED_CORE, unix.PR_SCHED_CORE_GET,
		uintptr(os.Getpid()), ofThread, uintptr(unsafe.Pointer(&cookie)))
	switch {
	case err != nil:
		return ""
	case cookie != 0:
		return "on"
	}
	return "off"
}

// attributes tell how one task is scheduled. The pointer is nil if that cannot be read.
type attributes struct{ *unix.SchedAttr }

func (r *settingsReader) own() attributes { return r.tasks.of(r.tasks.own) }

func (t taskSettings) of(tid sched.TID) attributes {
	attr, err := t.attributes(tid)
	if err != nil {
		return attributes{}
	}
	return attributes{attr}
}

// policy names the policy as chrt does, with the priority where it has one.
func (a attributes) policy() string {
	if a.SchedAttr == nil {
		return ""
	}
	text := "policy " + strconv.FormatUint(uint64(a.Policy), 10)
	switch a.Policy {
	case unix.SCHED_NORMAL:
		text = "SCHED_OTHER"
	case unix.SCHED_BATCH:
		text = "SCHED_BATCH"
	case unix.SCHED_IDLE:
		text = "SCHED_IDLE"
	case unix.SCHED_FIFO:
		text = fmt.Sprintf("SCHED_FIFO %d", a.Priority)
	case unix.SCHED_RR:
		text = fmt.Sprintf("SCHED_RR %d", a.Priority)
	case unix.SCHED_DEADLINE:
		text = fmt.Sprintf("SCHED_DEADLINE %d of %d ns", a.Runtime, a.Period)
	case schedExt:
		text = "SCHED_EXT"
	}
	if a.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0 {
		text += ", reset on fork"
	}
	return text
}

// schedExt is SCHED_EXT (6.12).
const schedExt = 7

func (a attributes) nice() string {
	if a.SchedAttr == nil {
		return ""
	}
	return strconv.Itoa(int(a.Nice))
}

// slice returns the slice that a task under EEVDF asks for, in ns, which the kernel tells
// since 857b158dc5e8 (6.12); "" for a task of another policy.
func (a attributes) slice() string {
	if a.SchedAttr == nil || a.Policy != unix.SCHED_NORMAL && a.Policy != unix.SCHED_BATCH || a.Runtime == 0 {
		return ""
	}
	return strconv.FormatUint(a.Runtime, 10)
}

// clamp returns the bounds of the task's utilization, by which a core and its frequency are
// chosen; "" if the kernel does not clamp utilization.
func (a attributes) clamp() string {
	if a.SchedAttr == nil || a.Util_max == 0 {
		return ""
	}
	return fmt.Sprintf("%d-%d", a.Util_min, a.Util_max)
}
