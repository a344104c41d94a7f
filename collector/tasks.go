package collector

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// taskRow returns what a task did since an earlier state of its record.
func taskRow(now, then *bpf.WatchedTask) report.Worker {
	row := report.Worker{
		PID:         sched.PID(now.Tgid),
		TID:         sched.TID(now.Tid),
		OnCPUNS:     int64(now.OnCpu - then.OnCpu),
		WaitNS:      int64(now.Wait - then.Wait),
		WaitMaxNS:   int64(now.WaitMax),
		ThrottledNS: int64(now.Throttled - then.Throttled),
		Migrations:  uint64(now.Migrations - then.Migrations),
	}
	for i, cause := range report.Causes() {
		n := now.Slices[i] - then.Slices[i]
		if n == 0 {
			continue
		}
		*row.EndedBy.At(cause) = n
		row.Slices += n
		if cause == report.EndedByBlocked || cause == report.EndedByExited {
			row.Voluntary += n
		} else {
			row.Involuntary += n
		}
	}
	return row
}

// endedRow is taskRow for a task that ended. It has the kernel's own counters if both count
// from the same moment.
func endedRow(o *bpf.TaskExit, then *bpf.WatchedTask, base Task) report.Worker {
	row := taskRow(&o.Task, then)
	row.Exited = true
	row.Comm = validComm(unsafe.Slice((*byte)(unsafe.Pointer(&o.Final.Comm[0])), len(o.Final.Comm)))
	if then.Slices == (bpf.WatchedTask{}).Slices {
		row.Kernel = &report.KernelCounters{
			Voluntary:   o.Final.Nvcsw - base.Voluntary,
			Involuntary: o.Final.Nivcsw - base.Involuntary,
			RuntimeNS:   -1,
		}
	}
	return row
}

// merge adds one ended task to a sum of many.
func merge(total, o *bpf.TaskExit) {
	total.Final.Nvcsw += o.Final.Nvcsw
	total.Final.Nivcsw += o.Final.Nivcsw
	sum, w := &total.Task, &o.Task
	sum.OnCpu += w.OnCpu
	sum.Wait += w.Wait
	sum.Throttled += w.Throttled
	sum.WaitMax = max(sum.WaitMax, w.WaitMax)
	sum.Migrations += w.Migrations
	for i, n := range w.Slices {
		sum.Slices[i] += n
	}
}

// byBirth orders tasks by when watching them began.
func byBirth(a, b *bpf.WatchedTask) int {
	return cmp.Or(cmp.Compare(a.Born, b.Born), cmp.Compare(a.Tid, b.Tid))
}

// readComm returns a living task's name, "" if it has just ended.
func readComm(pid sched.PID, tid sched.TID) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/comm", pid, tid))
	if err != nil {
		return ""
	}
	return validComm(bytes.TrimSuffix(text, []byte("\n")))
}

// validComm ends a name at its NUL and makes it valid UTF-8. Renderers see to what terminals
// and spreadsheets would do with it.
func validComm(comm []byte) string {
	comm, _, _ = bytes.Cut(comm, []byte{0})
	return strings.ToValidUTF8(string(comm), "\uFFFD")
}
