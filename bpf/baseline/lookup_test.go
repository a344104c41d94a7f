package baseline

import (
	"os"
	"runtime"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

//go:generate -command bpf2go go tool bpf2go -cc clang-19 -target amd64,arm64 -cflags "-O2 -g -Wall -Werror"
//go:generate bpf2go lookup lookup.bpf.c -- -I../headers -I..

// lookups is how often each program looks for the task: LOOKUPS in lookup.bpf.c.
const lookups = 1024

func TestMain(m *testing.M) { os.Exit(bpftest.Run(m)) }

// BenchmarkLookup measures how long it takes to find a watched task's slot, in ns, by each of
// the ways, for a task that is watched and for one that is not.
func BenchmarkLookup(b *testing.B) {
	bpftest.Require(b)
	for _, watched := range []bool{false, true} {
		var objs lookupObjects
		if err := loadLookupObjects(&objs, nil); err != nil {
			b.Fatalf("%+v", err)
		}
		defer objs.Close()
		name, want := " absent", uint32(0)
		if watched {
			name, want = " found", lookups
		}
		for way, program := range map[string]*ebpf.Program{
			"index": objs.StLookupIndex, "hash": objs.StLookupHash, "storage": objs.StLookupStorage,
		} {
			b.Run(way+name, func(b *testing.B) {
				runtime.LockOSThread() // the program looks for the current task
				defer runtime.UnlockOSThread()
				if watched {
					run(b, objs.StLookupAdd)
				}
				for b.Loop() {
					run(b, program)
				}
				var found uint32
				if err := objs.LookupFound.Get(&found); err != nil || found != want {
					b.Fatalf("found %d of %d times, %v", found, want, err)
				}
				b.ReportMetric(0, "ns/op") // it contains the system call
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lookups, "ns/lookup")
			})
		}
	}
}

func run(b *testing.B, program *ebpf.Program) {
	b.Helper()
	if ret, err := program.Run(&ebpf.RunOptions{}); err != nil || ret != 0 {
		b.Fatalf("program returned %d, %v", ret, err)
	}
}
