//go:build linux

package workloads

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// On any machine, caches and TLB no longer hold a buffer after a walk through far more
// memory than they have room for.
func TestWalkIsSlowerInColdCaches(t *testing.T) {
	mine := ringOfOne(t, Variant{buffer: 256 * kib})
	other := ringOfOne(t, Variant{buffer: 512 * mib, byPages: true})
	for n := range int64(23) {
		other.walk(other.buffer)
		for at := 0; at < 512*mib; at += cacheLine * 8 {
			other.kept += uint64(*(*byte)(unsafe.Add(other.buffer, at)))
		}
		mine.timedWalk(mine.buffer, n)
	}
	cold := mine.medianTime(23)
	for n := range int64(23) {
		mine.timedWalk(mine.buffer, n)
	}
	if warm := mine.medianTime(23); warm <= 0 || cold <= warm*5/4 {
		t.Errorf("a walk took %d ns with cold caches, %d with warm ones", cold, warm)
	}
}

// A walk visits all places; each place leads to the next one.
func TestWalkVisitsEveryPlace(t *testing.T) {
	for _, v := range workingset().Variants(2) {
		mem := make([]byte, v.buffer)
		v.layOut(mem)
		places, stride := v.places()
		seen, ahead := make(map[uint32]bool), 0
		for at := uint32(0); !seen[at]; {
			seen[at] = true
			next := binary.NativeEndian.Uint32(mem[at:])
			if next == at+uint32(stride) {
				ahead++
			}
			at = next
		}
		if len(seen) != places || ahead > 1+places/50 {
			t.Errorf("%s: a walk visits %d of %d places, and %d times the one right behind the last",
				v.Name, len(seen), places, ahead)
		}
		pages := make(map[uint32]bool)
		for at := range seen {
			pages[at/(4*kib)] = true
		}
		if v.byPages && len(pages) != places {
			t.Errorf("%s: %d places are on %d pages", v.Name, places, len(pages))
		}
	}
}

func TestMedianOfTimes(t *testing.T) {
	for want, times := range map[int64][]uint32{noTime: {}, 7: {7}, 9: {9, 3}, 5: {9, 1, 5, 4, 8}} {
		w := &worker{times: times}
		if got := w.medianTime(int64(len(times)) + 3); got != want {
			t.Errorf("the median is %d, want %d", got, want)
		}
	}
}

// ringOfOne returns a worker with a buffer that is the only one of its trial.
func ringOfOne(t *testing.T, v Variant) *worker {
	t.Helper()
	m, fd, err := createSharedMemory(1)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	w := &worker{shared: m, slot: &m.slots[0], variant: v}
	runtime.LockOSThread() // prepare changes the thread's policy
	if err := prepareBuffer(w); err != nil {
		t.Fatal(err)
	}
	return w
}

// In a trial of default length each variant has so many turns that their median means
// something. The test computes their number from the time on the core that some turns take,
// since other tasks can take the core. They can also make the walks slower, but not by so
// much that half of the turns are missing.
func TestWorkingsetHasManyTurns(t *testing.T) {
	const enough, atLeast = 200, 100
	inAllVariants(t, workingset(), func(t *testing.T, v Variant, mode Mode) {
		duration := variantTrial(workingset(), v, mode, 0).Duration
		trial := variantTrial(workingset(), v, mode, 61)
		inMostTrials(t, func() string {
			r := runTrial(t, trial)
			turns := float64(r.operations())
			var onCPU time.Duration
			for _, w := range r.Workers {
				onCPU += w.After.Runtime - w.Before.Runtime
			}
			if r.Figures[0].Name != "walk_switched_p50_ns" {
				t.Fatalf("the first figure is %s", r.Figures[0].Name)
			}
			walk := time.Duration(r.Figures[0].Value) / time.Duration(len(r.Workers))
			want := float64(enough)
			if turns*float64(walk) > 0.7*float64(onCPU) { // the walks are slow, and nothing else is
				want = atLeast
			}
			if n := turns * float64(duration) / float64(onCPU); n < want {
				return fmt.Sprintf("%.0f turns in %v on the core, of %v each: %.0f in %v, want %.0f",
					turns, onCPU, walk, n, duration, want)
			}
			return ""
		})
	})
}

// In a shared variant threads have one mapping of the buffer, and processes have one each.
func TestSharedBufferIsShared(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		v := workingset().Variants(1)[4]
		if !v.shared {
			t.Fatalf("%s is not shared", v.Name)
		}
		var mapped int
		r := &recorder{ready: func(workers []Worker) error {
			for _, pid := range pidsOf(workers) {
				maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
				if err != nil {
					return err
				}
				mapped += strings.Count(string(maps), "slicetrace-buffer")
			}
			return nil
		}}
		if err := Run(t.Context(), variantTrial(workingset(), v, mode, 7), nil, r); err != nil {
			t.Fatal(err)
		}
		if want := map[Mode]int{Processes: 2, Threads: 1}[mode]; mapped != want {
			t.Errorf("the buffer is mapped %d times, want %d", mapped, want)
		}
	})
}
