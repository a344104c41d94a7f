package bpf

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// Times that are longer than the buckets, or wider than a field, are counted as the package
// comment says.
func TestFiguresBeyondTheirFields(t *testing.T) {
	const (
		second  = uint64(1e9)
		longest = uint64(math.MaxUint32) // of a phase
	)
	type page = ClassHists
	for name, row := range map[string]struct {
		pick, took, slice uint64
		pickSum, tookSum  uint64
		lastPick, lastEnd uint32 // in the last bucket of the slices, of the phases
	}{
		"all short":               {10, 20, 1000, 10, 20, 0, 0},
		"phases of 9 ms":          {9e6, 9e6, 1000, 9e6, 9e6, 1, 0},
		"phases of 5 s":           {5 * second, 6 * second, 1000, longest, longest, 1, 0},
		"a slice of a quarter h":  {10, 20, 900 * second, 10, 20, 0, 1},
		"a slice of a whole week": {10, 20, 7 * 86400 * second, 10, 20, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t)
			r.watch(a, FollowNone)
			at := 100 * second
			r.entry(0, at-row.pick)
			r.switchTo(0, at, idle, a)
			r.exit(0, at+row.took)
			r.turn(0, at+row.slice+row.took, a, idle)
			s := r.snapshot(0, at+row.slice+row.took+50, idle)
			in := &s.Sums.Classes[classIdleOut]
			want(t, "switches", in.Switches, 1)
			want(t, "pick", in.PickSum, row.pickSum)
			want(t, "longest pick", in.PickMax, row.pickSum)
			want(t, "switch phase", in.SwitchSum, row.tookSum)
			want(t, "pick and switch phase", in.CostSum, row.pickSum+row.tookSum)
			want(t, "picks in the last bucket", uint64(in.Pick[len(page{}.Pick)-1]), uint64(row.lastPick))
			slices := &s.Sums.Slices[byOther]
			want(t, "slices", slices.Sum, row.slice+row.took)
			want(t, "the longest", slices.Max, row.slice+row.took)
			want(t, "slices in the last bucket", uint64(slices.Bucket[len(Hist{}.Bucket)-1]), uint64(row.lastEnd))
		})
	}
}

// If there are more kinds of timers than are remembered, the kernel is asked for the names of
// some again, and the tick is still known.
func TestMoreTimersThanAreRemembered(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 500, idle, a)
	pass := func(from, to int, asked uint64) {
		t.Helper()
		for i := from; i < to; i++ {
			r.timerBegins(0, 1000, timerPlain+4*i, a)
			r.timerEnds(0, 1001, timerPlain+4*i, a, 0)
		}
		want(t, "times that the kernel was asked for a name", r.globals().PlainTimers, asked)
	}
	const remembered = len(Globals{}.PlainFunction)
	pass(1, 1+remembered, uint64(remembered))
	pass(2, 1+remembered, uint64(remembered)) // the replay has a timer of its own in the first place
	pass(100, 140, uint64(remembered)+40)
	pass(2, 3, uint64(remembered)+41)
	r.tick(0, 1900, a, resched)
	r.turn(0, 2000, a, idle)
	wantEnded(t, r.watched(10), [causes]uint64{byTick: 1})
}

// The slots of all places are there, each once, and the lowest is taken first.
func TestManyPlacesAreMade(t *testing.T) {
	for _, tasks := range []int{1, 127, 128, 129, 1000} {
		r := newReplayOf(t, Options{Cores: 1, Tasks: tasks})
		free := r.free()
		want(t, "places", uint64(len(free)), uint64(tasks))
		for i, slot := range free {
			if int(slot) != i {
				t.Fatalf("of %d places number %d is slot %d", tasks, i, slot)
			}
		}
	}
}

// Making room for very many tasks takes hardly longer than for a few: a system call for each
// would take thirty times as long.
func TestManyPlacesAreMadeAtOnce(t *testing.T) {
	took := func(tasks int) time.Duration {
		best := time.Hour
		for range 3 {
			began := time.Now()
			objs, err := load(t, Options{Cores: 1, Tasks: tasks})
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
			objs.Close()
		}
		return best
	}
	few, many := took(1024), took(1<<18)
	if many > 12*few {
		t.Errorf("room for %d tasks takes %v to make, for 1024 %v", 1<<18, many, few)
	}
	t.Logf("1024 tasks: %v; %d: %v", few, 1<<18, many)
}

// Programs that are loaded but not attached have no maps of the attached ones, so the README's
// table lists all memory.
func TestOnlyAttachedProgramsHaveMaps(t *testing.T) {
	attached, err := loadSlicetrace()
	if err != nil {
		t.Fatal(err)
	}
	for name, load := range map[string]func() (*ebpf.CollectionSpec, error){
		"others": loadOthers, "floor": loadFloor,
	} {
		spec, err := load()
		if err != nil {
			t.Fatal(err)
		}
		for m := range spec.Maps {
			if attached.Maps[m] != nil && !strings.HasPrefix(m, ".") { // variables of its own
				t.Errorf("%s has the map %s", name, m)
			}
		}
	}
}

// Every bound that the package comments list has its test.
func TestEveryBoundHasItsTest(t *testing.T) {
	var tests strings.Builder
	for _, folder := range []string{".", "../collector", "../cmd/slicetrace", "../report"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	for file, least := range map[string]int{"doc.go": 16, "../collector/doc.go": 5} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(string(text), "// # Bounds\n")
		bounds := strings.Split(list, "//   - ")[1:]
		if len(bounds) < least {
			t.Errorf("%s lists %d bounds, want %d and more", file, len(bounds), least)
		}
		for _, bound := range bounds {
			names := regexp.MustCompile(`\bTest\w+`).FindAllString(bound, -1)
			if len(names) == 0 {
				t.Errorf("%s: no test of %q", file, strings.TrimSpace(bound))
			}
			for _, name := range names {
				if !strings.Contains(tests.String(), "func "+name+"(") {
					t.Errorf("%s names %s, which is nowhere", file, name)
				}
			}
		}
	}
}
