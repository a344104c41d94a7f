package screen

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/slicetrace/slicetrace/report/view/live"
)

// What the program tells the screen.
type (
	changedMsg struct{}             // there is a new interval
	readyMsg   struct{}             // the terminal has taken everything
	endedMsg   struct{ err error }  // the source has ended
	overMsg    struct{ why string } // the same, and the screen stays
	// doneMsg is the end of what a key began.
	doneMsg struct {
		recorded bool
		text     string
		err      error
	}
)

// page is what is shown below the headline.
type page uint8

const (
	pageTables page = iota
	pageCores       // all cores, without tasks
	pageDetail
	pageHelp
	pageSort
)

// screen is the state between frames.
type screen struct {
	ctx     context.Context
	options Options
	data    *live.Model
	out     *output
	keys    map[string]*binding
	table   []binding

	width, height int
	page          page
	// before is where Esc leads from the help and the choice of a column.
	before page
	tasks  live.TaskOptions
	cores  live.CoreOptions
	// row is the chosen row of tasks and top the first visible one. selected is the chosen row's key
	// once the user has moved there, so that it is followed.
	row, top int
	selected live.Key
	follows  bool
	// detail is what the details are of, and scroll the first visible line of a page of text.
	detail  live.Key
	within  string // names tasks.Within
	scroll  int
	sortRow int
	// last is the text that was searched for.
	last      string
	prompt    *prompt
	message   string
	recording bool
	over      bool // there are no more intervals
	interval  time.Duration
	working   sync.WaitGroup
	failed    error
	frame     tea.View
}

func newScreen(ctx context.Context, o Options) *screen {
	s := &screen{
		ctx: ctx, options: o, data: live.New(o.CoreGroups), table: bindings(), keys: map[string]*binding{},
		interval: o.Interval, width: 80, height: 24,
	}
	s.tasks.By = o.By
	if o.Stacks != nil {
		s.data.Explain(o.Stacks)
	}
	for i := range s.table {
		for _, key := range s.table[i].keys {
			s.keys[key] = &s.table[i]
		}
	}
	return s
}

// Init asks for nothing.
func (s *screen) Init() tea.Cmd { return nil }

// Update takes a message.
func (s *screen) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch m := message.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case tea.KeyPressMsg:
		return s, s.press(m)
	case tea.PasteMsg:
		if s.prompt != nil {
			s.prompt.text += printableLine(m.Content)
			s.prompted()
		}
	case tea.ResumeMsg:
		s.out.wait(false)
	case continuedMsg:
		return s, takeTerminal()
	case changedMsg:
		if s.data.Update() {
			s.settle()
		}
	case endedMsg:
		s.failed = m.err
		return s, tea.Quit
	case overMsg:
		s.over, s.options.SetInterval = true, nil
		s.message = m.why + ": this is the last interval (q: leave)"
	case doneMsg:
		s.done(m)
	}
	return s, nil
}

// done tells how something ended.
func (s *screen) done(m doneMsg) {
	if m.recorded {
		s.recording = false
	}
	s.message = m.text
	if m.err != nil {
		s.message = m.err.Error()
	}
}

// press acts on a key.
func (s *screen) press(m tea.KeyPressMsg) tea.Cmd {
	name := m.String()
	if name == "ctrl+c" {
		return tea.Quit
	}
	if !s.recording {
		s.message = ""
	}
	if s.prompt != nil {
		return s.typed(m)
	}
	if b := s.keys[name]; b != nil {
		return b.do(s)
	}
	return nil
}

// settle keeps the chosen row with the task that the user chose, and inside the table.
func (s *screen) settle() {
	t := s.taskTable()
	if s.follows {
		if row := t.Find(s.selected); row >= 0 {
			s.row = row
		}
	}
	s.row = max(0, min(s.row, t.Rows()-1))
}

func (s *screen) taskTable() *live.Table { return s.data.Tasks(s.tasks) }

// View draws a frame, unless the terminal has not yet taken the one before.
func (s *screen) View() tea.View {
	if s.out != nil && s.out.Busy() {
		return s.frame
	}
	s.frame = s.draw()
	return s.frame
}
