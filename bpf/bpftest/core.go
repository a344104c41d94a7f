package bpftest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mostCores is NR_CPUS's bound on every architecture.
const mostCores = 8192

// AllowedCores returns the cores that this process may use, ascending, in the caller's type for a
// core's number. In a package that traces, no other package's test takes one of them until this test
// ends.
func AllowedCores[CPU ~int](t testing.TB) []CPU {
	t.Helper()
	runAlone(t)
	set := unix.NewCPUSet(mostCores)
	if err := unix.SchedGetaffinityDynamic(0, set); err != nil {
		t.Fatal(err)
	}
	var cores []CPU
	for cpu := range mostCores {
		if set.IsSet(cpu) {
			cores = append(cores, CPU(cpu))
		}
	}
	return cores
}

// NeedTwoCores skips the test, for the reason why, on a machine that has one core online. If it is
// only this process that may not use a second one, the test ends as by Unavailable.
func NeedTwoCores(t testing.TB, why string) {
	t.Helper()
	if len(AllowedCores[int](t)) > 1 {
		return
	}
	online, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil || strings.ContainsAny(string(online), ",-") {
		Unavailable(t, "this process may use one core only: "+why)
	}
	Lacks(t, false, "two cores, %s", why)
}

// OnOwnThread runs f on a thread that is pinned to a core and ends with f. It is never
// the main thread, which would go on, and whose affinity is the process's.
func OnOwnThread[CPU ~int](cpu CPU, f func(pinned error)) {
	go func() {
		runtime.LockOSThread() // and never unlock: so the thread ends
		if unix.Gettid() != unix.Getpid() {
			set := unix.NewCPUSet(mostCores)
			set.Set(int(cpu))
			f(unix.SchedSetaffinityDynamic(0, set))
			return
		}
		done := make(chan struct{})
		OnOwnThread(cpu, func(pinned error) {
			defer close(done)
			f(pinned)
		})
		<-done
		runtime.UnlockOSThread()
	}()
}

// PluggableCore returns the last core, and a function that takes it offline and back. At
// the test's end the core is back in any case. The test is skipped if no core can be taken
// offline.
func PluggableCore[CPU ~int](t testing.TB) (cpu CPU, plug func(in bool)) {
	t.Helper()
	cores := AllowedCores[CPU](t)
	cpu = cores[len(cores)-1]
	file := fmt.Sprintf("/sys/devices/system/cpu/cpu%d/online", cpu)
	if text, err := os.ReadFile(file); err != nil || len(cores) < 2 || strings.TrimSpace(string(text)) != "1" {
		Lacks(t, false, "no core can be taken offline: of %d the last is %q in %s, %v", len(cores), text, file, err)
	}
	return cpu, Plug(t, cpu)
}

// Plug returns a function that takes a core offline and back. At the test's end the core is
// again as it was. Until then, the tests of RunOnEveryCore wait. The test is skipped if the core
// cannot be taken offline at all.
func Plug[CPU ~int](t testing.TB, cpu CPU) func(in bool) {
	t.Helper()
	t.Cleanup(hold(coresLock, unix.LOCK_EX)) // after the cleanup below
	file := fmt.Sprintf("/sys/devices/system/cpu/cpu%d/online", cpu)
	was, err := os.ReadFile(file)
	if err != nil {
		Lacks(t, false, "core %d cannot be taken offline or back: %v", cpu, err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(file, was, 0o644); err != nil {
			t.Errorf("make core %d as it was: %v", cpu, err)
		}
	})
	return func(in bool) {
		value := "0"
		if in {
			value = "1"
		}
		if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
			Unavailable(t, fmt.Sprintf("the kernel does not plug core %d: %v", cpu, err))
		}
	}
}
