package screen

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// styles are the only escape sequences in a frame.
var styles = regexp.MustCompile("\x1b\\[(1|7|1;33)?m")

func unstyled(frame string) string { return styles.ReplaceAllString(frame, "") }

// counting returns an action that counts how often it is called.
func counting[T any](n *atomic.Int64) func(context.Context, T) (string, error) {
	return func(context.Context, T) (string, error) {
		n.Add(1)
		return "done", nil
	}
}

// checkFrame checks that a frame has exactly the height of the terminal, is not wider, and cannot
// control it.
func checkFrame(t *testing.T, s *screen) {
	t.Helper()
	frame := unstyled(s.View().Content)
	lines := strings.Split(frame, "\n")
	if len(lines) != s.height {
		t.Errorf("%d lines on a terminal of %d", len(lines), s.height)
	}
	for _, line := range lines {
		if n := textWidth(line); n > s.width {
			t.Errorf("%d columns on a terminal of %d: %q", n, s.width, line)
		}
		for _, r := range line {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Mn, r) {
				t.Errorf("%q is on the screen: %q", r, line)
			}
		}
	}
	if c := s.View().Cursor; c != nil && (c.X < 0 || c.X >= s.width || c.Y < 0 || c.Y >= s.height) {
		t.Errorf("the cursor is at %d, %d of %d × %d", c.X, c.Y, s.width, s.height)
	}
}

// Whatever the user does on a terminal of whatever size, a frame fits and nothing fails.
func TestFramesAlwaysFit(t *testing.T) {
	reports := []*report.Report{
		server(4), hostile(), {}, {Trials: []report.Trial{{Mode: report.SystemMode}}},
		reporttest.System(reporttest.SystemSize{Cores: 300, Tasks: 2000, Groups: 40, Intervals: 2}),
		reporttest.System(reporttest.SystemSize{Cores: 1, Tasks: 1, Groups: 1, Intervals: 2}),
	}
	var keys []string
	for _, b := range bindings() {
		for _, key := range b.keys {
			if key != "ctrl+z" && key != "ctrl+c" {
				keys = append(keys, key)
			}
		}
	}
	keys = append(keys, "backspace", "a", "漢", "1", "|", "enter", "enter", "esc")
	random := rand.New(rand.NewPCG(1, 2))
	var n atomic.Int64
	for turn := range 120 {
		r := reports[turn%len(reports)]
		s := opened(&report.Report{Trials: r.Trials[:min(1, len(r.Trials))]}, 80, 24, Options{
			SetInterval: func(time.Duration) {}, Record: counting[time.Duration](&n), Write: counting[Shown](&n),
		})
		var pressed []string
		for step := range 60 {
			switch {
			case step%6 == 0:
				s.Update(tea.WindowSizeMsg{Width: 1 + random.IntN(300), Height: 1 + random.IntN(100)})
			case step%6 == 3 && len(r.Trials) > 0:
				s.data.Add(&r.Trials[random.IntN(len(r.Trials))])
				s.Update(changedMsg{})
			default:
				key := keys[random.IntN(len(keys))]
				pressed = append(pressed, key)
				s.Update(keyNamed(key))
			}
			if checkFrame(t, s); t.Failed() {
				t.Fatalf("%d × %d after %v", s.width, s.height, pressed)
			}
		}
	}
	for _, size := range [][2]int{{0, 0}, {0, 5}, {5, 0}, {1, 1}, {2, 2}, {1, 100}, {300, 1}, {7, 3}} {
		s := opened(reports[0], size[0], size[1], Options{})
		if s.View(); size[0] > 0 && size[1] > 0 {
			checkFrame(t, s)
		}
	}
}

// BenchmarkFrame measures a frame of a new interval with 1000 cores and 50 000 tasks, and one after a
// key.
func BenchmarkFrame(b *testing.B) {
	r := reporttest.System(reporttest.SystemSize{Cores: 1000, Tasks: 50_000, Groups: 2000, Intervals: 2})
	b.Run("interval", func(b *testing.B) {
		s := opened(r, 300, 100, Options{})
		press(s, "down")
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			s.data.Add(&r.Trials[i%2])
			b.StartTimer()
			s.Update(changedMsg{})
			s.View()
		}
	})
	for name, keys := range map[string][]string{
		"key": {"down"}, "search": {"/", "x", "esc"}, "sort": {">"}, "detail": {"enter", "esc"},
	} {
		b.Run(name, func(b *testing.B) {
			s := opened(r, 300, 100, Options{})
			for b.Loop() {
				press(s, keys...)
			}
		})
	}
}

// Columns are left out on narrow terminals, but never the first; a wide one shows all.
func TestTheFirstColumnStays(t *testing.T) {
	for _, keys := range [][]string{nil, {"g"}, {"g", "g"}, {"g", "g", "g"}} {
		s := opened(server(1), 40, 10, Options{})
		press(s, keys...)
		for width := 1; width < 320; width += 3 {
			g := newGrid(s.taskTable(), width, 0, 5, 0)
			if g.shown[0] != 0 || !slices.IsSorted(g.shown) {
				t.Fatalf("%d columns: %v are shown", width, g.shown)
			}
		}
		g := newGrid(s.taskTable(), 400, 0, 5, 0)
		if len(g.shown) != len(s.taskTable().Columns) {
			t.Errorf("a wide terminal shows %d of %d columns", len(g.shown), len(s.taskTable().Columns))
		}
	}
}

// BenchmarkInterval measures all that the screen does for an interval with 10 000 tasks, but for the
// terminal's own part.
func BenchmarkInterval(b *testing.B) {
	r := reporttest.System(reporttest.SystemSize{Cores: 64, Tasks: 10_000, Groups: 200, Intervals: 2})
	s := opened(r, 120, 40, Options{})
	press(s, "down")
	for i := 0; b.Loop(); i++ {
		s.data.Add(&r.Trials[i%2])
		s.Update(changedMsg{})
		s.View()
	}
}
