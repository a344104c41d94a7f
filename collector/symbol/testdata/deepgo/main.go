// Command deepgo waits for the end of its input in a system call, deep in functions.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

//go:noinline
func recursive(n int) int {
	if n == 0 {
		return waitHere()
	}
	return recursive(n-1) + n
}

//go:noinline
func waitHere() int {
	line := strconv.Itoa(syscall.Gettid()) + "\n"
	if _, err := syscall.Write(1, []byte(line)); err != nil {
		panic(err)
	}
	var one [1]byte
	for {
		// The runtime must not run anything else on this thread.
		if n, _, _ := syscall.RawSyscall(syscall.SYS_READ, 0, uintptr(unsafe.Pointer(&one)), 1); n != 1 {
			return int(one[0])
		}
	}
}

func main() {
	runtime.LockOSThread()
	os.Exit(recursive(4) & 1)
}
