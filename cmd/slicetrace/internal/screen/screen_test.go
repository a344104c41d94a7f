package screen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view/live"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// server is a busy server of 16 cores.
func server(intervals int) *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 16, Tasks: 300, Groups: 12, Intervals: intervals})
}

// hostile is a server whose names try to control the terminal.
func hostile() *report.Report {
	r := reporttest.System(reporttest.SystemSize{Cores: 2, Tasks: 40, Groups: 8, Intervals: 2})
	bad := append(reporttest.HostileNames(),
		"漢字漢字漢字漢", "e\u0301e\u0301", "👩\u200d👩\u200d👧", "\u202eright", "")
	for i := range r.Trials {
		s := r.Trials[i].System
		for j := range s.Tasks {
			s.Tasks[j].Comm, s.Tasks[j].Process = bad[j%len(bad)], bad[(j+3)%len(bad)]
		}
		for j := range s.Groups {
			s.Groups[j].Name, s.Groups[j].Path = bad[j%len(bad)], "/\x1b]0;owned\x07\n"+bad[j%len(bad)]
		}
		for j := range s.Ended {
			s.Ended[j].Comm = bad[j%len(bad)]
		}
	}
	return r
}

// opened returns a screen of a size that shows the last interval of a report.
func opened(r *report.Report, width, height int, o Options) *screen {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	s := newScreen(context.Background(), o)
	s.Update(tea.WindowSizeMsg{Width: width, Height: height})
	for i := range r.Trials {
		s.data.Add(&r.Trials[i])
		s.Update(changedMsg{})
	}
	return s
}

// explained are the options of a screen that says why tasks were off their cores.
func explained(r *report.Report) Options {
	return Options{Stacks: func() ([]report.Stack, []report.Frame) { return r.Stacks, r.Frames }}
}

// keyNamed returns the key with a name of bubbletea's.
func keyNamed(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome,
		"end": tea.KeyEnd, "enter": tea.KeyEnter, "esc": tea.KeyEsc, "backspace": tea.KeyBackspace,
		"f1": tea.KeyF1, "f3": tea.KeyF3, "f4": tea.KeyF4, "f5": tea.KeyF5, "f6": tea.KeyF6, "f10": tea.KeyF10,
	}
	if code, is := special[name]; is {
		return tea.KeyPressMsg{Code: code}
	}
	if letter, is := strings.CutPrefix(name, "ctrl+"); is {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// press presses keys, and returns what the last one asks bubbletea for.
func press(s *screen, names ...string) (asked tea.Cmd) {
	for _, name := range names {
		_, asked = s.Update(keyNamed(name))
		s.View()
	}
	return asked
}

// letters are the keys of a text.
func letters(text string) (names []string) {
	for _, r := range text {
		names = append(names, strings.ReplaceAll(string(r), " ", "space"))
	}
	return names
}

func TestFrames(t *testing.T) {
	lost := server(1)
	lost.Trials[0].Lost = report.Lost{MapFull: 3, UnmatchedSwitch: 12}
	lost.Trials[0].ToolNS = nil
	many := reporttest.System(reporttest.SystemSize{Cores: 64, Tasks: 10_000, Groups: 200, Intervals: 2})
	groups := []live.CoreGroup{{Name: "node 0", CPUs: []sched.CPU{0, 1, 2, 3, 4, 5, 6, 7}}}
	busy, noted := server(20), Options{Notes: []string{"ended by tick is absent: ticks cannot be traced"}}
	within := append(append([]string{"H", "/"}, letters("java")...), "enter", "enter", "enter")
	checkFrames(t, map[string]frameCase{
		"empty-80x24":     {r: &report.Report{}, width: 80, height: 24},
		"busy-40x10":      {r: busy, width: 40, height: 10},
		"busy-80x24":      {r: busy, width: 80, height: 24},
		"busy-120x40":     {r: busy, width: 120, height: 40},
		"busy-300x100":    {r: busy, width: 300, height: 100, options: Options{CoreGroups: groups}},
		"many-120x40":     {r: many, width: 120, height: 40, keys: []string{"end", "pgup"}},
		"process-80x24":   {r: busy, width: 80, height: 24, keys: []string{"H"}},
		"group-120x40":    {r: busy, width: 120, height: 40, keys: []string{"g", "g", "g"}},
		"hostile-40x10":   {r: hostile(), width: 40, height: 10},
		"hostile-80x24":   {r: hostile(), width: 80, height: 24, keys: []string{"down"}},
		"hostile-detail":  {r: hostile(), width: 80, height: 24, keys: []string{"down", "down", "enter"}},
		"detail-40x10":    {r: busy, width: 40, height: 10, keys: []string{"down", "enter"}},
		"detail-80x24":    {r: busy, width: 80, height: 24, keys: []string{"down", "enter", "pgdown"}},
		"detail-120x40":   {r: busy, width: 120, height: 40, keys: []string{"down", "enter"}},
		"detail-group":    {r: busy, width: 120, height: 40, keys: []string{"g", "g", "g", "down", "enter"}},
		"within-80x24":    {r: busy, width: 80, height: 24, keys: within},
		"help-80x24":      {r: busy, width: 80, height: 24, keys: []string{"?"}},
		"help-120x40-end": {r: lost, width: 120, height: 40, keys: []string{"?", "end"}, options: noted},
		"help-40x10":      {r: busy, width: 40, height: 10, keys: []string{"?", "pgdown"}},
		"sort-80x24":      {r: busy, width: 80, height: 24, keys: []string{"s", "down"}},
		"cores-80x24":     {r: busy, width: 80, height: 24, keys: []string{"c"}},
		"frozen-80x24":    {r: busy, width: 80, height: 24, keys: []string{"f"}},
		"frozen-40x10":    {r: busy, width: 40, height: 10, keys: []string{"f"}},
		"ended-80x24":     {r: busy, width: 80, height: 24, ended: true},
		"ended-40x10":     {r: busy, width: 40, height: 10, ended: true, keys: []string{"down"}},
		"quiet-120x40":    {r: quiet(3, 2), width: 120, height: 40},
		"quiet-80x24":     {r: quiet(1, 2), width: 80, height: 24},
		"untimed-120x40":  {r: quiet(1, 0), width: 120, height: 40},
		"untimed-40x10":   {r: quiet(1, 0), width: 40, height: 10},
		"lost-80x24":      {r: lost, width: 80, height: 24},
		"lost-40x10":      {r: lost, width: 40, height: 10},
		"filter-80x24":    {r: busy, width: 80, height: 24, keys: append([]string{"\\"}, letters("node|redis")...)},
		"no-match-80x24":  {r: busy, width: 80, height: 24, keys: append([]string{"\\"}, letters("nobody")...)},
		"search-80x24":    {r: busy, width: 80, height: 24, keys: append([]string{"/"}, letters("sshd")...)},
	})
}

// Details say why a row was off its cores, if that was asked for.
func TestFramesOfReasons(t *testing.T) {
	busy := server(20)
	stacks, evil := reporttest.Stacks(), reporttest.HostileStacks()
	why := explained(stacks)
	postgres := append(append([]string{"/"}, letters("postgres")...), "enter", "enter")
	thousand := append(append([]string{"/"}, letters("1000")...), "enter", "enter")
	checkFrames(t, map[string]frameCase{
		"why-40x10":   {r: stacks, width: 40, height: 10, keys: append(postgres, "pgdown"), options: why},
		"why-80x24":   {r: stacks, width: 80, height: 24, keys: append(postgres, "pgdown"), options: why},
		"why-120x40":  {r: stacks, width: 120, height: 40, keys: postgres, options: why},
		"why-process": {r: stacks, width: 120, height: 40, keys: append([]string{"H"}, "enter"), options: why},
		"why-nothing": {r: busy, width: 80, height: 24, keys: []string{"down", "enter", "pgdown"}, options: why},
		"why-hostile": {
			r: evil, width: 80, height: 40, keys: append([]string{"H"}, thousand...), options: explained(evil),
		},
	})
}

// frameCase is a frame that must be as it was.
type frameCase struct {
	r             *report.Report
	width, height int
	keys          []string
	options       Options
	ended         bool
}

// checkFrames compares frames with those of files named like them.
func checkFrames(t *testing.T, frames map[string]frameCase) {
	t.Helper()
	for name, c := range frames {
		t.Run(name, func(t *testing.T) {
			s := opened(c.r, c.width, c.height, c.options)
			if c.ended {
				s.Update(overMsg{"process 4711 has ended"})
			}
			press(s, c.keys...)
			got := s.plainText()
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("the frame differs (-want +got):\n%s", d)
			}
			checkFrame(t, s)
		})
	}
}

// NO_COLOR leaves no escape sequence in a frame, and without it nothing but styles is added.
func TestStylesCarryNoMeaning(t *testing.T) {
	for _, keys := range [][]string{nil, {"down", "f"}, {"enter"}, {"?"}, {"s"}, {"c"}} {
		plain, styled := opened(server(2), 100, 30, Options{Plain: true}), opened(server(2), 100, 30, Options{})
		press(plain, keys...)
		press(styled, keys...)
		if strings.Contains(plain.View().Content, "\x1b") {
			t.Errorf("after %v a plain frame has escape sequences", keys)
		}
		with := styled.View().Content
		if unstyled(with) != plain.View().Content {
			t.Errorf("after %v frames differ by more than styles", keys)
		}
		if !strings.Contains(with, "\x1b[1m") {
			t.Errorf("after %v nothing is bold", keys)
		}
	}
}

// The chosen task is followed when the order changes, and the first row is not.
func TestFollows(t *testing.T) {
	r := server(6)
	s := opened(&report.Report{Trials: r.Trials[:1]}, 100, 30, Options{})
	press(s, "end", "pgup")
	key, moved := s.selected, false
	for i := 1; i < len(r.Trials); i++ {
		before := s.row
		s.data.Add(&r.Trials[i])
		s.Update(changedMsg{})
		moved = moved || s.row != before
		if got := s.taskTable().Key(s.row); got != key {
			t.Fatalf("row %d is of %+v, not %+v", s.row, got, key)
		}
	}
	if !moved {
		t.Error("the row never moved: the test shows nothing")
	}
	if press(s, "home"); s.row != 0 || s.follows {
		t.Errorf("row %d, followed: %v", s.row, s.follows)
	}
}

func TestUnsuited(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Unsuited(file, file, "xterm"); err == nil {
		t.Error("a file is no terminal")
	}
	_, slave := openTerminal(t)
	for kind, suited := range map[string]bool{"dumb": false, "": false, "xterm": true, "vt100": true} {
		if err := Unsuited(slave, slave, kind); (err == nil) != suited {
			t.Errorf("TERM=%s: %v", kind, err)
		}
	}
	if err := Unsuited(slave, file, "xterm"); err == nil {
		t.Error("a file is no terminal")
	}
}

// What a key begins tells how it ended.
func TestActions(t *testing.T) {
	var recorded time.Duration
	var written Shown
	fails := false
	s := opened(server(1), 80, 24, Options{
		Record: func(_ context.Context, d time.Duration) (string, error) {
			if recorded = d; fails {
				return "", errors.New("disk full")
			}
			return "recorded to x.rec", nil
		},
		Write: func(_ context.Context, shown Shown) (string, error) {
			written = shown
			return "written to x.txt", nil
		},
	})
	asked := press(s, "r")
	if !strings.Contains(s.message, "recording for 10s") || !s.recording || press(s, "r") != nil {
		t.Errorf("message %q, recording: %v", s.message, s.recording)
	}
	if press(s, "down"); !strings.Contains(s.bottom(), "recording") {
		t.Error("a recording under way is not told")
	}
	s.Update(asked())
	if recorded != 10*time.Second || s.message != "recorded to x.rec" || s.recording {
		t.Errorf("recorded %s, message %q, recording: %v", recorded, s.message, s.recording)
	}
	fails = true
	if s.Update(press(s, "r")()); s.message != "disk full" || s.recording {
		t.Errorf("message %q, recording: %v", s.message, s.recording)
	}
	frame := s.plainText()
	if s.Update(press(s, "w")()); s.message != "written to x.txt" || written.Trial != s.data.Trial() {
		t.Errorf("message %q", s.message)
	}
	first := func(text string) string { return strings.Join(strings.Split(text, "\n")[:20], "\n") }
	if first(written.Text) != first(frame) {
		t.Errorf("written is\n%s", written.Text)
	}
}

func TestIntervalPrompt(t *testing.T) {
	var asked []time.Duration
	s := opened(server(1), 80, 24, Options{SetInterval: func(d time.Duration) { asked = append(asked, d) }})
	press(s, append(append([]string{"d"}, letters("2.5 s")...), "enter")...)
	press(s, "-", "-", "+", "+", "+")
	press(s, append(append([]string{"d"}, letters("soon")...), "enter")...)
	if !strings.Contains(s.message, "soon is no length") {
		t.Errorf("message %q", s.message)
	}
	press(s, append(append([]string{"d"}, letters("1ms")...), "enter")...)
	if !strings.Contains(s.message, "an interval is from 50ms") {
		t.Errorf("message %q", s.message)
	}
	const sec = time.Second
	if d := cmp.Diff([]time.Duration{sec * 5 / 2, 2 * sec, sec, 2 * sec, 5 * sec, 10 * sec}, asked); d != "" {
		t.Error(d)
	}
}

// A line can be given up and corrected, and what is pasted has no control characters.
func TestPrompts(t *testing.T) {
	s := opened(server(1), 80, 24, Options{})
	press(s, append([]string{"\\"}, letters("nodex")...)...)
	press(s, "backspace", "enter")
	if s.tasks.Filter != "node" || s.prompt != nil {
		t.Errorf("filter %q", s.tasks.Filter)
	}
	press(s, "\\", "ctrl+u")
	if s.Update(tea.PasteMsg{Content: "a\x1b[2J\nb"}); s.tasks.Filter != "a[2Jb" {
		t.Errorf("filter %q", s.tasks.Filter)
	}
	if press(s, "esc"); s.tasks.Filter != "node" {
		t.Errorf("filter %q", s.tasks.Filter)
	}
	row := s.row
	press(s, append([]string{"/"}, letters("17")...)...)
	if press(s, "esc"); s.row != row || s.prompt != nil {
		t.Errorf("row %d, was %d", s.row, row)
	}
	if asked := press(s, "/", "ctrl+c"); asked == nil || asked() != tea.Quit() {
		t.Error("Ctrl-C does not leave a line")
	}
}

// A frame and the line of JSON of its interval have the same figures, however many tasks there are: that which
// is read again makes the same frame.
func TestFrameEqualsItsJSON(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 10_000, Groups: 5, Intervals: 1})
	var line bytes.Buffer
	if err := report.EncodeTrial(&line, &r.Trials[0]); err != nil {
		t.Fatal(err)
	}
	again := &report.Report{Trials: make([]report.Trial, 1)}
	if err := json.Unmarshal(line.Bytes(), &again.Trials[0]); err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][]string{nil, {"enter"}, {"g", "enter"}, {"g", "g", "g", "down", "enter"}, {"c"}, {"end"}} {
		frames := [2]string{}
		for i, of := range []*report.Report{r, again} {
			s := opened(of, 200, 60, Options{})
			press(s, keys...)
			frames[i] = s.plainText()
		}
		if d := cmp.Diff(strings.Split(frames[0], "\n"), strings.Split(frames[1], "\n")); d != "" {
			t.Errorf("after %v (-shown +of JSON):\n%s", keys, d)
		}
	}
}
