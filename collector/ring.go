package collector

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// ring reads what the kernel side sends: the records of tasks that end, and what is recorded.
type ring struct {
	pump
	objs *bpf.Objects
	now  func() uint64

	// mu of pump guards these.
	tasks  exitedTasks
	writer *eventWriter // nil unless recording
	pairs  *livePairs   // nil if they are not counted
}

func newRing(objs *bpf.Objects, writer *eventWriter, now func() uint64, readBeforeWrap func() error) (*ring, error) {
	r := &ring{objs: objs, now: now, writer: writer}
	var err error
	if objs.Stacks != nil {
		if r.pairs, err = newLivePairs(objs.Stacks); err != nil {
			return nil, err
		}
	}
	err = r.start(objs.Ring, pumpUse{take: r.takeRecord, rest: r.drainKept, due: readBeforeWrap})
	if err != nil {
		return nil, errors.Join(err, r.pairs.close())
	}
	return r, nil
}

// drainKept reads the records that were kept since they found no room in the ring.
func (r *ring) drainKept() error {
	for {
		err := r.objs.Kept(func(o *bpf.TaskExit) {
			r.tasks.add(o)
			r.pairs.readEnded(o)
		})
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// takeRecord uses one record, whose first word is its type.
func (r *ring) takeRecord(sample []byte) error {
	var kind uint32
	if len(sample) >= 4 {
		kind = *(*uint32)(unsafe.Pointer(&sample[0]))
	}
	switch {
	case kind == bpf.RecordTaskExit && len(sample) == int(unsafe.Sizeof(bpf.TaskExit{})):
		r.tasks.add((*bpf.TaskExit)(unsafe.Pointer(&sample[0])))
	case kind == bpf.RecordTaskExit && len(sample) == int(unsafe.Sizeof(bpf.PairedExit{})) && r.pairs != nil:
		o := (*bpf.PairedExit)(unsafe.Pointer(&sample[0]))
		r.tasks.add(&o.Exit)
		r.pairs.addEnded(&o.Exit, &o.Partners)
	case kind == bpf.RecordEvents && len(sample) == int(unsafe.Sizeof(bpf.Events{})) && r.writer != nil:
		r.writer.events((*bpf.Events)(unsafe.Pointer(&sample[0])))
	case kind == bpf.RecordTaskName && len(sample) == int(unsafe.Sizeof(bpf.TaskName{})) && r.writer != nil:
		r.writer.name((*bpf.TaskName)(unsafe.Pointer(&sample[0])))
	default:
		return fmt.Errorf("record of type %d and %d bytes", kind, len(sample))
	}
	return nil
}

// exited returns the tasks that ended up to now and forgets them.
func (r *ring) exited() (exitedTasks, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.drain(); err != nil {
		return exitedTasks{}, err
	}
	tasks := r.tasks
	r.tasks = exitedTasks{pinBefore: r.now()}
	return tasks, r.err
}

// readPairs reads the pairs of the tasks that have these records, by slot.
func (r *ring) readPairs(records []bpf.WatchedTask) {
	if r.pairs == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for slot := range records {
		r.pairs.readWatched(uint32(slot), &records[slot])
	}
}

// nextPairs returns the pairs since it was called before. alive are the tasks that had not ended by then.
func (r *ring) nextPairs(alive map[taskID]bpf.WatchedTask) []report.Pair {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pairs.forget(func(id taskID) bool { _, is := alive[id]; return !is })
	return r.pairs.nextNamed()
}

// openSnapshot notes that a snapshot is being taken, until exited is called.
func (r *ring) openSnapshot() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks.open = true
}

// pin keeps the tasks that were born up to now out of the sum: they have rows of their own.
func (r *ring) pin(now uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks.pinBefore = now
}

// withWriter calls use with the event writer, or nil where nothing is recorded, after all that
// was sent has been given to it.
func (r *ring) withWriter(use func(*eventWriter)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.drain(); err != nil {
		return err
	}
	use(r.writer)
	return r.err
}

func (r *ring) close() error {
	err := errors.Join(r.stop(), r.pairs.close())
	if r.writer != nil {
		r.writer.out.abandon()
	}
	return err
}
