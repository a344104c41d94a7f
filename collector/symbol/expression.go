package symbol

// Bounds of an expression. It has no loops: jumps are not executed.
const (
	longestExpression = 256
	mostOperands      = 16
)

// expression computes addresses (DWARF expressions), as far as rules of frames need it.
type expression struct {
	cursor
	stack [mostOperands]uint64
	depth int
	task  *task
}

// evaluate computes an expression of a file for a task, from a value that it begins with, if any.
func (t *task) evaluate(f *callFrames, r rule, first ...uint64) (uint64, bool) {
	e := &expression{cursor: cursor{data: f.data[:uint64(r.value)+uint64(r.length)], at: uint64(r.value)}, task: t}
	for _, n := range first {
		e.push(n)
	}
	for !e.bad && e.at < uint64(len(e.data)) {
		e.operate(byte(e.number(1)))
	}
	result := e.pop()
	return result, !e.bad
}

func (e *expression) push(n uint64) {
	if e.depth == mostOperands {
		e.bad = true
		return
	}
	e.stack[e.depth] = n
	e.depth++
}

// pop removes the last value; picked returns the one before as many others.
func (e *expression) pop() uint64 {
	n := e.picked(0)
	e.depth = max(e.depth-1, 0)
	return n
}

func (e *expression) picked(others int) uint64 {
	if e.depth <= others {
		e.bad = true
		return 0
	}
	return e.stack[e.depth-1-others]
}

// operate executes one operation.
func (e *expression) operate(op byte) {
	switch {
	case op >= 0x30 && op <= 0x4f: // lit0 to lit31
		e.push(uint64(op - 0x30))
	case op >= 0x70 && op <= 0x8f: // breg0 to breg31
		base, ok := e.task.register(op - 0x70)
		e.bad = e.bad || !ok
		e.push(base + uint64(e.signedLEB()))
	case op >= 0x08 && op <= 0x0f: // const1u, const1s to const8s
		size := uint64(1) << ((op - 0x08) / 2)
		if op&1 == 0 {
			e.push(e.number(size))
		} else {
			e.push(e.signed(size))
		}
	case op == 0x10: // constu
		e.push(e.unsignedLEB())
	case op == 0x11: // consts
		e.push(uint64(e.signedLEB()))
	case op == 0x12: // dup
		e.push(e.picked(0))
	case op == 0x13: // drop
		e.pop()
	case op == 0x14: // over
		e.push(e.picked(1))
	case op == 0x06: // deref
		n, ok := e.task.word(e.pop())
		e.bad = e.bad || !ok
		e.push(n)
	case op == 0x23: // plus_uconst
		e.push(e.pop() + e.unsignedLEB())
	case op == 0x96: // nop
	default:
		right := e.pop()
		e.push(e.combine(op, e.pop(), right))
	}
}

// combine executes an operation on two values.
func (e *expression) combine(op byte, left, right uint64) uint64 {
	holds := func(is bool) uint64 {
		if is {
			return 1
		}
		return 0
	}
	switch op {
	case 0x1a: // and
		return left & right
	case 0x1c: // minus
		return left - right
	case 0x1e: // mul
		return left * right
	case 0x21: // or
		return left | right
	case 0x22: // plus
		return left + right
	case 0x24: // shl
		return left << right
	case 0x25: // shr
		return left >> right
	case 0x27: // xor
		return left ^ right
	case 0x29: // eq
		return holds(left == right)
	case 0x2a: // ge
		return holds(int64(left) >= int64(right))
	case 0x2b: // gt
		return holds(int64(left) > int64(right))
	case 0x2c: // le
		return holds(int64(left) <= int64(right))
	case 0x2d: // lt
		return holds(int64(left) < int64(right))
	case 0x2e: // ne
		return holds(left != right)
	}
	e.bad = true
	return 0
}
