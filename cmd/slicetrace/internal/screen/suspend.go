package screen

import (
	"io"
	"os"
	"os/signal"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// continuedMsg says that the program goes on after it was stopped, perhaps by a signal of another program.
type continuedMsg struct{}

// onContinue sends a message whenever the program goes on, until the function that it returns is called.
func onContinue(program *tea.Program) (forget func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCONT)
	go func() {
		for range signals {
			program.Send(continuedMsg{})
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// takeTerminal sets up the terminal, which a shell has had meanwhile, and draws everything again.
func takeTerminal() tea.Cmd {
	return tea.Exec(nothing{}, func(error) tea.Msg { return tea.ClearScreen() })
}

// nothing is a command that does nothing. The terminal is set up again after it.
type nothing struct{}

func (nothing) Run() error          { return nil }
func (nothing) SetStdin(io.Reader)  {}
func (nothing) SetStdout(io.Writer) {}
func (nothing) SetStderr(io.Writer) {}

// suspend stops the program until its user continues it. What restores the terminal is written before.
func (s *screen) suspend() tea.Cmd {
	if s.out != nil {
		s.out.wait(true)
	}
	return tea.Suspend
}
