//go:build linux

package workloads

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// servant is a child of this process that makes the system calls which it is told
// over a socket, one after the other, and tells what each returned. It has one
// thread and nothing of Go runs in it, so it is as exactly as this process wants it
// what an execve of its own then keeps. When this process is gone it makes one last
// call, its will, and ends.
//
// A call's pointers are addresses in the servant: of what this process had at the
// fork, or of memory that the servant has mapped since.
type servant struct {
	pid    int
	socket int
	// number is the socket's in the servant.
	number int
	// idle, if set, is called now and then while an answer is awaited: a servant that
	// is stopped gives none.
	idle func()
}

// order is a message to a servant: a system call, with will not 0 to be made at the
// end instead of now. The assembly reads it by its offsets.
type order struct {
	call uintptr
	args [6]uintptr
	will uintptr
}

// servantCodeBytes is more than the length of serve's code.
const servantCodeBytes = 512

// startServant forks. The servant has all of this process's descriptors, and all
// signals are blocked in it and handled as in this process.
func startServant() (*servant, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("create socket: %w", err)
	}
	pid, errno := forkBlocked(uintptr(pair[1]), uintptr(pair[0]))
	unix.Close(pair[1])
	if errno != 0 {
		unix.Close(pair[0])
		return nil, fmt.Errorf("fork: %w", errno)
	}
	return &servant{pid: pid, socket: pair[0], number: pair[1]}, nil
}

// forkBlocked forks while no signal can reach this thread: its handler would find
// the child of a Go process in which no Go can run. The child serves at a socket,
// and closes ours, the other end, by itself before anything else: with a copy of it
// the child would not see that we are gone, and we can be gone at any moment.
//
//go:norace
func forkBlocked(socket, ours uintptr) (pid int, errno syscall.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, before := ^uint64(0), uint64(0)
	if errno := setSignalMask(&all, &before); errno != 0 {
		return 0, errno
	}
	pid = forkServant(socket, ours)
	setSignalMask(&before, nil)
	if pid < 0 {
		return 0, syscall.Errno(-pid)
	}
	return pid, 0
}

// setSignalMask sets this thread's.
func setSignalMask(mask, before *uint64) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(mask)), uintptr(unsafe.Pointer(before)), 8, 0, 0)
	return errno
}

//go:noescape
func forkServant(socket, ours uintptr) (pid int)

// serveCode returns where the servant's code is.
func serveCode() unsafe.Pointer

// do makes the servant make a system call and returns what that returned. A servant
// that has ended gives ESRCH.
func (s *servant) do(call uintptr, args ...uintptr) (uintptr, error) {
	if err := s.tell(0, call, args...); err != nil {
		return 0, err
	}
	return s.result()
}

// tell sends an order, of which the answer is not awaited.
func (s *servant) tell(will, call uintptr, args ...uintptr) error {
	o := order{call: call, will: will}
	copy(o.args[:], args)
	return s.send(unsafe.Slice((*byte)(unsafe.Pointer(&o)), unsafe.Sizeof(o)))
}

func (s *servant) send(message []byte) error {
	if err := unix.Send(s.socket, message, unix.MSG_NOSIGNAL); err != nil {
		if err == unix.EPIPE || err == unix.ECONNRESET {
			err = unix.ESRCH
		}
		return err
	}
	return nil
}

// result awaits the answer to an order.
func (s *servant) result() (uintptr, error) {
	var answer [8]byte
	if err := s.receive(answer[:]); err != nil {
		return 0, err
	}
	value := binary.NativeEndian.Uint64(answer[:])
	if value > ^uint64(4095) { // the highest are the negative errnos
		return 0, syscall.Errno(-value)
	}
	return uintptr(value), nil
}

// await calls idle, if there is one, from time to time until there is something to read
// or the socket is closed.
func (s *servant) await() {
	const look = 50 // ms
	for s.idle != nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.socket), Events: unix.POLLIN}}, look)
		if n > 0 || err != nil && err != unix.EINTR {
			return
		}
		s.idle()
	}
}

func (s *servant) receive(message []byte) error {
	s.await()
	for {
		n, err := unix.Read(s.socket, message)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return unix.ETIMEDOUT // or it would pass for an order's own
		case err == unix.ECONNRESET || err == nil && n == 0:
			return unix.ESRCH
		case err != nil:
			return err
		case n != len(message):
			return unix.EPROTO
		default:
			return nil
		}
	}
}

// load makes the servant say what bytes are at an address.
func (s *servant) load(address uintptr, text []byte) error {
	if err := s.tell(0, unix.SYS_WRITE, uintptr(s.number), address, uintptr(len(text))); err != nil {
		return err
	}
	if err := s.receive(text); err != nil {
		return err
	}
	_, err := s.result()
	return err
}

// store makes the servant put bytes at an address.
func (s *servant) store(address uintptr, text []byte) error {
	const most = 64 << 10 // of a message
	for len(text) > 0 {
		n := min(len(text), most)
		if err := s.tell(0, unix.SYS_READ, uintptr(s.number), address, uintptr(n)); err != nil {
			return err
		}
		if err := s.send(text[:n]); err != nil {
			return err
		}
		if _, err := s.result(); err != nil {
			return err
		}
		text, address = text[n:], address+uintptr(n)
	}
	return nil
}

// startAlone starts a servant with a program of its own, of a page: so it holds
// neither our memory nor, but for its socket and the descriptor kept, anything open,
// and is not found by our name. Where the system executes no memory, it stays a fork
// of ours that holds as little as possible. The number is the kept descriptor's there.
func startAlone(name string, kept int) (s *servant, number int, err error) {
	code := unsafe.String((*byte)(serveCode()), servantCodeBytes)
	executable, refused := writeProgram("", name, program(code))
	if refused == nil {
		defer unix.Close(executable)
	}
	if s, err = startServant(); err != nil {
		return nil, 0, err
	}
	number = kept
	if refused == nil {
		refused = s.become(executable, name, kept)
	}
	switch {
	case refused == nil:
		number = 1
	case errors.Is(refused, unix.EACCES):
		err = s.closeAllBut(kept)
	default:
		err = fmt.Errorf("execute its program: %w", refused)
	}
	if err == nil {
		err = s.rename(name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, s.end())
	}
	return s, number, nil
}

// closeAllBut closes all of the servant's descriptors but its socket and one more.
func (s *servant) closeAllBut(kept int) error {
	low, high := uintptr(min(kept, s.number)), uintptr(max(kept, s.number))
	for _, between := range [][2]uintptr{{0, low - 1}, {low + 1, high - 1}, {high + 1, ^uintptr(0) >> 1}} {
		if int(between[0]) > int(between[1]) {
			continue
		}
		if _, err := s.do(unix.SYS_CLOSE_RANGE, between[0], between[1]&(1<<31-1), 0); err != nil {
			return fmt.Errorf("close descriptors: %w", err)
		}
	}
	return nil
}

// become makes the servant execute a program that is a servant again, with the
// socket as descriptor 0 and kept as 1.
func (s *servant) become(program int, name string, kept int) error {
	var m memory
	empty, argv, environ := m.text(""), m.vector([]string{name}), m.vector(nil)
	base, err := m.place(s)
	if err != nil {
		return err
	}
	for _, move := range [][2]int{{kept, 1}, {s.number, 0}} {
		if _, err := s.do(unix.SYS_DUP3, uintptr(move[0]), uintptr(move[1]), 0); err != nil {
			return err
		}
	}
	if _, err := s.do(unix.SYS_CLOSE_RANGE, 2, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	// An execution that succeeds has no answer: the next order's is the first.
	if err := s.tell(0, unix.SYS_EXECVEAT, uintptr(program), base+empty, base+argv, base+environ, unix.AT_EMPTY_PATH); err != nil {
		return err
	}
	if err := s.tell(0, unix.SYS_GETPID); err != nil {
		return err
	}
	if _, err := s.result(); err != nil {
		return errors.Join(err, s.skip())
	}
	s.number = 0
	return nil
}

// skip takes an answer that does not matter.
func (s *servant) skip() error {
	_, err := s.result()
	return err
}

// rename sets the name of the servant's thread.
func (s *servant) rename(name string) error {
	var m memory
	text := m.text(name)
	base, err := m.place(s)
	if err == nil {
		_, err = s.do(unix.SYS_PRCTL, unix.PR_SET_NAME, base+text)
	}
	return err
}

// end ends the servant without its will.
func (s *servant) end() error {
	// It is our child that nobody has waited for, so the pid is its own.
	err := unix.Kill(s.pid, unix.SIGKILL)
	for {
		_, waitErr := unix.Wait4(s.pid, nil, 0, nil)
		if waitErr != unix.EINTR {
			return errors.Join(err, waitErr, unix.Close(s.socket))
		}
	}
}

// memory is what is to stand in a servant's memory. Its parts are known by their
// distance from its begin.
type memory struct {
	bytes []byte
	// pointers are the places of distances, which become addresses.
	pointers []int
}

// put adds bytes and returns where they are.
func (m *memory) put(b []byte) uintptr {
	for len(m.bytes)%8 != 0 {
		m.bytes = append(m.bytes, 0)
	}
	m.bytes = append(m.bytes, b...)
	return uintptr(len(m.bytes) - len(b))
}

// words adds words of 64 bits.
func (m *memory) words(values ...uint64) uintptr { return m.put(words64(values...)) }

func words64(values ...uint64) (b []byte) {
	for _, v := range values {
		b = binary.NativeEndian.AppendUint64(b, v)
	}
	return b
}

func words32(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	return b
}

// text adds a string as C has it.
func (m *memory) text(s string) uintptr { return m.put(append([]byte(s), 0)) }

// vector adds strings and the null-terminated array of their addresses.
func (m *memory) vector(strings []string) uintptr {
	var array []uint64
	for _, s := range strings {
		array = append(array, uint64(m.text(s)))
	}
	place := m.words(append(array, 0)...)
	for i := range strings {
		m.pointers = append(m.pointers, int(place)+8*i)
	}
	return place
}

// place maps memory in a servant, fills it, and returns its address.
func (m *memory) place(s *servant) (uintptr, error) {
	base, err := s.do(unix.SYS_MMAP, 0, uintptr(len(m.bytes)+8), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if err != nil {
		return 0, fmt.Errorf("map memory: %w", err)
	}
	for _, p := range m.pointers {
		word := m.bytes[p : p+8]
		binary.NativeEndian.PutUint64(word, binary.NativeEndian.Uint64(word)+uint64(base))
	}
	m.pointers = nil
	return base, s.store(base, m.bytes)
}
