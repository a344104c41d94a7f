package screen

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// intervals are the lengths that + and - turn to.
func intervals() []time.Duration {
	const ms, s = time.Millisecond, time.Second
	return []time.Duration{100 * ms, 200 * ms, 500 * ms, s, 2 * s, 5 * s, 10 * s, 30 * s, 60 * s}
}

// ShortestInterval and LongestInterval are the lengths of an interval that can be asked for. Shorter ones
// would cost too much, and longer ones could exceed the kernel's 32-bit counts.
const (
	ShortestInterval = 50 * time.Millisecond
	LongestInterval  = 10 * time.Minute
)

// open turns to a page from which Esc leads back.
func (s *screen) open(p page) {
	if s.page == p {
		s.back()
		return
	}
	if s.page != pageHelp && s.page != pageSort {
		s.before = s.page
	}
	s.page, s.scroll = p, 0
}

// back turns to where the page was opened.
func (s *screen) back() {
	switch s.page {
	case pageHelp, pageSort:
		s.page = s.before
	case pageDetail, pageCores:
		s.page = pageTables
	case pageTables:
		switch {
		case s.tasks.Within != live.Key{}:
			s.detail, s.tasks.By = s.tasks.Within, s.tasks.Within.By
			s.tasks.Within = live.Key{}
			s.selected, s.follows = s.detail, true
			s.page = pageDetail
		case s.tasks.Filter != "":
			s.tasks.Filter = ""
		default:
			s.follows = false
		}
	}
	s.scroll = 0
	s.settle()
}

// move moves the chosen row, or the text.
func (s *screen) move(rows int) {
	switch s.page {
	case pageTables:
		s.choose(s.row + rows)
	case pageSort:
		s.sortRow = max(0, min(s.sortRow+rows, len(s.sorted().Columns)-1))
	default:
		s.scroll = max(0, s.scroll+rows) // a frame knows where the text ends
	}
}

// choose chooses a row, which is followed from now on.
func (s *screen) choose(row int) {
	t := s.taskTable()
	if t.Rows() == 0 {
		return
	}
	s.row = max(0, min(row, t.Rows()-1))
	s.selected, s.follows = t.Key(s.row), true
}

// pageRows is how many rows PgUp and PgDn move.
func (s *screen) pageRows() int { return max(1, s.height-6) }

// first turns to the first row and stays there.
func (s *screen) first() {
	switch s.page {
	case pageTables:
		s.row, s.follows = 0, false
	case pageSort:
		s.sortRow = 0
	default:
		s.scroll = 0
	}
}

func (s *screen) end() { s.move(1 << 30) }

// enter shows details, or the tasks of a sum, or sorts by the chosen column.
func (s *screen) enter() {
	switch s.page {
	case pageTables:
		if s.taskTable().Rows() == 0 {
			return
		}
		s.choose(s.row)
		s.detail, s.page, s.scroll = s.selected, pageDetail, 0
	case pageDetail:
		if s.detail.By == live.ByTask || s.detail.Ended {
			return
		}
		s.within = s.data.Detail(s.detail).Title
		s.tasks.Within, s.tasks.By, s.page = s.detail, live.ByTask, pageTables
		s.row, s.follows = 0, false
	case pageSort:
		s.sort(s.sortRow)
		s.page = s.before
	}
}

// sorted is the table that the keys for sorting act on.
func (s *screen) sorted() *live.Table {
	if s.page == pageCores || s.page == pageSort && s.before == pageCores {
		return s.data.Cores(s.cores)
	}
	return s.taskTable()
}

// sort sorts by a column: figures with the greatest first, names from A on.
func (s *screen) sort(column int) {
	t := s.sorted()
	c := t.Columns[column]
	if s.page == pageCores || s.page == pageSort && s.before == pageCores {
		s.cores = live.CoreOptions{Sort: c.Name, Ascending: c.Text}
		s.scroll = 0
		return
	}
	s.tasks.Sort, s.tasks.Ascending = c.Name, c.Text
	s.settle()
}

// sortBy sorts by a column before or after the present one.
func (s *screen) sortBy(columns int) {
	if s.page != pageTables && s.page != pageCores {
		return
	}
	t := s.sorted()
	n := len(t.Columns)
	next := (max(t.Sort, 0) + columns + n) % n
	s.sort(next)
	s.message = "sorted by " + t.Columns[next].Name
}

// invert turns the order round.
func (s *screen) invert() {
	switch t := s.sorted(); {
	case s.page == pageCores:
		name := t.Columns[max(0, t.Sort)].Name
		s.cores = live.CoreOptions{Sort: name, Ascending: t.Sort >= 0 && !t.Ascending}
	case s.page == pageTables:
		s.tasks.Ascending = !s.tasks.Ascending
		s.settle()
	}
}

func (s *screen) openSort() {
	if s.page != pageTables && s.page != pageCores {
		return
	}
	s.open(pageSort)
	s.sortRow = max(0, s.sorted().Sort)
}

// nextGrouping groups rows by what comes next.
func (s *screen) nextGrouping() {
	s.groupBy(live.Groupings()[(int(s.tasks.By)+1)%len(live.Groupings())])
}

// threads turns from threads to processes and back.
func (s *screen) threads() {
	if s.tasks.By == live.ByTask {
		s.groupBy(live.ByProcess)
		return
	}
	s.groupBy(live.ByTask)
}

func (s *screen) groupBy(by live.Grouping) {
	if s.page != pageTables {
		return
	}
	s.tasks.By = by
	s.row, s.follows = 0, false
	s.message = "each row is a " + nounOf(by)
}

// nounOf names what a row stands for.
func nounOf(by live.Grouping) string {
	if by == live.ByGroup {
		return "control group"
	}
	return by.String()
}

func (s *screen) expand() {
	switch s.page {
	case pageTables:
		s.page, s.scroll = pageCores, 0
	case pageCores:
		s.page = pageTables
	}
}

func (s *screen) freeze() {
	s.data.Freeze(!s.data.Frozen())
	if s.data.Update() {
		s.settle()
	}
}

// changeInterval turns to the next longer or shorter interval.
func (s *screen) changeInterval(steps int) {
	all := intervals()
	at, exact := slices.BinarySearch(all, s.interval)
	if !exact && steps > 0 {
		at--
	}
	s.setInterval(all[max(0, min(at+steps, len(all)-1))])
}

func (s *screen) setInterval(d time.Duration) {
	switch {
	case s.options.SetInterval == nil:
		s.message = "the length of intervals cannot be changed here"
	case d < ShortestInterval || d > LongestInterval:
		s.message = fmt.Sprintf("an interval is from %s to %s long", ShortestInterval, LongestInterval)
	default:
		s.interval = d
		s.options.SetInterval(d)
		s.message = "every " + d.String() + " from the next interval on"
	}
}

// record records, in a goroutine of its own.
func (s *screen) record() tea.Cmd {
	switch {
	case s.options.Record == nil:
		s.message = "nothing can be recorded here"
		return nil
	case s.recording:
		return nil // which the bottom line says
	}
	s.recording, s.message = true, fmt.Sprintf("recording for %s …", recordFor)
	return s.work(func() doneMsg {
		text, err := s.options.Record(s.ctx, recordFor)
		return doneMsg{true, text, err}
	})
}

// write saves what is shown.
func (s *screen) write() tea.Cmd {
	switch {
	case s.options.Write == nil:
		s.message = "nothing can be written here"
		return nil
	case s.data.Trial() == nil:
		s.message = "there is nothing to write yet"
		return nil
	}
	shown := Shown{Trial: s.data.Trial(), Text: s.plainText()}
	return s.work(func() doneMsg {
		text, err := s.options.Write(s.ctx, shown)
		return doneMsg{false, text, err}
	})
}

// work runs a function in a goroutine of its own, for which Run waits.
func (s *screen) work(f func() doneMsg) tea.Cmd {
	result := make(chan doneMsg, 1)
	s.working.Go(func() { result <- f() })
	return func() tea.Msg { return <-result }
}
