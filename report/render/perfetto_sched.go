package render

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// The values of prev_state in sched_switch since Linux 4.14 (TASK_REPORT), as Perfetto reads them
// for such a kernel.
const (
	stateParked    = 0x40
	stateIdle      = 0x80
	statePreempted = 0x100
	// stateUnknown is not a state of the kernel; Perfetto shows it as unknown.
	stateUnknown = 0x200
)

// unknownPrio is written for every task, since recordings have no priorities and Perfetto would
// read none as 0, the highest. It is the priority of nice level 0, and is also written for the idle
// task.
const unknownPrio = 120

// schedEncoder converts blocks to bundles of ftrace events.
//
// Most events go into CompactSched, where they take a fifth of the bytes. It has no field for the
// previous task, which is the next task of the switch before. That is not known for a core's first
// switch and after lost events, and can differ from what the recording says. Such switches are
// written in full, and so are wakeups for which the compact form would name the wrong waker.
//
// A wakeup is written as sched_waking with the time of sched_wakeup. Perfetto makes a task runnable
// at sched_waking only and shows nothing for sched_wakeup, and the waits in a report begin at
// sched_wakeup. The waker is the task that was running where sched_wakeup fired. If the wakeup was
// sent to the woken task's core by an interrupt, that is the task which was interrupted.
type schedEncoder struct {
	tasks     *taskNames
	cores     map[sched.CPU]*schedCore
	bundles   uint64
	columns   [compactColumns][]byte
	names     []byte // the intern table, with its tags
	nameCount uint64
	states    [256]int64
	preempted [256]bool // by the number of EndedBy
	exited    uint8     // the number of EndedByExited

	switchNS, wakingNS int64 // times of the last compact events in this bundle
	full, event, part  []byte
}

// schedCore is what Perfetto knows of a core.
type schedCore struct {
	idle    comm
	running sched.TID
	known   bool
}

func newSchedEncoder(tasks *taskNames) *schedEncoder {
	s := &schedEncoder{tasks: tasks, cores: map[sched.CPU]*schedCore{}}
	for i := range s.states {
		s.states[i] = stateUnknown
	}
	for letter, state := range map[byte]int64{
		'R': 0, 'S': 1, 'D': 2, 'T': 4, 't': 8, 'X': 0x10, 'Z': 0x20, 'P': stateParked, 'I': stateIdle,
	} {
		s.states[letter] = state
	}
	s.exited = uint8(slices.Index(report.Causes(), report.EndedByExited))
	for _, cause := range []report.EndedBy{report.EndedByTick, report.EndedByWakeup} {
		s.preempted[slices.Index(report.Causes(), cause)] = true
	}
	return s
}

// bundle appends the FtraceEventBundle of a block to buf.
func (s *schedEncoder) bundle(buf []byte, b *recording.Block) []byte {
	core := s.cores[b.CPU]
	if core == nil {
		core = &schedCore{idle: comm{name: fmt.Sprintf("swapper/%d", b.CPU)}}
		s.cores[b.CPU] = core
	}
	buf = appendUint(buf, bundleCPU, uint64(b.CPU))
	if b.Lost > 0 {
		buf = appendUint(buf, bundleLostEvents, 1)
		core.known = false
	}
	s.events(core, b.Events)
	buf = append(buf, s.full...)
	s.part = s.compact(s.part[:0])
	return appendMessage(buf, bundleCompactSched, s.part)
}

// events fills full and columns.
func (s *schedEncoder) events(core *schedCore, events []recording.Event) {
	s.reset()
	if !core.known {
		core.running = firstPrev(events)
	}
	for i := range events {
		e := &events[i]
		if e.Kind == recording.Wakeup && len(s.tasks.lives.born) > 0 {
			s.birth(e)
		}
		switch {
		case e.Kind == recording.Wakeup && core.known:
			s.compactWaking(core, e)
		case e.Kind == recording.Wakeup:
			s.fullWaking(core, e)
		case core.known && e.Prev == core.running:
			s.compactSwitch(core, e)
		default:
			s.fullSwitch(core, e)
		}
		if e.Kind == recording.Switch {
			core.running, core.known = e.Next, true
			if e.EndedBy == s.exited {
				s.free(core, e)
			}
		}
	}
}

// birth writes the task_newtask event of a task that is woken for the first time.
func (s *schedEncoder) birth(e *recording.Event) {
	t, ok := s.tasks.lives.birth(e.Next, e.TimeNS)
	if !ok {
		return
	}
	s.event = appendInt(s.event[:0], newtaskPID, int64(t.TID))
	s.event = appendString(s.event, newtaskComm, Printable(t.Comm))
	flags := uint64(0)
	if t.TID != t.TGID.Leader() {
		flags = cloneThread
	}
	s.event = appendUint(s.event, newtaskCloneFlags, flags)
	s.fullEvent(t.TimeNS, t.Parent, ftraceTaskNewtask)
}

// free writes the sched_process_free events of the tids that become free after a task's last
// switch.
func (s *schedEncoder) free(core *schedCore, e *recording.Event) {
	for _, f := range s.tasks.lives.end(e.Prev, e.TimeNS) {
		s.event = appendString(s.event[:0], processFreeComm, s.name(core, f.tid, e.TimeNS).name)
		s.event = appendInt(s.event, processFreePID, int64(f.tid))
		s.event = appendInt(s.event, processFreePrio, unknownPrio)
		s.fullEvent(f.sinceNS, e.Next, ftraceSchedProcessFree)
	}
}

// firstPrev returns the task that was running when the events began, -1 if they do not tell.
func firstPrev(events []recording.Event) sched.TID {
	for i := range events {
		if events[i].Kind == recording.Switch {
			return events[i].Prev
		}
	}
	return -1
}

func (s *schedEncoder) reset() {
	s.bundles++
	s.nameCount = 0
	s.names, s.full = s.names[:0], s.full[:0]
	s.switchNS, s.wakingNS = 0, 0
	for i := range s.columns {
		s.columns[i] = s.columns[i][:0]
	}
}

// compact appends the CompactSched message.
func (s *schedEncoder) compact(buf []byte) []byte {
	buf = append(buf, s.names...)
	for field, column := range s.columns {
		if len(column) > 0 {
			buf = appendMessage(buf, protowire.Number(field), column)
		}
	}
	return buf
}

func (s *schedEncoder) compactSwitch(core *schedCore, e *recording.Event) {
	s.add(compactSwitchTimestamp, e.TimeNS-s.switchNS)
	s.switchNS = e.TimeNS
	s.add(compactSwitchPrevState, s.state(e))
	s.add(compactSwitchNextPID, int64(e.Next))
	s.add(compactSwitchNextPrio, unknownPrio)
	s.add(compactSwitchNextCommIndex, s.index(s.name(core, e.Next, e.TimeNS)))
}

func (s *schedEncoder) compactWaking(core *schedCore, e *recording.Event) {
	s.add(compactWakingTimestamp, e.TimeNS-s.wakingNS)
	s.wakingNS = e.TimeNS
	s.add(compactWakingPID, int64(e.Next))
	s.add(compactWakingTargetCPU, int64(e.CPU))
	s.add(compactWakingPrio, unknownPrio)
	s.add(compactWakingCommIndex, s.index(s.name(core, e.Next, e.TimeNS)))
}

func (s *schedEncoder) add(column int, v int64) {
	s.columns[column] = protowire.AppendVarint(s.columns[column], uint64(v))
}

func (s *schedEncoder) fullSwitch(core *schedCore, e *recording.Event) {
	s.event = appendString(s.event[:0], switchPrevComm, s.name(core, e.Prev, e.TimeNS).name)
	s.event = appendInt(s.event, switchPrevPID, int64(e.Prev))
	s.event = appendInt(s.event, switchPrevPrio, unknownPrio)
	s.event = appendInt(s.event, switchPrevState, s.state(e))
	s.event = appendString(s.event, switchNextComm, s.name(core, e.Next, e.TimeNS).name)
	s.event = appendInt(s.event, switchNextPID, int64(e.Next))
	s.event = appendInt(s.event, switchNextPrio, unknownPrio)
	s.fullEvent(e.TimeNS, e.Prev, ftraceSchedSwitch)
}

func (s *schedEncoder) fullWaking(core *schedCore, e *recording.Event) {
	s.event = appendString(s.event[:0], wakingComm, s.name(core, e.Next, e.TimeNS).name)
	s.event = appendInt(s.event, wakingPID, int64(e.Next))
	s.event = appendInt(s.event, wakingPrio, unknownPrio)
	s.event = appendInt(s.event, wakingSuccess, 1)
	s.event = appendInt(s.event, wakingTargetCPU, int64(e.CPU))
	s.fullEvent(e.TimeNS, core.running, ftraceSchedWaking)
}

// fullEvent appends the event. Its pid is the running task, if that is known.
func (s *schedEncoder) fullEvent(ns int64, running sched.TID, kind protowire.Number) {
	s.part = appendInt(s.part[:0], ftraceTimestamp, ns)
	if running >= 0 {
		s.part = appendUint(s.part, ftracePID, uint64(running))
	}
	s.part = appendMessage(s.part, kind, s.event)
	s.full = appendMessage(s.full, bundleEvent, s.part)
}

// state returns prev_state. A task that lost the core by a tick or a wakeup is shown as preempted;
// the kernel itself sets this only for preemption inside the kernel.
func (s *schedEncoder) state(e *recording.Event) int64 {
	if e.State == 'R' && e.Prev != 0 && s.preempted[e.EndedBy] {
		return statePreempted
	}
	return s.states[e.State]
}

func (s *schedEncoder) name(core *schedCore, tid sched.TID, ns int64) *comm {
	if tid == 0 {
		return &core.idle
	}
	return s.tasks.of(tid).at(ns)
}

// index returns the index of a name in the bundle's table of names.
func (s *schedEncoder) index(c *comm) int64 {
	if c.bundle != s.bundles {
		c.bundle, c.index = s.bundles, s.nameCount
		s.nameCount++
		s.names = appendString(s.names, compactInternTable, c.name)
	}
	return int64(c.index)
}
