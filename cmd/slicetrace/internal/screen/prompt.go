package screen

import (
	"strings"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// prompt is a line that the user types.
type prompt struct {
	title, text string
	// changed is called at each change, or nil; done when the user ends the line, and undo when the
	// user gives it up.
	changed, done func(text string)
	undo          func()
}

// typed takes a key of a line.
func (s *screen) typed(m tea.KeyPressMsg) tea.Cmd {
	p := s.prompt
	switch name := m.String(); {
	case name == "enter":
		s.prompt = nil
		p.done(p.text)
	case name == "esc":
		s.prompt = nil
		p.undo()
	case name == "backspace" || name == "ctrl+h":
		if runes := []rune(p.text); len(runes) > 0 {
			p.text = string(runes[:len(runes)-1])
			s.prompted()
		}
	case name == "ctrl+u":
		p.text = ""
		s.prompted()
	case m.Text != "":
		p.text += printableLine(m.Text)
		s.prompted()
	}
	return nil
}

// prompted tells of a change.
func (s *screen) prompted() {
	if s.prompt.changed != nil {
		s.prompt.changed(s.prompt.text)
	}
}

// printableLine leaves out what cannot be typed on one line.
func printableLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

func (s *screen) askSearch() {
	if s.page != pageTables {
		return
	}
	row, selected, follows := s.row, s.selected, s.follows
	s.prompt = &prompt{
		title:   "Search: ",
		changed: func(text string) { s.find(text, row-1, false) },
		done: func(text string) {
			if text != "" {
				s.last = text
			}
			s.find(s.last, row-1, false)
		},
		undo: func() { s.row, s.selected, s.follows = row, selected, follows },
	}
}

// search chooses the next row, or the one before, that contains the text of the last search.
func (s *screen) search(back bool) {
	if s.page == pageTables {
		s.find(s.last, s.row, back)
	}
}

// find chooses the next row after one that contains a text.
func (s *screen) find(text string, from int, back bool) {
	if text == "" {
		return
	}
	if row := s.taskTable().Search(text, from, back); row >= 0 {
		s.message = ""
		s.choose(row)
		return
	}
	s.message = "no row contains " + text
}

func (s *screen) askFilter() {
	if s.page != pageTables {
		return
	}
	before := s.tasks.Filter
	set := func(text string) {
		s.tasks.Filter = text
		s.settle()
	}
	s.prompt = &prompt{
		title: "Filter: ", text: before, changed: set, done: set, undo: func() { set(before) },
	}
}

func (s *screen) askInterval() {
	if s.options.SetInterval == nil {
		s.setInterval(0)
		return
	}
	s.prompt = &prompt{title: "Interval: ", undo: func() {}, done: func(text string) {
		if text == "" {
			return
		}
		d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			s.message = text + " is no length such as 500ms or 2s"
			return
		}
		s.setInterval(d)
	}}
}
