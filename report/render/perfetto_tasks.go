package render

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// unnamed is the name that ftrace shows for a task whose name is unknown.
const unnamed = "<...>"

// comm is a name made safe, and its index in the table of names of one bundle.
type comm struct {
	name    string
	sinceNS int64
	bundle  uint64
	index   uint64
}

// taskComm is a task's name and its previous one. The blocks of different cores alternate, so an
// event can be older than a rename that has already been read.
type taskComm struct{ now, before comm }

// taskNames has the name of every task, and tracks which of them exist. It is not recording.Names,
// since a task's entry also keeps the index of its name, which saves a look-up for each event.
type taskNames struct {
	tasks map[sched.TID]*taskComm
	lives lives
}

func (n *taskNames) of(tid sched.TID) *taskComm {
	if t := n.tasks[tid]; t != nil {
		return t
	}
	if n.tasks == nil {
		n.tasks = map[sched.TID]*taskComm{}
	}
	t := &taskComm{now: comm{name: unnamed}}
	n.tasks[tid] = t
	return t
}

// learn records a task's name, which is valid from the task's time on.
func (n *taskNames) learn(t recording.Task, name string) {
	known := n.of(t.TID)
	if known.now.name != unnamed {
		known.before = known.now
	}
	known.now = comm{name: name, sinceNS: t.TimeNS}
}

// at returns the name that the task had at a time.
func (t *taskComm) at(ns int64) *comm {
	if ns < t.now.sinceNS && t.before.name != "" {
		return &t.before
	}
	return &t.now
}

// processTrees writes tasks and their processes. Tasks with the same time share a packet.
func (p *perfetto) processTrees(tasks []recording.Task) {
	for len(tasks) > 0 {
		n := 1
		for n < len(tasks) && tasks[n].TimeNS == tasks[0].TimeNS && tasks[n].Parent == tasks[0].Parent {
			n++
		}
		p.body = p.body[:0]
		for _, t := range tasks[:n] {
			p.task(t)
		}
		// Nothing is known about the time before the recording began.
		at := max(tasks[0].TimeNS, p.header.MonotonicNS)
		if tasks[0].Parent != 0 {
			at++ // after its task_newtask, or Perfetto would take it for an earlier task
		}
		packet := p.at(at)
		if len(p.body) > 0 {
			p.write(appendMessage(packet, packetProcessTree, p.body))
		}
		tasks = tasks[n:]
	}
}

// task appends one task to the process tree in body.
func (p *perfetto) task(t recording.Task) {
	name := Printable(t.Comm)
	p.tasks.learn(t, name)
	p.tasks.lives.learn(t)
	if t.TID == 0 || t.TGID == 0 {
		return // the idle task, which Perfetto knows, or a task that would be taken for its thread
	}
	if t.TID == t.TGID.Leader() {
		p.part = appendInt(p.part[:0], processPID, int64(t.TGID))
		if group := p.tasks.lives.groups[t.TGID]; group != nil && group.parent != 0 {
			p.part = appendInt(p.part, processPPID, int64(group.parent))
		}
		p.part = appendString(p.part, processCmdline, name)
		p.body = appendMessage(p.body, treeProcesses, p.part)
	}
	p.part = appendInt(p.part[:0], threadTID, int64(t.TID))
	p.part = appendString(p.part, threadName, name)
	p.part = appendInt(p.part, threadTGID, int64(t.TGID))
	p.body = appendMessage(p.body, treeThreads, p.part)
}

// trial writes a trial as a slice on the track of trials.
func (p *perfetto) trial(m recording.Mark) {
	name := fmt.Sprintf("%s %s round %d", report.WorkloadTitle(m.Workload, m.Variant), m.Mode, m.Round)
	if m.Mode == string(report.SystemMode) {
		name = fmt.Sprintf("interval %d", m.Round)
	}
	p.body = appendUint(p.body[:0], trackEventType, typeSliceBegin)
	p.body = appendUint(p.body, trackEventTrackUUID, trialsTrack)
	p.body = appendString(p.body, trackEventCategories, "trial")
	p.body = appendString(p.body, trackEventName, Printable(name))
	p.annotate("workload", m.Workload)
	if m.Variant != "" {
		p.annotate("variant", m.Variant)
	}
	p.annotate("mode", m.Mode)
	p.part = appendString(p.part[:0], annotationName, "round")
	p.part = appendInt(p.part, annotationUint, int64(m.Round))
	p.body = appendMessage(p.body, trackEventDebugAnnotations, p.part)
	p.annotate("workers", strings.Trim(fmt.Sprint(m.Workers), "[]"))
	p.write(appendMessage(p.at(m.StartNS), packetTrackEvent, p.body))

	p.body = appendUint(p.body[:0], trackEventType, typeSliceEnd)
	p.body = appendUint(p.body, trackEventTrackUUID, trialsTrack)
	p.write(appendMessage(p.at(m.EndNS), packetTrackEvent, p.body))
}

// annotate adds an argument to the track event in p.body.
func (p *perfetto) annotate(name, value string) {
	p.part = appendString(p.part[:0], annotationName, name)
	p.part = appendString(p.part, annotationString, Printable(value))
	p.body = appendMessage(p.body, trackEventDebugAnnotations, p.part)
}
