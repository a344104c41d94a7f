//go:build ignore

// Waits at known places, and says for how long it had no core at each: the name of its function, and nanoseconds.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

//go:noinline
func sleepHere() {
	ts := syscall.NsecToTimespec((2 * time.Millisecond).Nanoseconds())
	for err := syscall.EINTR; err == syscall.EINTR; { // a signal of Go's own
		err, _ = syscall.Nanosleep(&ts, &ts).(syscall.Errno)
	}
}

//go:noinline
func readHere(fd int) {
	var b [1]byte
	_, err := syscall.Read(fd, b[:])
	must(err)
}

//go:noinline
func syncHere(fd int) { must(syscall.Fsync(fd)) }

// onCore is how long this thread has had a core.
func onCore() time.Duration {
	const ofThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	must(syscall.Getrusage(ofThread, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func took(f func()) time.Duration {
	begin, before := time.Now(), onCore()
	f()
	return time.Since(begin) - (onCore() - before)
}

func main() {
	runtime.LockOSThread()
	var requests, answers [2]int
	must(syscall.Pipe(requests[:]))
	must(syscall.Pipe(answers[:]))
	file, err := os.Create("written")
	must(err)
	go func() {
		var b [1]byte
		for {
			if n, _ := syscall.Read(requests[0], b[:]); n != 1 {
				return
			}
			time.Sleep(3 * time.Millisecond)
			_, err := syscall.Write(answers[1], b[:])
			must(err)
		}
	}()
	var slept, read, synced time.Duration
	for range 50 {
		slept += took(sleepHere)
		_, err := syscall.Write(requests[1], []byte{0})
		must(err)
		read += took(func() { readHere(answers[0]) })
		_, err = file.Write(make([]byte, 4096))
		must(err)
		synced += took(func() { syncHere(int(file.Fd())) })
	}
	fmt.Printf("sleepHere %d\nreadHere %d\nsyncHere %d\n", slept, read, synced)
}
