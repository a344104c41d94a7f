package collector

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/slicetrace/slicetrace/bpf"
)

// maxEndedRows bounds the memory for tasks that ended within one interval:
// those beyond it share one row.
const maxEndedRows = 4096

// endedTasks are the records of tasks that ended since they were last taken.
type endedTasks struct {
	rows   []bpf.Obituary
	rest   bpf.Obituary // the sum of those beyond maxEndedRows
	merged int          // how many those are
}

func (e *endedTasks) add(o *bpf.Obituary) {
	if len(e.rows) < maxEndedRows {
		e.rows = append(e.rows, *o)
		return
	}
	merge(&e.rest, o)
	e.merged++
}

// ended reads the records of tasks that end. It sleeps until the ring is a
// quarter full, it is flushed, or foldEvery has passed.
type ended struct {
	reader *ringbuf.Reader
	keepUp func() error
	done   chan struct{}

	mu      sync.Mutex // guards the rest
	flushed *sync.Cond
	flushes int // answered so far
	tasks   endedTasks
	err     error
}

func newEnded(ring *ebpf.Map, keepUp func() error) (*ended, error) {
	reader, err := ringbuf.NewReader(ring)
	if err != nil {
		return nil, fmt.Errorf("read ended tasks: %w", err)
	}
	e := &ended{reader: reader, keepUp: keepUp, done: make(chan struct{})}
	e.flushed = sync.NewCond(&e.mu)
	go e.run()
	return e, nil
}

func (e *ended) run() {
	defer close(e.done)
	var record ringbuf.Record
	due := time.Now().Add(foldEvery)
	for {
		// Tasks that keep ending must not put it off.
		e.reader.SetDeadline(due)
		err := e.reader.ReadInto(&record)
		switch {
		case err == nil:
			err = e.add(record.RawSample)
		case errors.Is(err, ringbuf.ErrFlushed):
			err = nil
			e.mu.Lock()
			e.flushes++
			e.flushed.Broadcast()
			e.mu.Unlock()
		case errors.Is(err, os.ErrDeadlineExceeded):
			due = time.Now().Add(foldEvery)
			err = e.keepUp()
		}
		if err != nil {
			e.mu.Lock()
			e.err = err
			e.flushed.Broadcast()
			e.mu.Unlock()
			return
		}
	}
}

func (e *ended) add(sample []byte) error {
	var o bpf.Obituary
	if len(sample) != int(unsafe.Sizeof(o)) {
		return fmt.Errorf("read ended task: record of %d bytes", len(sample))
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&o)), unsafe.Sizeof(o)), sample)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks.add(&o)
	return nil
}

// take returns the tasks that ended up to now and forgets them.
func (e *ended) take() (endedTasks, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.flushes
	if err := e.reader.Flush(); err != nil {
		return endedTasks{}, fmt.Errorf("read ended tasks: %w", err)
	}
	for e.flushes == before && e.err == nil {
		e.flushed.Wait()
	}
	tasks := e.tasks
	e.tasks = endedTasks{}
	return tasks, e.err
}

func (e *ended) close() error {
	err := e.reader.Close()
	<-e.done
	return err
}
