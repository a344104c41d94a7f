package collector

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// pump reads a ring buffer when it is asked to, when the ring is a quarter full, and at least
// every readEvery. In between its goroutine waits in Go's network poller. In a blocking
// system call it would keep the runtime's monitor thread awake for 10 ms after each read, and
// that thread wakes every 80 µs on the cores that are measured.
type pump struct {
	pumpUse
	file *os.File // the map's descriptor once more, for the poller
	done chan struct{}

	mu     sync.Mutex // guards the rest, and is held where the functions but due are called
	reader *ringbuf.Reader
	err    error
}

// pumpUse is what becomes of the records.
type pumpUse struct {
	take func(sample []byte) error // one of them
	rest func() error              // after the last that there is
	due  func() error              // every readEvery
}

func (p *pump) start(ring *ebpf.Map, use pumpUse) error {
	reader, err := ringbuf.NewReader(ring)
	if err != nil {
		return fmt.Errorf("read ring buffer: %w", err)
	}
	file, err := pollable(ring.FD())
	if err != nil {
		return errors.Join(fmt.Errorf("read ring buffer: %w", err), reader.Close())
	}
	p.pumpUse, p.file, p.reader, p.done = use, file, reader, make(chan struct{})
	// With a deadline in the past, the reader returns what there is and never waits.
	reader.SetDeadline(time.Unix(1, 0))
	go p.run()
	return nil
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

func (p *pump) run() {
	defer close(p.done)
	for {
		err := p.wait()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = p.due()
		}
		if err != nil {
			p.mu.Lock()
			p.err = err
			p.mu.Unlock()
			return
		}
	}
}

// wait reads whenever the kernel says that the ring fills, until readEvery is over.
func (p *pump) wait() error {
	// Records that keep coming must not delay the next due.
	if err := p.file.SetReadDeadline(time.Now().Add(readEvery)); err != nil {
		return err
	}
	conn, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Read(func(uintptr) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		failed = p.drain()
		return failed != nil // false: wait for more
	})
	return errors.Join(failed, err)
}

// drain reads all records that there are. The caller holds mu.
func (p *pump) drain() error {
	var record ringbuf.Record
	for {
		err := p.reader.ReadInto(&record)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return p.rest()
		}
		if err == nil {
			err = p.take(record.RawSample)
		}
		if err != nil {
			return fmt.Errorf("read ring buffer: %w", err)
		}
	}
}

// stop ends the goroutine, and then the reading.
func (p *pump) stop() error {
	err := p.file.Close()
	<-p.done
	return errors.Join(err, p.reader.Close())
}
