package collector

import (
	"io"
	"strings"
	"testing"
)

// The tracer that records what a Live watches is a part of this process, and no other tracer.
func TestLiveThatIsRecorded(t *testing.T) {
	c := record(t, io.Discard)
	l, err := OpenLive(LiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	const ofRecording = `"st_switch"`
	if use := l.HookUse(); !strings.Contains(use.Tracers, ofRecording) {
		t.Errorf("before it is known, the other tracers are %s", use.Tracers)
	}
	l.RecordedBy(c)
	if use := l.HookUse(); strings.Contains(use.Tracers, ofRecording) {
		t.Errorf("the other tracers are %s", use.Tracers)
	}
	if n := len(l.all()); n != len(l.hooks)+len(c.hooks) { // whose time is that of this process's programs
		t.Errorf("%d programs, of %d and %d", n, len(l.hooks), len(c.hooks))
	}
	if _, err := c.FinishRecording(); err != nil {
		t.Error(err)
	}
}
