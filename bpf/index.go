package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// ErrIndexFull says that a task's cell in the index is taken, and its overflow full.
var ErrIndexFull = errors.New("no place in the index of watched tasks")

const indexLock = 1 << 31

// Index finds a watched task's slot by its tid, as the kernel side does: see maps.h.
type Index struct {
	cells             *ebpf.Memory
	mask              uint32 // the number of cells less one
	workers, overflow *ebpf.Map
}

func newIndex(maps map[string]*ebpf.Map) (*Index, error) {
	index := maps[slicetraceMapStIndex]
	cells, err := index.Memory()
	if err != nil {
		return nil, fmt.Errorf("map the index of watched tasks: %w", err)
	}
	return &Index{cells, index.ValueSize()/4 - 1, maps[slicetraceMapStWorkers], maps[slicetraceMapStOverflow]}, nil
}

// sizeIndex makes four times as many cells as tasks, so that few tasks find their
// cell taken: of tids spread at random at most one in eight, of as many as can be
// watched. There is room for one in four.
func sizeIndex(spec *ebpf.CollectionSpec, tasks uint32) error {
	cells := uint32(1) << bits.Len32(4*tasks-1)
	index := spec.Maps[slicetraceMapStIndex]
	index.ValueSize, index.Key, index.Value = 4*cells, nil, nil
	spec.Maps[slicetraceMapStOverflow].MaxEntries = max(64, tasks/4)
	if err := spec.Variables[slicetraceVarIndexMask].Set(cells - 1); err != nil {
		return fmt.Errorf("set number of cells: %w", err)
	}
	return nil
}

// Note enters a task, whose tid stands in its slot already. The error is
// ErrIndexFull, or wraps what the kernel refused.
func (x *Index) Note(tid, slot uint32) error {
	lock := indexLock | tid&x.mask
	err := x.overflow.Update(lock, slot, ebpf.UpdateNoExist)
	if err == nil {
		free, err := x.claim(tid, slot)
		if err := errors.Join(err, x.overflow.Delete(lock)); err != nil {
			return fmt.Errorf("enter task into index: %w", err)
		}
		if free {
			return nil
		}
	}
	if err := x.overflow.Put(tid, slot); errors.Is(err, unix.E2BIG) {
		return ErrIndexFull
	} else if err != nil {
		return fmt.Errorf("enter task into index: %w", err)
	}
	// The cell's new owner may be about to write it: 0 would deny this task until then.
	taken, err := x.cell(tid)
	if err == nil && taken == 0 {
		err = x.setCell(tid, slot)
	}
	return err
}

// claim takes the cell of a tid unless another watched task has it.
func (x *Index) claim(tid, slot uint32) (free bool, err error) {
	taken, err := x.cell(tid)
	if err != nil {
		return false, err
	}
	if taken != 0 {
		var w Worker
		if err := x.workers.Lookup(taken-1, &w); err != nil {
			return false, err
		}
		if w.Tid != 0 && w.Tid != tid && (w.Tid^tid)&x.mask == 0 {
			return false, nil
		}
	}
	return true, x.setCell(tid, slot)
}

// cell returns what stands in the cell of a tid: a slot + 1, or 0.
func (x *Index) cell(tid uint32) (uint32, error) {
	var text [4]byte
	if _, err := x.cells.ReadAt(text[:], int64(4*(tid&x.mask))); err != nil {
		return 0, fmt.Errorf("read index: %w", err)
	}
	return binary.NativeEndian.Uint32(text[:]), nil
}

func (x *Index) setCell(tid, slot uint32) error {
	text := binary.NativeEndian.AppendUint32(nil, slot+1)
	if _, err := x.cells.WriteAt(text, int64(4*(tid&x.mask))); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}
