package cgroup

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// While groups are made and removed, each id has its own name or none, and the counters of its own
// group or none.
func TestGroupsThatComeAndGo(t *testing.T) {
	eachHierarchy(t, func(t *testing.T, r *Resolver, top, name string) {
		c := &clock{time.Now()}
		var ticks sync.Mutex
		r.now = func() time.Time { // each call may search again
			ticks.Lock()
			defer ticks.Unlock()
			c.pass(time.Minute)
			return c.Time
		}
		all, err := ParsePattern(name)
		if err != nil {
			t.Fatal(err)
		}
		ids := make(chan [2]uint64, 8)
		var makers, readers sync.WaitGroup
		for maker := range uint64(2) {
			makers.Go(func() {
				for range 150 {
					dir := fmt.Sprintf("%s/%d.service", top, maker)
					var made unix.Stat_t
					if err := os.Mkdir(dir, 0o755); err != nil {
						t.Error(err)
						return
					}
					if err := unix.Stat(dir, &made); err != nil {
						t.Error(err)
					}
					ids <- [2]uint64{made.Ino, maker}
					if err := os.Remove(dir); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 2 {
			readers.Go(func() {
				for id := range ids {
					g := r.Group(id[0])
					r.Counters(id[0])
					r.Quota(id[0])
					own := fmt.Sprintf("%d.service", id[1])
					if g.State == Present && g.Name != own || g.Path != "" && g.Path != name+"/"+own {
						t.Errorf("group %d of maker %d: %+v", id[0], id[1], g)
					}
					if groups, err := r.Match(all); err != nil || len(groups) < 1 || len(groups) > 3 {
						t.Errorf("groups %+v, %v", groups, err)
					}
					if g := r.Group(id[0]); g.State != Present && g.State != Gone {
						t.Errorf("a search later: %+v", g)
					}
				}
			})
		}
		makers.Wait()
		close(ids)
		readers.Wait()
	})
}
