package flight

import (
	"bytes"
	"io"
	"maps"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// MostBytes is how much memory a window takes at most, if Options.MostBytes is 0.
const MostBytes = 256 << 20

// CutEvery is how often Cut should be called. A case is found as much later at most.
const CutEvery = 100 * time.Millisecond

// BySignal is the condition of a trigger that Save was.
const BySignal = "SIGUSR1"

// Options configure a Recorder.
type Options struct {
	// Keep is how much of the time before a case is saved.
	Keep time.Duration
	// When are the conditions. Any of them makes a case.
	When []Condition
	// Of says of which tasks.
	Of Choice
	// Times is how many windows are saved at most.
	Times int
	// MostBytes bounds the memory of the window.
	MostBytes int64
	// Create opens the file of window n, counted from 1.
	Create func(n int) (File, error)
}

// After returns how much of the time after a case is saved.
func (o *Options) After() time.Duration {
	return min(max(o.Keep/10, 100*time.Millisecond), time.Second)
}

// File is a file that gets its name when it is complete.
type File interface {
	io.Writer
	Commit() error
	Abort()
}

// Recorder takes the frames of a recording, in place of a recording.Writer. Its methods must not be
// called at the same time, except Result after Close.
type Recorder struct {
	options Options
	header  recording.Header
	encoded bytes.Buffer
	encoder *recording.Writer
	watch   *watch
	window  window
	current *epoch
	marks   []recording.Mark
	// told is what the cuts have told so far.
	told Cut
	// dropped is how many switches of the epochs since the last cut have fallen out already.
	dropped  uint64
	pending  []*pending // cases whose windows are still to be saved, by time
	accepted int
	saving   *job
	result   Result
	over     chan struct{} // closed when nothing more will be saved
}

// pending is a case whose window is to be saved.
type pending struct {
	recording.Trigger
	untilNS int64
	more    uint64 // further cases up to then
}

// Cut divides the recording: every event up to AllNS has come, except those of cores that did nothing
// up to there, and on some cores none after SafeNS has.
type Cut struct {
	SafeNS, AllNS int64
	// Counted is how many switches the counters have counted since the recording began, and
	// LostTasks how many names were lost.
	Counted, LostTasks uint64
}

// Result is what a recorder did.
type Result struct {
	// BeganNS is when the recording began, by CLOCK_MONOTONIC.
	BeganNS int64
	// Saved are the windows that have been saved.
	Saved []Saved
	// Err is why a window could not be saved. Nothing is saved after it.
	Err error
}

// Saved is a window that has been saved.
type Saved struct {
	recording.Window
	recording.End
	Bytes int64
}

// New returns a recorder. Begin must follow.
func New(o Options) *Recorder {
	if o.MostBytes == 0 {
		o.MostBytes = MostBytes
	}
	r := &Recorder{options: o, current: &epoch{}, over: make(chan struct{})}
	r.window = window{before: names{}, most: o.MostBytes}
	r.watch = newWatch(o.When, o.Of, r.found)
	return r
}

// Begin starts the recording.
func (r *Recorder) Begin(header recording.Header) error {
	r.header, r.result.BeganNS = header, header.MonotonicNS
	r.current.fromNS, r.current.endNS = header.MonotonicNS, header.MonotonicNS
	r.told.AllNS, r.told.SafeNS = header.MonotonicNS, header.MonotonicNS
	var err error
	r.encoder, err = recording.NewWriter(&r.encoded, recording.Header{})
	return err
}

// Watch begins to look for cases of a task, and with follow of its children. The task should be
// blocked.
func (r *Recorder) Watch(tid sched.TID, tgid sched.PID, follow bool, sinceNS int64) {
	t := &task{tid: tid, bornNS: sinceNS, tgid: tgid, comm: r.window.before[tid].Comm, follow: follow}
	for _, e := range append(r.window.epochs[:len(r.window.epochs):len(r.window.epochs)], r.current) {
		for i := range e.names {
			if e.names[i].TID == tid {
				t.comm = e.names[i].Comm
			}
		}
	}
	r.watch.watch(t)
}

// Block takes what one core did.
func (r *Recorder) Block(b recording.Block) error {
	if r.Over() {
		return nil
	}
	r.encoded.Reset()
	if err := r.encoder.Block(b); err != nil {
		return err
	}
	r.window.bytes += r.current.addBlock(&b, bytes.Clone(r.encoded.Bytes()))
	if n := len(b.Events); n > 0 {
		r.current.endNS = max(r.current.endNS, b.Events[n-1].TimeNS)
	}
	r.watch.take(&b)
	r.makeRoom()
	return nil
}

// Tasks takes names.
func (r *Recorder) Tasks(tasks []recording.Task) error {
	if r.Over() {
		return nil
	}
	r.window.bytes += r.current.addNames(tasks)
	r.watch.learn(tasks)
	r.makeRoom()
	return nil
}

// Mark takes when a trial ran.
func (r *Recorder) Mark(m recording.Mark) error {
	r.marks = append(r.marks, m)
	for len(r.marks) > 1 && len(r.window.epochs) > 0 && r.marks[0].EndNS < r.window.epochs[0].fromNS {
		r.marks = r.marks[1:]
	}
	return nil
}

// makeRoom keeps the window below its bound, even if there was no cut for long.
func (r *Recorder) makeRoom() {
	if r.window.makeRoom(r.leaving); r.window.bytes <= r.window.most || r.current.bytes == 0 {
		return
	}
	r.dropped += r.current.Switches
	r.endEpoch(r.current.endNS)
	r.window.makeRoom(r.leaving)
}

// leaving is called before an epoch falls out since there is no room. If the next case to be saved is in
// it, that is saved at once, with less of what came after it.
func (r *Recorder) leaving(e *epoch) {
	if len(r.pending) == 0 || e.endNS <= r.pending[0].AtNS-r.pending[0].LengthNS {
		return
	}
	r.pending[0].untilNS = r.pending[0].AtNS
	r.collect(false)
	r.next(r.told.SafeNS)
}

// endEpoch begins the next epoch at a time.
func (r *Recorder) endEpoch(ns int64) {
	r.current.endNS = ns
	r.window.epochs = append(r.window.epochs, r.current)
	r.current = &epoch{fromNS: ns, endNS: ns}
}

// Cut ends an epoch, finds the cases in it, and begins to save the windows that are complete.
func (r *Recorder) Cut(c Cut) {
	if r.Over() {
		return
	}
	r.current.Counted = c.Counted - r.told.Counted - r.dropped
	r.current.LostTasks = c.LostTasks - r.told.LostTasks
	r.told, r.dropped = c, 0
	r.endEpoch(c.AllNS)
	r.watch.settle(c.SafeNS)
	r.collect(false)
	r.next(c.SafeNS)
	oldest := c.SafeNS
	if len(r.pending) > 0 {
		oldest = min(oldest, r.pending[0].AtNS)
	}
	r.window.dropBefore(oldest - r.options.Keep.Nanoseconds())
}

// Save saves what there is, as if a case had been found at that time.
func (r *Recorder) Save(atNS int64) {
	if !r.Over() && r.accepted < r.options.Times {
		r.accept(&pending{Trigger: recording.Trigger{Condition: BySignal, AtNS: atNS}, untilNS: atNS})
	}
}

// found is called with each case, in the order of time.
func (r *Recorder) found(t recording.Trigger) {
	for _, p := range r.pending {
		if p.Condition != BySignal && t.AtNS <= p.untilNS {
			p.more++
			return
		}
	}
	if r.accepted < r.options.Times {
		r.accept(&pending{Trigger: t, untilNS: t.AtNS + r.options.After().Nanoseconds()})
	}
}

func (r *Recorder) accept(p *pending) {
	r.accepted++
	r.pending = append(r.pending, p)
}

// next begins to save the first window if it is complete, unless one is being saved.
func (r *Recorder) next(safeNS int64) {
	if r.saving != nil || len(r.pending) == 0 || r.pending[0].untilNS > safeNS {
		return
	}
	r.saving = r.jobOf(r.pending[0])
	r.pending = r.pending[1:]
	go r.saving.run(r.options.Create)
}

// collect takes over what has become of the saving of a window. With wait, it waits for it.
func (r *Recorder) collect(wait bool) {
	if r.saving == nil {
		return
	}
	if !wait {
		select {
		case <-r.saving.done:
		default:
			return
		}
	}
	<-r.saving.done
	r.window.saved(r.saving.epochs)
	if err := r.saving.err; err != nil {
		r.result.Err = err
	} else {
		r.result.Saved = append(r.result.Saved, r.saving.saved)
	}
	r.saving = nil
	if r.result.Err != nil || r.accepted == r.options.Times && len(r.pending) == 0 {
		r.end()
		r.window.epochs, r.window.before, r.current, r.pending = nil, nil, &epoch{}, nil
	}
}

// Done is closed when nothing more will be saved.
func (r *Recorder) Done() <-chan struct{} { return r.over }

// Over reports whether nothing more will be saved. It may be called at any time.
func (r *Recorder) Over() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

func (r *Recorder) end() {
	if !r.Over() {
		close(r.over)
	}
}

// Close ends the recording, and saves what is still to be saved.
func (r *Recorder) Close(end recording.End) error {
	const all = 1<<63 - 1
	if !r.Over() {
		lastNS := max(r.current.endNS, r.told.AllNS)
		r.Cut(Cut{SafeNS: all, AllNS: lastNS, Counted: end.Counted, LostTasks: end.LostTasks})
	}
	for r.saving != nil {
		r.collect(true)
		r.next(all)
	}
	r.end()
	return r.encoder.Close(recording.End{})
}

// Result returns what has been done. It must be called after Close.
func (r *Recorder) Result() Result { return r.result }

// jobOf returns what is to be done to save a window.
func (r *Recorder) jobOf(p *pending) *job {
	fromNS := p.AtNS - r.options.Keep.Nanoseconds()
	j := &job{before: maps.Clone(r.window.before), done: make(chan struct{})}
	for _, e := range r.window.epochs {
		switch {
		case e.endNS <= fromNS:
			j.before.pass(e)
		case len(j.epochs) == 0 || e.fromNS < p.untilNS:
			e.saving = true
			j.epochs = append(j.epochs, e)
		}
	}
	w := recording.Window{
		Number: len(r.result.Saved) + 1, KeepNS: r.options.Keep.Nanoseconds(), Trigger: p.Trigger, More: p.more,
		Short: r.window.shortNS > fromNS,
	}
	if n := len(j.epochs); n > 0 {
		w.FromNS, w.UntilNS = j.epochs[0].fromNS, j.epochs[n-1].endNS
	}
	for _, m := range r.marks {
		if m.EndNS > w.FromNS && m.StartNS < w.UntilNS {
			j.marks = append(j.marks, m)
		}
	}
	j.header = r.header
	j.header.Window = &w
	j.header.MonotonicNS = w.FromNS
	j.header.Created = r.header.Created.Add(time.Duration(w.FromNS - r.header.MonotonicNS))
	return j
}
