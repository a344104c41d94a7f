package screen

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// Heights from which a frame has more than the tables: lines that say what is not shown, and more
// cores than their sum.
const (
	roomyHeight   = 14
	spaciousLines = 20
)

// draw returns a frame.
func (s *screen) draw() tea.View {
	view := tea.NewView(strings.Join(s.frameLines(), "\n"))
	view.AltScreen = true
	if p := s.prompt; p != nil && s.height > 1 {
		view.Cursor = tea.NewCursor(min(textWidth(p.title)+textWidth(p.text), s.width-1), s.height-1)
	}
	return view
}

// plainText is the frame without styles.
func (s *screen) plainText() string {
	plain := s.options.Plain
	s.options.Plain = true
	defer func() { s.options.Plain = plain }()
	var b strings.Builder
	for _, line := range s.frameLines() {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// frameLines returns as many lines as the terminal has, none wider than it is.
func (s *screen) frameLines() []string {
	if s.width <= 0 || s.height <= 0 {
		return nil
	}
	lines := []string{s.headline()}
	room := s.height - 2
	var body []string
	switch {
	case room <= 0:
	case s.page == pageHelp:
		body = s.text(s.helpLines(), room)
	case s.data.Trial() == nil:
		body = []string{"", fit("  The first interval is not yet over.", s.width)}
	case s.page == pageSort:
		body = s.sortPage(room)
	case s.page == pageDetail:
		body = s.text(s.detailLines(), room)
	case s.page == pageCores:
		body = s.coresPage(room)
	default:
		body = s.tablesPage(room)
	}
	for i := range max(0, room) {
		line := ""
		if i < len(body) {
			line = body[i]
		}
		lines = append(lines, line)
	}
	if s.height > 1 {
		lines = append(lines, s.bottom())
	}
	return lines
}

// text shows a page of lines from where the user has scrolled to.
func (s *screen) text(lines []string, room int) []string {
	s.scroll = max(0, min(s.scroll, len(lines)-room))
	return lines[s.scroll:min(len(lines), s.scroll+room)]
}

// coresPage has every core.
func (s *screen) coresPage(room int) []string {
	t := s.data.Cores(s.cores)
	rows := room - 1
	var status []string
	if s.height >= roomyHeight {
		rows--
	}
	rows = max(0, rows)
	s.scroll = max(0, min(s.scroll, t.Rows()-rows))
	lines := s.lines(newGrid(t, s.width, s.scroll, rows, -1))
	if s.height >= roomyHeight {
		status = []string{s.status(t, s.scroll, rows)}
	}
	return append(pad(lines, room-len(status)), status...)
}

// tablesPage has the cores, as many as there is room for, and the tasks.
func (s *screen) tablesPage(room int) []string {
	cores := s.data.Cores(s.cores)
	shown := 1
	if s.height >= roomyHeight {
		shown = min(cores.Rows(), max(3, s.height/4))
	}
	lines := s.lines(newGrid(cores, s.width, 0, shown, -1))
	if s.height >= spaciousLines {
		more := ""
		if n := cores.Rows() - shown; n > 0 {
			more = fmt.Sprintf("  and %d more cores: press c", n)
		}
		lines = append(lines, fit(more, s.width))
	}
	tasks := s.taskTable()
	rows := room - len(lines) - 1
	var status []string
	if s.height >= roomyHeight {
		rows--
	}
	rows = max(0, rows)
	if s.row < s.top {
		s.top = s.row
	}
	s.top = max(0, max(s.top, s.row-rows+1))
	s.top = max(0, min(s.top, tasks.Rows()-rows))
	if s.height >= roomyHeight {
		status = []string{s.status(tasks, s.top, rows)}
	}
	lines = append(lines, s.lines(newGrid(tasks, s.width, s.top, rows, s.row))...)
	return append(pad(lines, room-len(status)), status...)
}

// pad returns exactly so many lines.
func pad(lines []string, n int) []string {
	n = max(0, n)
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines[:n]
}

// status says which rows of a table are shown, and what is not.
func (s *screen) status(t *live.Table, first, rows int) string {
	count := func(n int) string { return report.Of(float64(n), report.Count).String() }
	n := t.Rows()
	parts := []string{fmt.Sprintf("rows %s to %s of %s", count(first+1), count(min(first+rows, n)), count(n))}
	if n == 0 {
		parts = []string{"no rows"}
	}
	if s.tasks.Within != (live.Key{}) && s.page == pageTables {
		parts = append(parts, "of "+render.Printable(s.within)+" (Esc: all)")
	}
	if t.Hidden > 0 {
		parts = append(parts, fmt.Sprintf("%s without %q", count(t.Hidden), render.Printable(s.tasks.Filter)))
	} else if s.tasks.Filter != "" && s.page == pageTables {
		parts = append(parts, fmt.Sprintf("all with %q", render.Printable(s.tasks.Filter)))
	}
	if t.Idle > 0 && !s.options.Filtered {
		parts = append(parts, count(t.Idle)+" more tasks did nothing")
	}
	if t.Sort >= 0 {
		order := "most first"
		if t.Ascending {
			order = "least first"
		}
		parts = append(parts, "by "+t.Columns[t.Sort].Name+", "+order)
	}
	return fit("  "+strings.Join(parts, " · "), s.width)
}

// bottom is what the user types, a message, or the most important keys.
func (s *screen) bottom() string {
	switch p := s.prompt; {
	case p != nil:
		text := p.title + p.text
		for runes := []rune(p.text); textWidth(text) >= s.width && len(runes) > 0; {
			runes = runes[1:]
			text = p.title + string(runes)
		}
		return fit(text, s.width)
	case s.message != "":
		return s.paint(fit(render.Printable(s.message), s.width), heading)
	}
	line := ""
	for _, b := range s.table {
		if b.hint == "" {
			continue
		}
		first, _, _ := strings.Cut(b.shown, " ")
		hint := first + " " + b.hint
		if line != "" {
			hint = "  " + hint
		}
		if textWidth(line+hint) > s.width {
			break
		}
		line += hint
	}
	return line
}
