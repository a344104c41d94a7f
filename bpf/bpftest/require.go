// Package bpftest decides whether a test that needs the kernel can run.
package bpftest

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Require skips the test unless this process may trace the kernel. Under
// SLICETRACE_REQUIRE_BPF=1 it fails the test instead, so that CI cannot pass
// by skipping. In a package that traces, see Run, it waits for its turn.
func Require(t testing.TB) {
	t.Helper()
	RequireRights(t)
	runAlone(t)
}

// RequireRights is Require for a test whose parts trace by themselves, each with a turn of its own.
func RequireRights(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 && hasAdmin() {
		return
	}
	Unavailable(t, "needs root: run go test -exec \"sudo -E\"")
}

// Unavailable skips the test for a reason, or fails it under SLICETRACE_REQUIRE_BPF=1.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("SLICETRACE_REQUIRE_BPF") == "1" {
		t.Fatalf("must run under SLICETRACE_REQUIRE_BPF=1, but %s", reason)
	}
	t.Skip(reason)
}

// Lacks ends a test that needs a feature of the kernel or the machine. It skips the test if
// the feature is missing. If the feature is there, has is true and the test fails: then it
// is the product that does not use it.
func Lacks(t testing.TB, has bool, format string, args ...any) {
	t.Helper()
	if has {
		t.Fatalf("what this test needs is there, but "+format, args...)
	}
	t.Skipf("what this test needs is missing: "+format, args...)
}

// Emulated reports whether the kernel runs in software emulation (.ci/kernels), where
// time means nothing and work takes a hundred times as long. Tests do less work there, and
// leave out what is only true of cores that run at the same time.
func Emulated() bool { return os.Getenv("SLICETRACE_EMULATED") == "1" }

// WorkFor returns how long a trial is to work: d, or a third of it in emulation.
func WorkFor(d time.Duration) time.Duration {
	if Emulated() {
		return d / 3
	}
	return d
}

// hasAdmin tells root from root in a container that may do nothing.
func hasAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}
