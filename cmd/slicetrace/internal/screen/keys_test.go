package screen

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// keyTest says what a key does: the keys pressed before, and what holds after it.
type keyTest struct {
	before []string
	holds  func(s *screen, asked tea.Cmd) bool
}

// asksFor reports whether bubbletea is asked for something.
func asksFor(asked, want tea.Cmd) bool { return asked != nil && asked() == want() }

// keyTests has a test for each binding, named by what help shows.
func keyTests(recorded, written *atomic.Int64, interval *time.Duration) map[string]keyTest {
	searched := append([]string{"/"}, append(letters("node"), "enter")...)
	chosenName := func(s *screen) string { return s.taskTable().Cell(s.row, 0).Text }
	return map[string]keyTest{
		"? h F1":       {nil, func(s *screen, _ tea.Cmd) bool { return s.page == pageHelp }},
		"q F10 Ctrl-C": {nil, func(_ *screen, asked tea.Cmd) bool { return asksFor(asked, tea.Quit) }},
		"↑ k": {[]string{"down", "down", "down"}, func(s *screen, _ tea.Cmd) bool {
			return s.row == 2 && s.follows
		}},
		"↓ j": {nil, func(s *screen, _ tea.Cmd) bool { return s.row == 1 && s.follows }},
		"PgUp Ctrl-B": {[]string{"end"}, func(s *screen, _ tea.Cmd) bool {
			return s.row == s.taskTable().Rows()-1-s.pageRows()
		}},
		"PgDn Ctrl-F": {nil, func(s *screen, _ tea.Cmd) bool { return s.row == s.pageRows() }},
		"Home":        {[]string{"end"}, func(s *screen, _ tea.Cmd) bool { return s.row == 0 && !s.follows }},
		"End G":       {nil, func(s *screen, _ tea.Cmd) bool { return s.row == s.taskTable().Rows()-1 }},
		"Enter": {[]string{"down"}, func(s *screen, _ tea.Cmd) bool {
			return s.page == pageDetail && s.detail == s.selected
		}},
		"Esc": {[]string{"enter"}, func(s *screen, _ tea.Cmd) bool { return s.page == pageTables }},
		"/ F3": {nil, func(s *screen, _ tea.Cmd) bool {
			return s.prompt != nil && s.prompt.title == "Search: "
		}},
		"n": {searched, func(s *screen, _ tea.Cmd) bool {
			return s.row > 0 && chosenName(s) == "node"
		}},
		"N": {append(searched, "n"), func(s *screen, _ tea.Cmd) bool {
			return chosenName(s) == "node"
		}},
		"\\ F4": {nil, func(s *screen, _ tea.Cmd) bool {
			return s.prompt != nil && s.prompt.title == "Filter: "
		}},
		"g F5": {nil, func(s *screen, _ tea.Cmd) bool { return s.tasks.By == live.ByProcess }},
		"H":    {nil, func(s *screen, _ tea.Cmd) bool { return s.tasks.By == live.ByProcess }},
		"s F6": {nil, func(s *screen, _ tea.Cmd) bool {
			return s.page == pageSort && s.sortRow == s.taskTable().Sort
		}},
		"< ,": {nil, func(s *screen, _ tea.Cmd) bool { return s.tasks.Sort == "group" }},
		"> .": {nil, func(s *screen, _ tea.Cmd) bool { return s.tasks.Sort == "switches/s" }},
		"I": {nil, func(s *screen, _ tea.Cmd) bool {
			return s.tasks.Ascending && s.taskTable().Ascending
		}},
		"c":         {nil, func(s *screen, _ tea.Cmd) bool { return s.page == pageCores }},
		"Space f z": {nil, func(s *screen, _ tea.Cmd) bool { return s.data.Frozen() }},
		"d": {nil, func(s *screen, _ tea.Cmd) bool {
			return s.prompt != nil && s.prompt.title == "Interval: "
		}},
		"+": {nil, func(*screen, tea.Cmd) bool { return *interval == 2*time.Second }},
		"-": {nil, func(*screen, tea.Cmd) bool { return *interval == 500*time.Millisecond }},
		"r": {nil, func(_ *screen, asked tea.Cmd) bool {
			return asked != nil && asked() != nil && recorded.Load() > 0
		}},
		"w": {nil, func(_ *screen, asked tea.Cmd) bool {
			return asked != nil && asked() != nil && written.Load() > 0
		}},
		"Ctrl-Z": {nil, func(_ *screen, asked tea.Cmd) bool { return asksFor(asked, tea.Suspend) }},
		"Ctrl-L": {nil, func(_ *screen, asked tea.Cmd) bool { return asksFor(asked, tea.ClearScreen) }},
	}
}

// Every key does what help says, and help shows every key.
func TestKeys(t *testing.T) {
	var recorded, written atomic.Int64
	var interval time.Duration
	tests := keyTests(&recorded, &written, &interval)
	options := Options{
		SetInterval: func(d time.Duration) { interval = d },
		Record:      counting[time.Duration](&recorded), Write: counting[Shown](&written),
	}
	used := map[string]string{}
	help := strings.Join(opened(server(1), 200, 24, options).helpLines(), "\n")
	for _, b := range bindings() {
		test, known := tests[b.shown]
		if !known {
			t.Errorf("%s: %s: no test", b.shown, b.help)
			continue
		}
		delete(tests, b.shown)
		for _, key := range b.keys {
			if other := used[key]; other != "" {
				t.Errorf("%s is of %s and %s", key, other, b.shown)
			}
			used[key] = b.shown
			recorded.Store(0)
			written.Store(0)
			interval = 0
			s := opened(server(1), 80, 24, options)
			press(s, test.before...)
			if asked := press(s, key); !test.holds(s, asked) {
				t.Errorf("%s after %v does not: %s", key, test.before, b.help)
			}
		}
		if !strings.Contains(help, b.shown) || !strings.Contains(help, b.help) {
			t.Errorf("help lacks %s: %s", b.shown, b.help)
		}
	}
	for shown := range tests {
		t.Errorf("no key is shown as %s", shown)
	}
}

// Pages open and close, whatever comes in between.
func TestWaysBack(t *testing.T) {
	for _, c := range []struct {
		keys []string
		page page
		by   live.Grouping
	}{
		{[]string{"?", "?"}, pageTables, live.ByTask},
		{[]string{"?", "esc"}, pageTables, live.ByTask},
		{[]string{"enter", "?", "esc"}, pageDetail, live.ByTask},
		{[]string{"enter", "?", "esc", "esc"}, pageTables, live.ByTask},
		{[]string{"c", "s", "enter"}, pageCores, live.ByTask},
		{[]string{"c", "s", "?", "esc"}, pageCores, live.ByTask},
		{[]string{"c", "c"}, pageTables, live.ByTask},
		{[]string{"g", "enter", "enter"}, pageTables, live.ByTask},
		{[]string{"g", "enter", "enter", "esc"}, pageDetail, live.ByProcess},
		{[]string{"g", "enter", "enter", "esc", "esc"}, pageTables, live.ByProcess},
		{[]string{"g", "enter", "enter", "enter", "esc", "esc"}, pageDetail, live.ByProcess},
		{[]string{"enter", "enter"}, pageDetail, live.ByTask},
	} {
		s := opened(server(1), 80, 24, Options{})
		if press(s, c.keys...); s.page != c.page || s.tasks.By != c.by {
			t.Errorf("%v: page %d by %s, want %d by %s", c.keys, s.page, s.tasks.By, c.page, c.by)
		}
	}
	s := opened(server(1), 80, 24, Options{})
	press(s, append(append([]string{"\\"}, letters("node")...), "enter", "esc")...)
	if s.tasks.Filter != "" {
		t.Error("Esc does not end a filter")
	}
}

// The choice of a column sorts tasks or cores, and the order can be inverted.
func TestSorting(t *testing.T) {
	s := opened(server(1), 80, 24, Options{})
	press(s, "s", "home", "enter")
	if s.tasks.Sort != "task" || !s.tasks.Ascending {
		t.Errorf("sorted by %s, ascending: %v", s.tasks.Sort, s.tasks.Ascending)
	}
	press(s, "c", "s", "home", "enter", "I")
	table := s.data.Cores(s.cores)
	if s.page != pageCores || table.Cell(1, 0).Text != "core 15" {
		t.Errorf("page %d, the first core is %s", s.page, table.Cell(1, 0).Text)
	}
	if press(s, ">"); s.cores.Sort != "switches/s" || s.cores.Ascending {
		t.Errorf("cores are sorted by %s", s.cores.Sort)
	}
	if press(s, "c"); s.tasks.Sort != "task" {
		t.Errorf("tasks are sorted by %s", s.tasks.Sort)
	}
}
