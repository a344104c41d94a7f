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

// ring reads what the kernel side sends: the records of tasks that end, and what is
// recorded. It does so when it is asked to, when the ring is a quarter full, and at least
// every readEvery. In between its goroutine waits in Go's network poller. In a blocking
// system call it would keep the runtime's monitor thread awake for 10 ms after each read, and
// that thread wakes every 80 µs on the cores that are measured.
type ring struct {
	objs           *bpf.Objects
	file           *os.File // the map's descriptor once more, for the poller
	now            func() uint64
	readBeforeWrap func() error
	done           chan struct{}

	mu     sync.Mutex // guards the rest
	reader *ringbuf.Reader
	tasks  exitedTasks
	writer *eventWriter // nil unless recording
	err    error
}

func newRing(objs *bpf.Objects, writer *eventWriter, now func() uint64, readBeforeWrap func() error) (*ring, error) {
	reader, err := ringbuf.NewReader(objs.Ring)
	if err != nil {
		return nil, fmt.Errorf("read ring buffer: %w", err)
	}
	file, err := pollable(objs.Ring.FD())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read ring buffer: %w", err), reader.Close())
	}
	r := &ring{
		objs: objs, file: file, now: now, readBeforeWrap: readBeforeWrap, done: make(chan struct{}),
		reader: reader, writer: writer,
	}
	// With a deadline in the past, the reader returns what there is and never waits.
	reader.SetDeadline(time.Unix(1, 0))
	go r.run()
	return r, nil
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
	return os.NewFile(uintptr(own), "ring buffer"), nil
}

func (r *ring) run() {
	defer close(r.done)
	for {
		err := r.wait()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = r.readBeforeWrap()
		}
		if err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			return
		}
	}
}

// wait reads whenever the kernel says that the ring fills, until readEvery is over.
func (r *ring) wait() error {
	// Records that keep coming must not delay the next readBeforeWrap.
	if err := r.file.SetReadDeadline(time.Now().Add(readEvery)); err != nil {
		return err
	}
	conn, err := r.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Read(func(uintptr) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		failed = r.drain()
		return failed != nil // false: wait for more
	})
	return errors.Join(failed, err)
}

// drain reads all records that there are, also those that were kept since they found no room
// in the ring. The caller holds mu.
func (r *ring) drain() error {
	var record ringbuf.Record
	for {
		err := r.reader.ReadInto(&record)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return r.drainKept()
		}
		if err == nil {
			err = r.take(record.RawSample)
		}
		if err != nil {
			return fmt.Errorf("read ring buffer: %w", err)
		}
	}
}

func (r *ring) drainKept() error {
	for {
		o, err := r.objs.Kept()
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		r.tasks.add(o)
	}
}

// take uses one record, whose first word is its type.
func (r *ring) take(sample []byte) error {
	var kind uint32
	if len(sample) >= 4 {
		kind = *(*uint32)(unsafe.Pointer(&sample[0]))
	}
	switch {
	case kind == bpf.RecordTaskExit && len(sample) == int(unsafe.Sizeof(bpf.TaskExit{})):
		r.tasks.add((*bpf.TaskExit)(unsafe.Pointer(&sample[0])))
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
	err := r.file.Close()
	<-r.done
	if r.writer != nil {
		r.writer.out.abandon()
	}
	return errors.Join(err, r.reader.Close())
}
