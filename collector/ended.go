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
	"golang.org/x/sys/unix"

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

// ended reads the records of tasks that end: when they are asked for, when the
// ring is a quarter full, and every foldEvery. In between its goroutine waits in
// Go's network poller. A goroutine in a blocking system call would keep the
// runtime's monitor thread awake for 10 ms after each read, and that wakes every
// 80 µs on the cores that are measured.
type ended struct {
	ring   *os.File // the map's descriptor once more, for the poller
	keepUp func() error
	done   chan struct{}

	mu     sync.Mutex // guards the rest
	reader *ringbuf.Reader
	tasks  endedTasks
	err    error
}

func newEnded(ring *ebpf.Map, keepUp func() error) (*ended, error) {
	reader, err := ringbuf.NewReader(ring)
	if err != nil {
		return nil, fmt.Errorf("read ended tasks: %w", err)
	}
	file, err := pollable(ring.FD())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read ended tasks: %w", err), reader.Close())
	}
	e := &ended{ring: file, keepUp: keepUp, done: make(chan struct{}), reader: reader}
	// The reader is asked for what there is, and never to wait.
	reader.SetDeadline(time.Unix(1, 0))
	go e.run()
	return e, nil
}

// pollable returns a copy of a descriptor that Go's network poller waits on.
func pollable(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("copy descriptor: %w", err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		return nil, errors.Join(fmt.Errorf("make descriptor non-blocking: %w", err), unix.Close(own))
	}
	return os.NewFile(uintptr(own), "ring of ended tasks"), nil
}

func (e *ended) run() {
	defer close(e.done)
	for {
		err := e.wait()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = e.keepUp()
		}
		if err != nil {
			e.mu.Lock()
			e.err = err
			e.mu.Unlock()
			return
		}
	}
}

// wait reads whenever the kernel says that the ring fills, for foldEvery.
func (e *ended) wait() error {
	// Tasks that keep ending must not put the next folding off.
	if err := e.ring.SetReadDeadline(time.Now().Add(foldEvery)); err != nil {
		return err
	}
	conn, err := e.ring.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Read(func(uintptr) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		failed = e.drain()
		return failed != nil // else wait for more
	})
	return errors.Join(failed, err)
}

// drain reads all records that there are. The caller holds mu.
func (e *ended) drain() error {
	var record ringbuf.Record
	for {
		err := e.reader.ReadInto(&record)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err == nil {
			err = e.add(record.RawSample)
		}
		if err != nil {
			return err
		}
	}
}

func (e *ended) add(sample []byte) error {
	var o bpf.Obituary
	if len(sample) != int(unsafe.Sizeof(o)) {
		return fmt.Errorf("read ended task: record of %d bytes", len(sample))
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&o)), unsafe.Sizeof(o)), sample)
	e.tasks.add(&o)
	return nil
}

// take returns the tasks that ended up to now and forgets them.
func (e *ended) take() (endedTasks, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.drain(); err != nil {
		return endedTasks{}, fmt.Errorf("read ended tasks: %w", err)
	}
	tasks := e.tasks
	e.tasks = endedTasks{}
	return tasks, e.err
}

func (e *ended) close() error {
	err := e.ring.Close()
	<-e.done
	return errors.Join(err, e.reader.Close())
}
