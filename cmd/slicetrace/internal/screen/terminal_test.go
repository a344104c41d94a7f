package screen

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// demo is the environment variable with which the test's binary shows a screen instead of testing. Its
// value is the number of tasks, and demoOnce makes it show a single interval.
const (
	demo     = "SLICETRACE_SCREEN_DEMO"
	demoOnce = "SLICETRACE_SCREEN_DEMO_ONCE"
)

func TestMain(m *testing.M) {
	if os.Getenv(demo) == "" {
		os.Exit(m.Run())
	}
	if err := runDemo(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runDemo shows as many tasks as the environment says.
func runDemo() error {
	tasks, err := strconv.Atoi(os.Getenv(demo))
	if err != nil {
		return err
	}
	if err := Unsuited(os.Stdin, os.Stdout, os.Getenv("TERM")); err != nil {
		return err
	}
	var source Source = &repeated{trials: demoReport(tasks).Trials, every: 100 * time.Millisecond}
	if os.Getenv(demoOnce) != "" {
		source = &once{trial: &demoReport(tasks).Trials[0]}
	}
	o := demoOptions()
	o.Plain = os.Getenv("NO_COLOR") != ""
	return Run(context.Background(), os.Stdin, os.Stdout, source, o)
}

func demoReport(tasks int) *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 16, Tasks: tasks, Groups: 12, Intervals: 4})
}

func demoOptions() Options {
	return Options{
		Interval:    time.Second,
		SetInterval: func(time.Duration) {},
		Record:      func(context.Context, time.Duration) (string, error) { return "recorded", nil },
		Write: func(_ context.Context, shown Shown) (string, error) {
			return "wrote to screen.txt", os.WriteFile("screen.txt", []byte(shown.Text), 0o644)
		},
	}
}

// once is a source of a single interval, without an end.
type once struct{ trial *report.Trial }

func (o *once) Next(ctx context.Context) (*report.Trial, error) {
	if t := o.trial; t != nil {
		o.trial = nil
		return t, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// repeated is a source of the same intervals again and again, the last of which is the end if limit is
// not 0.
type repeated struct {
	trials []report.Trial
	every  time.Duration
	limit  int64
	n      atomic.Int64
}

func (r *repeated) Next(ctx context.Context) (*report.Trial, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(r.every):
	}
	n := r.n.Add(1)
	if r.limit > 0 && n > r.limit {
		return nil, io.EOF
	}
	return &r.trials[int(n)%len(r.trials)], nil
}

// openTerminal returns both ends of a pseudo-terminal of 80 × 24.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		bpftest.Unavailable(t, "no pseudo-terminals: "+err.Error())
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// running runs a screen on a terminal, and returns what Run returned.
func running(ctx context.Context, slave *os.File, source Source) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, slave, slave, source, Options{}) }()
	return ended
}

const limit = 20 * time.Second

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func awaitEnd(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(limit):
		t.Fatal("the screen does not end")
		return nil
	}
}

// A terminal that reads nothing does not hold up the intervals, nor the end.
func TestStoppedTerminal(t *testing.T) {
	_, slave := openTerminal(t)
	r := server(3)
	source := &repeated{trials: r.Trials, every: time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := running(ctx, slave, source)
	await(t, "1000 intervals", func() bool { return source.n.Load() > 1000 })
	cancel()
	if err := awaitEnd(t, ended); err != nil {
		t.Error(err)
	}
}

// reading returns a function that tells what a terminal has shown so far.
func reading(master *os.File) func() string {
	var mu sync.Mutex
	var text strings.Builder
	go func() {
		var some [4096]byte
		for {
			n, err := master.Read(some[:])
			if err != nil {
				return
			}
			mu.Lock()
			text.Write(some[:n])
			mu.Unlock()
		}
	}()
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

// A terminal that was stopped shows the newest frame when it goes on, and keys work meanwhile.
func TestStoppedTerminalGoesOn(t *testing.T) {
	master, slave := openTerminal(t)
	shown := reading(master)
	flow := func(action int) {
		t.Helper()
		if err := unix.IoctlSetInt(int(slave.Fd()), unix.TCXONC, action); err != nil {
			t.Fatal(err)
		}
	}
	flow(unix.TCOOFF)
	r := server(3)
	source := &repeated{trials: r.Trials, every: time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := running(ctx, slave, source)
	await(t, "200 intervals", func() bool { return source.n.Load() > 200 })
	if _, err := master.WriteString("f"); err != nil {
		t.Fatal(err)
	}
	before := source.n.Load()
	await(t, "200 more intervals", func() bool { return source.n.Load() > before+200 })
	if text := shown(); text != "" {
		t.Fatalf("the terminal was not stopped: %q", text)
	}
	flow(unix.TCOON)
	await(t, "a frame", func() bool { return strings.Contains(shown(), "FROZEN 16 cores") })
	cancel()
	if err := awaitEnd(t, ended); err != nil {
		t.Error(err)
	}
}

// The end of the source ends the screen, which leaves the terminal as it was.
func TestEndOfSource(t *testing.T) {
	master, slave := openTerminal(t)
	shown := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master)
		shown <- string(text)
	}()
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	r := server(3)
	source := &repeated{trials: r.Trials, every: 30 * time.Millisecond, limit: 20}
	if err := awaitEnd(t, running(context.Background(), slave, source)); err != nil {
		t.Error(err)
	}
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *before != *after {
		t.Error("the terminal is not as before")
	}
	slave.Close()
	text := <-shown
	for _, want := range []string{"switches/s", "\x1b[?1049h", "\x1b[?1049l"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q was not written", want)
		}
	}
}

// over is a source of one interval, after which the screen is to stay.
type over struct{ once }

func (o *over) Next(ctx context.Context) (*report.Trial, error) {
	if o.trial == nil {
		return nil, &OverError{Why: "the task has ended"}
	}
	return o.once.Next(ctx)
}

// A source that is over leaves its last interval on the screen, which can be looked at and left.
func TestScreenStays(t *testing.T) {
	master, slave := openTerminal(t)
	text := reading(master)
	ended := running(context.Background(), slave, &over{once{&server(1).Trials[0]}})
	await(t, "the end", func() bool { return strings.Contains(text(), "the task has ended: this is the last") })
	for _, step := range []struct{ key, want string }{{"+", "cannot be changed"}, {"\r", "newest at the right"}} {
		if _, err := master.WriteString(step.key); err != nil {
			t.Fatal(err)
		}
		await(t, step.want, func() bool { return strings.Contains(text(), step.want) })
	}
	if _, err := master.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := awaitEnd(t, ended); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Next(context.Context) (*report.Trial, error) { return nil, io.ErrUnexpectedEOF }

func TestErrorOfSource(t *testing.T) {
	master, slave := openTerminal(t)
	go func() { _, _ = io.Copy(io.Discard, master) }()
	if err := awaitEnd(t, running(context.Background(), slave, failing{})); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

// A terminal that is gone ends the screen with an error.
func TestTerminalGone(t *testing.T) {
	master, slave := openTerminal(t)
	r := server(3) // frames that differ
	source := &repeated{trials: r.Trials, every: time.Millisecond}
	ended := running(context.Background(), slave, source)
	await(t, "10 intervals", func() bool { return source.n.Load() > 10 })
	master.Close()
	if err := awaitEnd(t, ended); err == nil {
		t.Error("no error")
	}
}
