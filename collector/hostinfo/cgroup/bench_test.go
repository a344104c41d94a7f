package cgroup

import (
	"fmt"
	"os"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// BenchmarkGroups shows what 2000 new groups cost, and what their counters cost afterwards.
func BenchmarkGroups(b *testing.B) {
	bpftest.Require(b)
	const groups = 2000
	r, err := NewResolver(Options{MaxOpen: 4 * groups})
	if err != nil {
		bpftest.Lacks(b, false, "control groups: %v", err)
	}
	top := fmt.Sprintf("%s/slicetrace-test-%d", r.dir, os.Getpid())
	makeGroup(b, top)
	var ids []uint64
	for i := range groups {
		dir := fmt.Sprintf("%s/%d.service", top, i)
		makeGroup(b, dir)
		ids = append(ids, idOf(b, dir))
	}
	perGroup := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/groups, "ns/group")
	}
	for _, byHandle := range []bool{true, false} {
		b.Run(fmt.Sprintf("find by handle %v", byHandle), func(b *testing.B) {
			for b.Loop() {
				r, err := NewResolver(Options{})
				if err != nil {
					b.Fatal(err)
				}
				r.hierarchy.ByHandle = byHandle && r.hierarchy.ByHandle
				for _, id := range ids {
					if g := r.Group(id); g.State != Present {
						b.Fatalf("%+v", g)
					}
				}
				closeNow(b, r)
			}
			perGroup(b)
		})
	}
	for _, most := range []int{4 * groups, -1} {
		b.Run(fmt.Sprintf("counters, %d files open", max(0, most)), func(b *testing.B) {
			r.maxOpen = most
			for _, e := range r.known {
				r.closeFiles(e)
			}
			for b.Loop() {
				for _, id := range ids {
					r.Counters(id)
				}
			}
			perGroup(b)
		})
	}
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			for _, id := range ids {
				r.Group(id)
			}
		}
		perGroup(b)
	})
	closeNow(b, r)
}
