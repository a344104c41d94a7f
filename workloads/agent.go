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

// agent is a child of this process that makes system calls on request. The requests come
// over a socket, one after the other, and the agent answers each with the result. It has
// one thread and runs no code of Go. So this process can prepare everything in it that an
// execve in it will then keep. When this process is gone, the agent makes one last system
// call and exits.
//
// Pointers in a call are addresses in the agent, in memory that this process had at the
// fork or that the agent has mapped since.
type agent struct {
	pid    int
	socket int
	// number is the number of the agent's end of the socket, in the agent.
	number int
	// idle, if not nil, is called now and then while this process waits for an answer: an
	// agent that is stopped by a signal does not answer.
	idle func()
}

// callRequest is a message to an agent: a system call. If last is not 0, the agent makes
// the call when this process is gone, and does not answer. The assembly relies on the
// offsets.
type callRequest struct {
	call uintptr
	args [6]uintptr
	last uintptr
}

// agentCodeBytes is more than the length of serve's code.
const agentCodeBytes = 512

// startAgent forks an agent. It has all of this process's descriptors. All
// signals are blocked in it, with the actions that they have in this process.
func startAgent() (*agent, error) {
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
	return &agent{pid: pid, socket: pair[0], number: pair[1]}, nil
}

// forkBlocked forks while all signals are blocked in this thread: a signal handler of Go
// cannot run in the child. The child serves requests at socket. Before anything else it
// closes ours, the other end of the socket: if it kept a copy of that, it would not notice
// that this process is gone, which can happen at any moment.
//
//go:norace
func forkBlocked(socket, ours uintptr) (pid int, errno syscall.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, before := ^uint64(0), uint64(0)
	if errno := setSignalMask(&all, &before); errno != 0 {
		return 0, errno
	}
	pid = forkAgent(socket, ours)
	setSignalMask(&before, nil)
	if pid < 0 {
		return 0, syscall.Errno(-pid)
	}
	return pid, 0
}

// setSignalMask sets the signal mask of this thread.
func setSignalMask(mask, before *uint64) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(mask)), uintptr(unsafe.Pointer(before)), 8, 0, 0)
	return errno
}

//go:noescape
func forkAgent(socket, ours uintptr) (pid int)

// serveCode returns the address of the agent's code.
func serveCode() unsafe.Pointer

// do makes the agent make a system call, and returns its result. The error is ESRCH if
// the agent has ended.
func (a *agent) do(call uintptr, args ...uintptr) (uintptr, error) {
	if err := a.request(call, args...); err != nil {
		return 0, err
	}
	return a.result()
}

// request asks for a system call and does not wait for the answer.
func (a *agent) request(call uintptr, args ...uintptr) error {
	return a.sendRequest(callRequest{call: call}, args)
}

// requestLast asks for the system call that the agent makes when this process is gone.
func (a *agent) requestLast(call uintptr, args ...uintptr) error {
	return a.sendRequest(callRequest{call: call, last: 1}, args)
}

func (a *agent) sendRequest(r callRequest, args []uintptr) error {
	copy(r.args[:], args)
	return a.send(unsafe.Slice((*byte)(unsafe.Pointer(&r)), unsafe.Sizeof(r)))
}

func (a *agent) send(message []byte) error {
	if err := unix.Send(a.socket, message, unix.MSG_NOSIGNAL); err != nil {
		if err == unix.EPIPE || err == unix.ECONNRESET {
			err = unix.ESRCH
		}
		return err
	}
	return nil
}

// result waits for the answer to a request.
func (a *agent) result() (uintptr, error) {
	var answer [8]byte
	if err := a.receive(answer[:]); err != nil {
		return 0, err
	}
	value := binary.NativeEndian.Uint64(answer[:])
	if value > ^uint64(4095) { // the highest values are negative errnos
		return 0, syscall.Errno(-value)
	}
	return uintptr(value), nil
}

// awaitInput calls idle, if there is one, from time to time until there is something to
// read or the socket is closed.
func (a *agent) awaitInput() {
	const interval = 50 // ms
	for a.idle != nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(a.socket), Events: unix.POLLIN}}, interval)
		if n > 0 || err != nil && err != unix.EINTR {
			return
		}
		a.idle()
	}
}

func (a *agent) receive(message []byte) error {
	a.awaitInput()
	for {
		n, err := unix.Read(a.socket, message)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return unix.ETIMEDOUT // since EAGAIN can also be the result of a request
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

// peek reads the agent's memory at an address.
func (a *agent) peek(address uintptr, text []byte) error {
	if err := a.request(unix.SYS_WRITE, uintptr(a.number), address, uintptr(len(text))); err != nil {
		return err
	}
	if err := a.receive(text); err != nil {
		return err
	}
	_, err := a.result()
	return err
}

// poke writes to the agent's memory at an address.
func (a *agent) poke(address uintptr, text []byte) error {
	const most = 64 << 10 // bytes in a message
	for len(text) > 0 {
		n := min(len(text), most)
		if err := a.request(unix.SYS_READ, uintptr(a.number), address, uintptr(n)); err != nil {
			return err
		}
		if err := a.send(text[:n]); err != nil {
			return err
		}
		if _, err := a.result(); err != nil {
			return err
		}
		text, address = text[n:], address+uintptr(n)
	}
	return nil
}

// startMinimalAgent starts an agent that executes a program of its own, one page long. So
// it does not hold our memory, it has no other descriptors than its socket and the one
// kept, and it does not have our name. Where programs in memory may not be executed, it
// remains a fork of this process and closes what it can. number is the number of the kept
// descriptor in the agent.
func startMinimalAgent(name string, kept int) (a *agent, number int, err error) {
	code := unsafe.String((*byte)(serveCode()), agentCodeBytes)
	executable, refused := writeProgram("", name, program(code))
	if refused == nil {
		defer unix.Close(executable)
	}
	if a, err = startAgent(); err != nil {
		return nil, 0, err
	}
	number = kept
	if refused == nil {
		refused = a.executeItself(executable, name, kept)
	}
	switch {
	case refused == nil:
		number = 1
	case errors.Is(refused, unix.EACCES):
		err = a.closeAllBut(kept)
	default:
		err = fmt.Errorf("execute the agent's program: %w", refused)
	}
	if err == nil {
		err = a.rename(name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, a.end())
	}
	return a, number, nil
}

// closeAllBut closes all of the agent's descriptors except its socket and kept.
func (a *agent) closeAllBut(kept int) error {
	low, high := uintptr(min(kept, a.number)), uintptr(max(kept, a.number))
	for _, between := range [][2]uintptr{{0, low - 1}, {low + 1, high - 1}, {high + 1, ^uintptr(0) >> 1}} {
		if int(between[0]) > int(between[1]) {
			continue
		}
		if _, err := a.do(unix.SYS_CLOSE_RANGE, between[0], between[1]&(1<<31-1), 0); err != nil {
			return fmt.Errorf("close descriptors: %w", err)
		}
	}
	return nil
}

// executeItself makes the agent execute a program that is an agent again, with the
// socket as descriptor 0 and kept as descriptor 1.
func (a *agent) executeItself(program int, name string, kept int) error {
	var m image
	empty, argv, environ := m.text(""), m.vector([]string{name}), m.vector(nil)
	base, err := m.mapInto(a)
	if err != nil {
		return err
	}
	for _, move := range [][2]int{{kept, 1}, {a.number, 0}} {
		if _, err := a.do(unix.SYS_DUP3, uintptr(move[0]), uintptr(move[1]), 0); err != nil {
			return err
		}
	}
	if _, err := a.do(unix.SYS_CLOSE_RANGE, 2, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	// There is no answer if the program is executed: then the first answer is that to the
	// next request.
	err = a.request(unix.SYS_EXECVEAT, uintptr(program), base+empty, base+argv, base+environ, unix.AT_EMPTY_PATH)
	if err != nil {
		return err
	}
	if err := a.request(unix.SYS_GETPID); err != nil {
		return err
	}
	if _, err := a.result(); err != nil {
		_, skipped := a.result() // the answer to the second request
		return errors.Join(err, skipped)
	}
	a.number = 0
	return nil
}

// rename sets the name of the agent's thread.
func (a *agent) rename(name string) error {
	var m image
	text := m.text(name)
	base, err := m.mapInto(a)
	if err == nil {
		_, err = a.do(unix.SYS_PRCTL, unix.PR_SET_NAME, base+text)
	}
	return err
}

// end kills the agent, which does not make its last call.
func (a *agent) end() error {
	// It is our child and has not been waited for, so the pid is still its own.
	err := unix.Kill(a.pid, unix.SIGKILL)
	for {
		_, waitErr := unix.Wait4(a.pid, nil, 0, nil)
		if waitErr != unix.EINTR {
			return errors.Join(err, waitErr, unix.Close(a.socket))
		}
	}
}

// image is the content of memory that is to be mapped in an agent. Its parts are known by
// their offsets.
type image struct {
	bytes []byte
	// pointers are the offsets of words that hold offsets, and become addresses.
	pointers []int
}

// put adds bytes and returns their offset.
func (m *image) put(b []byte) uintptr {
	for len(m.bytes)%8 != 0 {
		m.bytes = append(m.bytes, 0)
	}
	m.bytes = append(m.bytes, b...)
	return uintptr(len(m.bytes) - len(b))
}

// words adds words of 64 bits and returns their offset.
func (m *image) words(values ...uint64) uintptr { return m.put(words64(values...)) }

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

// text adds a string with a null byte at its end and returns its offset.
func (m *image) text(s string) uintptr { return m.put(append([]byte(s), 0)) }

// vector adds strings, and an array of their addresses with a null pointer at its end, as
// execve takes it. It returns the array's offset.
func (m *image) vector(strings []string) uintptr {
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

// mapInto maps the image in an agent and returns its address there.
func (m *image) mapInto(a *agent) (uintptr, error) {
	base, err := a.do(unix.SYS_MMAP, 0, uintptr(len(m.bytes)+8), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
	if err != nil {
		return 0, fmt.Errorf("map memory: %w", err)
	}
	for _, p := range m.pointers {
		word := m.bytes[p : p+8]
		binary.NativeEndian.PutUint64(word, binary.NativeEndian.Uint64(word)+uint64(base))
	}
	m.pointers = nil
	return base, a.poke(base, m.bytes)
}
