package recording

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/slicetrace/slicetrace/report/sched"
)

// The bits of the head byte of an event.
const (
	headClass  = 0x07 // the class of a switch
	headCause  = 0x38 // why prev's slice ended, shifted by causeShift
	headPrev   = 0x40 // prev is not the task to which the core switched last
	headWakeup = 0x80 // the event is a wakeup; the other bits are 0
	causeShift = 3

	columnCount = 8
)

// Bounds on the memory that a file can make a reader use.
const (
	maxComm   = 15
	maxCPU    = 8191
	maxEvents = 1 << 20  // in a block
	maxTasks  = 1 << 15  // that Next returns at a time, and in a frame
	maxFrame  = 64 << 20 // bytes, compressed or not
)

// columns holds a block's events with a column of bytes for each field, since similar
// values side by side compress better. The columns are:
//
//	heads     one byte for each event
//	times     the time since the previous event
//	tids      next of a switch, the woken task of a wakeup
//	prevs     prev of a switch that has headPrev, the CPU of a wakeup
//	gaps      of a switch: the part of the time since the core's previous switch that is
//	          not in prev's slice, plus 1; 0 if the slice is not known
//	picks     the pick phase of a switch plus 1; 0 if it was not timed
//	switches  the switch phase, likewise
//	states    one byte for each switch
type columns [columnCount][]byte

const (
	heads = iota
	times
	tids
	prevs
	gaps
	picks
	switches
	states
)

// encode appends a block to buf.
func (c *columns) encode(buf []byte, b Block) []byte {
	for i := range c {
		c[i] = c[i][:0]
	}
	var last, lastSwitch int64
	expected := sched.TID(-1)
	for i := range b.Events {
		e := &b.Events[i]
		c[times] = binary.AppendVarint(c[times], e.TimeNS-last)
		c[tids] = binary.AppendUvarint(c[tids], uint64(uint32(e.Next)))
		last = e.TimeNS
		if e.Kind == Wakeup {
			c[heads] = append(c[heads], headWakeup)
			c[prevs] = binary.AppendUvarint(c[prevs], uint64(uint32(e.CPU)))
			continue
		}
		head := e.Class&headClass | e.EndedBy<<causeShift&headCause
		if e.Prev != expected {
			head |= headPrev
			c[prevs] = binary.AppendUvarint(c[prevs], uint64(uint32(e.Prev)))
		}
		expected = e.Next
		c[heads] = append(c[heads], head)
		c[gaps] = appendOptional(c[gaps], e.SliceNS, e.TimeNS-lastSwitch-e.SliceNS)
		lastSwitch = e.TimeNS
		c[picks] = appendOptional(c[picks], e.PickNS, e.PickNS)
		c[switches] = appendOptional(c[switches], e.SwitchNS, e.SwitchNS)
		c[states] = append(c[states], e.State)
	}
	buf = binary.AppendUvarint(buf, uint64(b.CPU))
	buf = binary.AppendUvarint(buf, b.Lost)
	for i := range c {
		buf = binary.AppendUvarint(buf, uint64(len(c[i])))
	}
	for i := range c {
		buf = append(buf, c[i]...)
	}
	return buf
}

// appendOptional appends value, which may be negative. If known is negative, it appends
// the mark for an unknown value instead.
func appendOptional(buf []byte, known, value int64) []byte {
	if known < 0 {
		return append(buf, 0)
	}
	return binary.AppendUvarint(buf, zigzag(value)+1)
}

// tid returns a task's id, which has 32 bits in a file.
func tid(v uint64) sched.TID { return sched.TID(int32(v)) }

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

var errDamaged = errors.New("damaged block")

// decode replaces b by the block in buf. It uses b's memory if that is large enough.
func decode(buf []byte, b *Block) error {
	in := cursor{rest: buf}
	cpu, lost := in.uvarint(), in.uvarint()
	var col [columnCount]cursor
	var length [columnCount]uint64
	for i := range length {
		length[i] = in.uvarint()
	}
	for i := range col {
		col[i].rest = in.take(length[i])
	}
	if in.bad || len(in.rest) > 0 || cpu > maxCPU {
		return errDamaged
	}
	n := len(col[heads].rest)
	if n > maxEvents {
		return fmt.Errorf("%w: %d events", errDamaged, n)
	}
	b.CPU, b.Lost = sched.CPU(cpu), lost
	if cap(b.Events) < n {
		b.Events = make([]Event, n)
	}
	b.Events = b.Events[:n]
	var last, lastSwitch int64
	expected := sched.TID(-1)
	for i, head := range col[heads].rest {
		e := &b.Events[i]
		*e = Event{}
		last += unzigzag(col[times].uvarint())
		e.TimeNS = last
		e.Next = tid(col[tids].uvarint())
		if head&headWakeup != 0 {
			e.Kind = Wakeup
			e.CPU = sched.CPU(int32(col[prevs].uvarint()))
			continue
		}
		e.Class, e.EndedBy, e.Prev = head&headClass, head&headCause>>causeShift, expected
		if head&headPrev != 0 {
			e.Prev = tid(col[prevs].uvarint())
		}
		expected = e.Next
		e.SliceNS, e.PickNS, e.SwitchNS = -1, -1, -1
		if gap, ok := col[gaps].optional(); ok {
			e.SliceNS = e.TimeNS - lastSwitch - gap
		}
		lastSwitch = e.TimeNS
		if pick, ok := col[picks].optional(); ok {
			e.PickNS = pick
		}
		if phase, ok := col[switches].optional(); ok {
			e.SwitchNS = phase
		}
		e.State = col[states].byte()
	}
	for i := range col {
		if i != heads && (col[i].bad || len(col[i].rest) > 0) {
			return errDamaged
		}
	}
	return nil
}

// cursor reads numbers from the front of rest. It sets bad if there are not enough bytes.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) uvarint() uint64 {
	if len(c.rest) > 0 && c.rest[0] < 0x80 {
		v := uint64(c.rest[0])
		c.rest = c.rest[1:]
		return v
	}
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) optional() (v int64, ok bool) {
	u := c.uvarint()
	return unzigzag(u - 1), u > 0
}

func (c *cursor) byte() byte {
	if len(c.rest) == 0 {
		c.bad = true
		return 0
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.bad = true
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}
