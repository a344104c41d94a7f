package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// makeRestEntry makes the entry to which those are added that find no room.
func makeRestEntry(sums *ebpf.Map) error {
	if err := sums.Put(EndedKey{}, EndedSums{}); err != nil {
		return fmt.Errorf("make room for tasks that end: %w", err)
	}
	return nil
}

// EndedReader reads the sums of tasks that ended.
type EndedReader struct {
	l     *Light
	turn  int
	known [2]map[EndedKey]EndedSums // what each map held when it was last read
	keys  []EndedKey
	sums  []EndedSums
}

// atOnce is how many sums a system call reads. More than these are never in one bucket of the kernel's hash
// table, which it reads as a whole.
const atOnce = 512

// NewEndedReader returns a reader. There must be only one.
func (l *Light) NewEndedReader() *EndedReader {
	return &EndedReader{
		l: l, known: [2]map[EndedKey]EndedSums{{}, {}}, keys: make([]EndedKey, atOnce), sums: make([]EndedSums, atOnce),
	}
}

// Read returns what the sums have gained since it was called before. WaitMax is the longest wait if it has grown,
// otherwise 0.
//
// The map that was in use up to the last call is emptied and used again from now on. A program that still added
// to it would have taken longer than from that call to this one.
func (r *EndedReader) Read() (map[EndedKey]*EndedSums, error) {
	gained := make(map[EndedKey]*EndedSums)
	used, other := r.l.endedSums[r.turn], r.l.endedSums[1-r.turn]
	if err := r.readMap(other, 1-r.turn, gained, other.BatchLookupAndDelete); err != nil {
		return nil, err
	}
	if err := makeRestEntry(other); err != nil {
		return nil, err
	}
	if err := r.readMap(used, r.turn, gained, used.BatchLookup); err != nil {
		return nil, err
	}
	clear(r.known[1-r.turn])
	r.turn = 1 - r.turn
	if err := r.l.endedTurn.Set(uint32(r.turn)); err != nil {
		return nil, fmt.Errorf("take turns for tasks that end: %w", err)
	}
	return gained, nil
}

type readBatch func(*ebpf.MapBatchCursor, any, any, *ebpf.BatchOptions) (int, error)

func (r *EndedReader) readMap(m *ebpf.Map, turn int, gained map[EndedKey]*EndedSums, read readBatch) error {
	var cursor ebpf.MapBatchCursor
	for {
		n, err := read(&cursor, r.keys, r.sums, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("read the sums of tasks that ended, from %s: %w", m, err)
		}
		for i := range n {
			now, then := &r.sums[i], r.known[turn][r.keys[i]]
			if now.Tasks == then.Tasks {
				continue // a task may be half added, which is done when Tasks has changed
			}
			sum := gained[r.keys[i]]
			if sum == nil {
				sum = &EndedSums{}
				gained[r.keys[i]] = sum
			}
			sum.gain(now, &then)
			r.known[turn][r.keys[i]] = *now
		}
		if err != nil {
			return nil // that was all
		}
	}
}

// gain adds the difference of two readings.
func (s *EndedSums) gain(now, then *EndedSums) {
	s.Tasks += now.Tasks - then.Tasks
	s.Unreconciled += now.Unreconciled - then.Unreconciled
	s.OnCpu += now.OnCpu - then.OnCpu
	s.Wait += now.Wait - then.Wait
	s.Throttled += now.Throttled - then.Throttled
	if now.WaitMax != then.WaitMax {
		s.WaitMax = max(s.WaitMax, now.WaitMax)
	}
	grow(s.Slices[:], now.Slices[:], then.Slices[:])
	grow(s.Moves[:], now.Moves[:], then.Moves[:])
	grow(s.Dists.Waits[:], now.Dists.Waits[:], then.Dists.Waits[:])
	grow(s.Dists.Slices[:], now.Dists.Slices[:], then.Dists.Slices[:])
}

func grow[T uint32 | uint64](sums, now, then []T) {
	for i := range sums {
		sums[i] += now[i] - then[i]
	}
}
