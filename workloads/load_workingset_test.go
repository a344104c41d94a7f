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

// recordedTurns are the longest times on the core that a turn of a variant took, in either mode,
// in four passes of BenchmarkTurnsOfWorkingset on a virtual machine that did nothing else, where
// other guests share the last-level cache. A turn depends on how much memory a walk visits, so a
// changed buffer needs a new record.
func recordedTurns() map[string]turnTime {
	return map[string]turnTime{
		"16 KiB each":           {16 * kib, 5305 * time.Nanosecond},
		"256 KiB each":          {256 * kib, 79 * time.Microsecond},
		"1 MiB each":            {mib, 1462 * time.Microsecond},
		"16 KiB each of 16":     {16 * kib, 6173 * time.Nanosecond},
		"256 KiB shared":        {256 * kib, 35 * time.Microsecond},
		"4 MiB each by pages":   {4 * mib, 37 * time.Microsecond},
		"4 MiB shared by pages": {4 * mib, 30 * time.Microsecond},
	}
}

// turnTime is the time of one turn of a variant with a buffer.
type turnTime struct {
	buffer int
	took   time.Duration
}

// In a trial of default length each variant has so many turns that their median means
// something: of 50, the 95 % interval of the median spans the middle 28 %. Other work on a
// machine makes walks slower, so this compares times that were recorded.
func TestWorkingsetHasManyTurns(t *testing.T) {
	const enough = 50
	for _, v := range workingset().Variants(1) {
		recorded, ok := recordedTurns()[v.Name]
		if !ok || recorded.buffer != v.buffer {
			t.Errorf("%s: no turn with a buffer of %d bytes is recorded: run BenchmarkTurnsOfWorkingset",
				v.Name, v.buffer)
			continue
		}
		duration := variantTrial(workingset(), v, Processes, 0).Duration
		if n := duration / recorded.took; n < enough {
			t.Errorf("%s: %d turns of %v in %v, want %d", v.Name, n, recorded.took, duration, enough)
		}
	}
}

// BenchmarkTurnsOfWorkingset reports the time on the core that one turn takes, and how many
// turns a trial of default length has.
func BenchmarkTurnsOfWorkingset(b *testing.B) {
	for _, v := range workingset().Variants(1) {
		for _, mode := range []Mode{Processes, Threads} {
			b.Run(v.Name+"/"+string(mode), func(b *testing.B) {
				var turns int64
				var onCPU time.Duration
				for b.Loop() {
					r := &recorder{}
					if err := Run(b.Context(), variantTrial(workingset(), v, mode, 61), nil, r); err != nil {
						b.Fatal(err)
					}
					turns += r.results[0].operations()
					for _, w := range r.results[0].Workers {
						onCPU += w.After.Runtime - w.Before.Runtime
					}
				}
				turn := onCPU / time.Duration(turns)
				b.ReportMetric(float64(turn.Nanoseconds()), "ns/turn")
				b.ReportMetric(float64(variantTrial(workingset(), v, mode, 0).Duration/turn), "turns/trial")
			})
		}
	}
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
