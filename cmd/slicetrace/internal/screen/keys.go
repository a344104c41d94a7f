package screen

import tea "charm.land/bubbletea/v2"

// binding is a key, or several that do the same.
type binding struct {
	// keys are as bubbletea names them.
	keys []string
	// shown is how help writes them, and help what they do.
	shown, help string
	// hint is what they do in a word, for the bottom line; "" for those that are only in the help.
	hint string
	do   func(*screen) tea.Cmd
}

// act makes what a key does of a function that asks for nothing more.
func act(f func(*screen)) func(*screen) tea.Cmd {
	return func(s *screen) tea.Cmd {
		f(s)
		return nil
	}
}

// bindings is the table of keys, in the order of the help.
func bindings() []binding {
	move := func(rows int) func(*screen) tea.Cmd { return act(func(s *screen) { s.move(rows) }) }
	leap := func(pages int) func(*screen) tea.Cmd { return act(func(s *screen) { s.move(pages * s.pageRows()) }) }
	return []binding{
		{[]string{"?", "h", "f1"}, "? h F1", "help", "help", act(func(s *screen) { s.open(pageHelp) })},
		{[]string{"q", "f10", "ctrl+c"}, "q F10 Ctrl-C", "leave", "quit", func(*screen) tea.Cmd { return tea.Quit }},
		{[]string{"up", "k"}, "↑ k", "a row up", "", move(-1)},
		{[]string{"down", "j"}, "↓ j", "a row down; the chosen task is followed when the order changes", "", move(1)},
		{[]string{"pgup", "ctrl+b"}, "PgUp Ctrl-B", "a page up", "", leap(-1)},
		{[]string{"pgdown", "ctrl+f"}, "PgDn Ctrl-F", "a page down", "", leap(1)},
		{[]string{"home"}, "Home", "to the first row, whatever is there", "", act((*screen).first)},
		{[]string{"end", "G"}, "End G", "to the last row", "", act((*screen).end)},
		{[]string{"enter"}, "Enter", "details of the chosen task or sum; from there, the tasks of the sum", "details",
			act((*screen).enter)},
		{[]string{"esc"}, "Esc", "back", "", act((*screen).back)},
		{[]string{"/", "f3"}, "/ F3", "search: choose the next row that contains a text", "search",
			act((*screen).askSearch)},
		{[]string{"n"}, "n", "the next row that contains it", "", act(func(s *screen) { s.search(false) })},
		{[]string{"N"}, "N", "the row before that contains it", "", act(func(s *screen) { s.search(true) })},
		{[]string{"\\", "f4"}, "\\ F4", "filter: only rows that contain a text, or one of several between | signs",
			"filter", act((*screen).askFilter)},
		{[]string{"g", "f5"}, "g F5", "group by task, process, program or control group", "group",
			act((*screen).nextGrouping)},
		{[]string{"H"}, "H", "threads or processes", "", act((*screen).threads)},
		{[]string{"s", "f6"}, "s F6", "choose the column to sort by", "sort", act((*screen).openSort)},
		{[]string{"<", ","}, "< ,", "sort by the column before", "", act(func(s *screen) { s.sortBy(-1) })},
		{[]string{">", "."}, "> .", "sort by the next column", "", act(func(s *screen) { s.sortBy(1) })},
		{[]string{"I"}, "I", "invert the order", "", act((*screen).invert)},
		{[]string{"c"}, "c", "all cores, or cores and tasks", "cores", act((*screen).expand)},
		{[]string{"space", "f", "z"}, "Space f z", "freeze the screen, and go on; intervals are gathered meanwhile",
			"freeze", act((*screen).freeze)},
		{[]string{"d"}, "d", "the length of an interval, such as 500ms or 2s", "", act((*screen).askInterval)},
		{[]string{"+", "="}, "+", "longer intervals", "", act(func(s *screen) { s.changeInterval(1) })},
		{[]string{"-"}, "-", "shorter intervals", "", act(func(s *screen) { s.changeInterval(-1) })},
		{[]string{"r"}, "r", "record every switch for 10 seconds", "record", (*screen).record},
		{[]string{"w"}, "w", "write what is shown to a file", "write", (*screen).write},
		{[]string{"ctrl+z"}, "Ctrl-Z", "suspend; fg goes on", "", (*screen).suspend},
		{[]string{"ctrl+l"}, "Ctrl-L", "draw the screen again", "", func(*screen) tea.Cmd { return tea.ClearScreen }},
	}
}
