package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
)

// runRounds runs programs in turn, round by round, and shows how they compare. argv is the program after --, nil
// where the programs are given by --command.
func runRounds(ctx context.Context, s streams, o *runOptions, argv []string) error {
	r, name, err := o.startReport(s)
	if err != nil {
		return err
	}
	r.Setup = o.roundsSetup(argv)
	interrupted := &interruption{messages: s.err}
	ctx, stop := interrupted.until(ctx, o.inherited.Ignored)
	defer stop()
	o.raisePending()
	m := &rounds{options: o, messages: s.err}
	m.watch = commandWatch{report: r, beganNS: collector.NowNS()}
	whole, err := m.measure(ctx)
	if err != nil {
		return err
	}
	if err := saveAndShow(s.out, s.err, o, name, r, func() { interrupted.saved.Store(true) }); err != nil {
		return err
	}
	if !whole {
		return o.endedWith(r, m.status)
	}
	return nil
}

// rounds runs programs by rounds.
type rounds struct {
	options  *runOptions
	messages *os.File // for progress
	watch    commandWatch
	// recording is nil if none is made, and null the file that is no input and takes output.
	recording *recordingFile
	null      *os.File
	// began is set once the tracer was attached; misses are the calls that the kernel skipped until it was last
	// detached.
	began  bool
	misses uint64
	// finished counts the rounds that are complete; status is the tool's exit status if not all are.
	finished int
	status   int
}

// measure runs everything and fills the report. It returns whether every round is in it and the recording was saved,
// and an error if no round is.
func (m *rounds) measure(ctx context.Context) (whole bool, err error) {
	r := m.watch.report
	m.status = exitFailed
	if m.recording, err = m.options.openRecording(streams{err: m.messages}); err != nil {
		return false, err
	}
	defer m.recording.abort()
	if m.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return false, err
	}
	defer m.null.Close()
	m.watch.settings = hostinfo.WatchSettings(r.Host)
	defer func() { err = errors.Join(err, m.detach()) }()
	err = m.run(ctx)
	m.clearProgress()
	if err := m.conclude(err, ctx.Err() != nil); err != nil {
		return false, err
	}
	if err := m.attach(); err != nil { // for what is only known at the end
		return false, err
	}
	m.recording.finish(m.watch.collector, r)
	saveMemory()
	finishReport(r, m.watch.collector, m.watch.settings)
	r.Quality.RecursionMisses += m.misses
	return m.finished == m.options.rounds && !m.recording.isMissing(), nil
}

// run runs the warm-up and all rounds.
func (m *rounds) run(ctx context.Context) error {
	commands := m.options.repeat.commands
	for i := range commands {
		for range m.options.repeat.warmup {
			m.progress("warm-up", &commands[i])
			if err := m.warmUp(ctx, &commands[i]); err != nil {
				return err
			}
		}
	}
	for round := 1; round <= m.options.rounds; round++ {
		for _, pass := range passesOf(round, m.options.repeat.untraced) {
			for i := range commands {
				if pass.backwards {
					i = len(commands) - 1 - i
				}
				m.progress(fmt.Sprintf("round %d of %d", round, m.options.rounds), &commands[i])
				if err := m.once(ctx, &commands[i], round, pass.traced); err != nil {
					return err
				}
			}
		}
		m.finished = round
	}
	return nil
}

// pass is all commands once.
type pass struct{ traced, backwards bool }

// passesOf returns the passes of a round: one that is traced and, in each round that every divides, one that is
// not. As in a plan of bundled work, every second pass of a kind is backwards, so that slow changes of the machine
// affect all commands equally, and so are the two kinds of passes.
func passesOf(round, every int) []pass {
	traced := pass{traced: true, backwards: round%2 == 0}
	if every == 0 || round%every != 0 {
		return []pass{traced}
	}
	turn := round / every
	untraced := pass{backwards: turn%2 == 0}
	if turn%2 == 0 {
		return []pass{untraced, traced}
	}
	return []pass{traced, untraced}
}

// conclude keeps the rounds that have finished, whatever ended the run; err is what run has returned. It returns
// an error if there is none.
func (m *rounds) conclude(err error, interrupted bool) error {
	r := m.watch.report
	ended := "interrupted"
	var own *statusError
	switch {
	case err == nil:
		return nil
	case interrupted && m.finished == 0:
		return errors.New("interrupted before the first round had finished: nothing to report")
	case m.finished == 0:
		return err
	case interrupted:
	case errors.As(err, &own):
		m.status = own.status
		fallthrough
	default:
		ended = "the run ended early: " + oneLine(err)
	}
	keepFinished(r, ended, m.finished, m.options.rounds)
	return nil
}

// attach attaches the tracer, unless it is attached.
func (m *rounds) attach() error {
	if m.watch.collector != nil {
		return nil
	}
	c, err := m.options.open(m.options.tasks, m.watch.report.Host, m.recording)
	if err != nil {
		return err
	}
	m.watch.collector = c
	if m.began {
		m.watch.settings.Resume(c)
		return nil
	}
	m.began = true
	if m.options.flight.asked() {
		m.recording.saveAtNotified(c) // until the process ends
	}
	m.watch.report.Settings = m.watch.settings.Begin(c, m.recording != nil)
	return m.options.dropPrivileges()
}

// detach detaches the tracer if it is attached: then the kernel is as it would be without it.
func (m *rounds) detach() error {
	c := m.watch.collector
	if c == nil {
		return nil
	}
	m.watch.collector = nil
	misses, err := c.RecursionMisses()
	m.misses += misses
	if why := c.SwitchedOff(); why != "" {
		m.watch.warn(why)
	}
	return errors.Join(err, c.Close())
}

// progress shows on a terminal what runs. It is drawn between runs only.
func (m *rounds) progress(what string, c *report.CommandSetup) {
	if m.options.quiet || !understandsEscapes(m.messages) || !isForeground(m.messages) {
		return
	}
	text := []rune(fmt.Sprintf("%s · %q", what, c.Label))
	fmt.Fprintf(m.messages, "\r\x1b[K%s", string(text[:min(len(text), columns(m.messages)-1)]))
}

func (m *rounds) clearProgress() {
	if !m.options.quiet && understandsEscapes(m.messages) && isForeground(m.messages) {
		fmt.Fprint(m.messages, "\r\x1b[K")
	}
}
