package symbol

import "debug/elf"

// Bounds of the instructions of one function. Those of the largest functions stay below a quarter of them.
const (
	mostInstructions = 1 << 15
	mostRemembered   = 16
)

// Registers by their numbers in call frame information.
const (
	amd64DI                   = 5
	amd64FP, amd64SP, amd64PC = 6, 7, 16
	arm64FP, arm64LR, arm64SP = 29, 30, 31
)

// rule says where the caller's register is, or the address that the rules count from: the canonical frame
// address, which is the caller's SP.
type rule struct {
	kind     ruleKind
	register uint8
	length   uint16
	value    int64 // an offset, or where the expression is in the data
}

type ruleKind uint8

const (
	unchanged  ruleKind = iota // as it is in the called function
	undefined                  // lost; of the return address: there is no caller
	saved                      // in memory, at an offset from the canonical frame address
	plus                       // the address itself, or a register, and an offset
	inMemory                   // in memory, at the address that an expression computes
	computed                   // by an expression
	unfollowed                 // in a register that is not known
)

// row is what holds at one address: how to find the caller's registers.
type row struct {
	frame          rule // the canonical frame address
	fp, sp, pc, lr rule
	signal         bool // the frame is one that a signal made: the caller was interrupted
	found          bool
}

// at returns the row of an address as the linker knows it.
func (f *callFrames) at(address uint64) row {
	const golden = 0x9e3779b97f4a7c15
	cached := &f.rows[(address*golden>>32)%uint64(len(f.rows))]
	if !cached.valid || cached.address != address {
		*cached = cachedRow{address: address, valid: true, row: f.makeRow(address)}
	}
	return cached.row
}

// makeRow executes the instructions of the function that holds an address up to the address.
func (f *callFrames) makeRow(address uint64) row {
	at, ok := f.find(address)
	if !ok {
		return row{}
	}
	d, _, ok := f.entry(at)
	if !ok || address < d.start || address-d.start >= d.size {
		return row{}
	}
	m := &interpreter{callFrames: f, described: &d, location: d.start, until: address}
	m.row.frame.kind = unfollowed
	if !m.execute(d.firstRules) {
		return row{}
	}
	m.first, m.inFunction = m.row, true
	if !m.execute(d.rules) {
		return row{}
	}
	m.row.signal, m.row.found = d.signal, true
	return m.row
}

// interpreter executes the instructions of one function.
type interpreter struct {
	*callFrames
	*described
	row        row
	first      row // after those that functions share
	inFunction bool
	remembered []row
	location   uint64
	until      uint64
	executed   int
}

// ruleOf returns the rule of a register, nil if the register is none that is followed.
func (m *interpreter) ruleOf(register uint64, r *row) *rule {
	switch {
	case register == m.returnAddress:
		return &r.pc
	case m.machine == elf.EM_X86_64 && register == amd64FP, m.machine == elf.EM_AARCH64 && register == arm64FP:
		return &r.fp
	case m.machine == elf.EM_X86_64 && register == amd64SP, m.machine == elf.EM_AARCH64 && register == arm64SP:
		return &r.sp
	case m.machine == elf.EM_AARCH64 && register == arm64LR:
		return &r.lr // where another register has the return address
	}
	return nil
}

// set sets a register's rule.
func (m *interpreter) set(register uint64, to rule) {
	if r := m.ruleOf(register, &m.row); r != nil {
		*r = to
	}
}

// restore gives a register the rule that it had first.
func (m *interpreter) restore(register uint64) {
	if r := m.ruleOf(register, &m.first); r != nil && m.inFunction {
		m.set(register, *r)
	}
}

// position returns where instructions, which are a part of the data, begin in it.
func (m *interpreter) position(c *cursor) uint64 { return uint64(cap(m.data) - cap(c.data)) }

// block returns the rule of an expression, which follows.
func (m *interpreter) block(c *cursor, kind ruleKind) rule {
	size := c.unsignedLEB()
	start := m.position(c) + c.at
	c.bytes(size)
	if size > longestExpression {
		return rule{kind: unfollowed}
	}
	return rule{kind: kind, length: uint16(size), value: int64(start)}
}

// frameAt sets the canonical frame address to a register and an offset.
func (m *interpreter) frameAt(register uint64, offset int64) {
	m.row.frame = rule{kind: plus, register: uint8(min(register, 255)), value: offset}
}

// execute executes instructions until one is for a later address. It is false if one is not known.
func (m *interpreter) execute(instructions []byte) bool {
	c := &cursor{data: instructions}
	for c.at < uint64(len(c.data)) {
		if m.executed++; m.executed > mostInstructions {
			return false
		}
		op := byte(c.number(1))
		low := uint64(op & 0x3f)
		switch op & 0xc0 {
		case 0x40: // advance_loc
			m.location += low * m.code
		case 0x80: // offset
			m.set(low, rule{kind: saved, value: int64(c.unsignedLEB()) * m.stack})
		case 0xc0:
			m.restore(low)
		default:
			if !m.extended(op, c) {
				return false
			}
		}
		if c.bad {
			return false
		}
		if m.location > m.until {
			break
		}
	}
	return true
}

// extended executes an instruction whose operands all follow it.
func (m *interpreter) extended(op byte, c *cursor) bool {
	switch op {
	case 0x00: // nop
	case 0x01: // set_loc
		m.location = c.address(m.encoding, m.base+m.position(c), 0)
	case 0x02, 0x03, 0x04: // advance_loc1, 2, 4
		m.location += c.number(1<<(op-2)) * m.code
	case 0x05: // offset_extended
		m.set(c.unsignedLEB(), rule{kind: saved, value: int64(c.unsignedLEB()) * m.stack})
	case 0x06: // restore_extended
		m.restore(c.unsignedLEB())
	case 0x07: // undefined
		m.set(c.unsignedLEB(), rule{kind: undefined})
	case 0x08: // same_value
		m.set(c.unsignedLEB(), rule{})
	case 0x09: // register
		register := c.unsignedLEB()
		m.set(register, rule{kind: plus, register: uint8(min(c.unsignedLEB(), 255))})
	case 0x0a: // remember_state
		if len(m.remembered) == mostRemembered {
			return false
		}
		m.remembered = append(m.remembered, m.row)
	case 0x0b: // restore_state
		last := len(m.remembered) - 1
		if last < 0 {
			return false
		}
		m.row, m.remembered = m.remembered[last], m.remembered[:last]
	case 0x0f: // def_cfa_expression
		m.row.frame = m.block(c, computed)
	case 0x10: // expression
		m.set(c.unsignedLEB(), m.block(c, inMemory))
	case 0x16: // val_expression
		m.set(c.unsignedLEB(), m.block(c, computed))
	case 0x11: // offset_extended_sf
		m.set(c.unsignedLEB(), rule{kind: saved, value: c.signedLEB() * m.stack})
	case 0x14, 0x15: // val_offset: no compiler writes it for the registers that are followed
		m.set(c.unsignedLEB(), rule{kind: unfollowed})
		c.unsignedLEB()
	case 0x2d: // negate_ra_state, of arm64: return addresses are stripped of their signatures in any case
	case 0x2e: // GNU_args_size
		c.unsignedLEB()
	case 0x2f: // GNU_negative_offset_extended
		m.set(c.unsignedLEB(), rule{kind: saved, value: -int64(c.unsignedLEB()) * m.stack})
	default:
		return m.extendedFrame(op, c)
	}
	return true
}

// extendedFrame executes an instruction about the canonical frame address.
func (m *interpreter) extendedFrame(op byte, c *cursor) bool {
	frame := &m.row.frame
	switch op {
	case 0x0c: // def_cfa
		m.frameAt(c.unsignedLEB(), int64(c.unsignedLEB()))
	case 0x12: // def_cfa_sf
		m.frameAt(c.unsignedLEB(), c.signedLEB()*m.stack)
	case 0x0d: // def_cfa_register
		m.frameAt(c.unsignedLEB(), frame.value)
	case 0x0e: // def_cfa_offset
		frame.value = int64(c.unsignedLEB())
	case 0x13: // def_cfa_offset_sf
		frame.value = c.signedLEB() * m.stack
	default:
		return false
	}
	return frame.kind == plus
}
