package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/recording"
)

// Neither a report nor a recording holds the environment.
func TestSavedFilesHoldNoSecrets(t *testing.T) {
	bpftest.Require(t)
	const secret = "correct-horse-battery-staple"
	for name, args := range map[string][]string{
		"command": {"run", "-o", "r.json", "--record", "r.rec", "--", "sh", "-c", "sleep 0.01; /bin/true $TOKEN"},
		"bundled": append([]string{"run", "spin", "-o", "r.json", "--record", "r.rec"}, short...),
	} {
		cmd := sudo(t, tool(t, args...))
		cmd.Env = append(cmd.Env, "TOKEN="+secret)
		got := finish(t, cmd)
		if got.status != 0 {
			t.Fatalf("%s: status %d: %s", name, got.status, got.err)
		}
		for _, file := range []string{"r.json", "r.rec"} {
			if text := plainText(t, filepath.Join(got.dir, file)); bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s: %s holds the value of a variable", name, file)
			}
		}
		if strings.Contains(got.out+got.err, secret) {
			t.Errorf("%s: the value of a variable is shown", name)
		}
	}
}

// plainText returns the text of a saved file, without a recording's blocks of events.
func plainText(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !recording.IsRecording(text) {
		return text
	}
	r, err := recording.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	said := fmt.Appendf(nil, "%+v", r.Header())
	for {
		frame, err := r.Next()
		if err == io.EOF {
			return said
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := frame.(*recording.Block); !ok {
			said = fmt.Appendf(said, "%+v", frame)
		}
	}
}

// Under sudo, a run saves files only where its caller may, or in root's own directories.
func TestRunUnderSudoRefusesDirectoriesOfOthers(t *testing.T) {
	bpftest.Require(t)
	dir := worldDir(t)
	if err := os.Chown(dir, nobody-1, nobody-1); err != nil {
		t.Fatal(err)
	}
	cmd := sudo(t, tool(t, "run", "-q", "-o", filepath.Join(dir, "r.json"), "--", "true"))
	got := finish(t, cmd)
	got.checkOneSentence(t, "as user 65534, who called sudo")
	if got.status != exitFailed {
		t.Errorf("status %d", got.status)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// No figure is missing with the few privileges that a run keeps, or with a file's capabilities.
func TestFewPrivilegesLoseNoFigure(t *testing.T) {
	bpftest.Require(t)
	for name, start := range map[string]func(*testing.T, *exec.Cmd) *exec.Cmd{
		"sudo":                  sudo,
		"a file's capabilities": withFileCapabilities,
	} {
		got := finish(t, start(t, tool(t, append([]string{"run", "pipe"}, short...)...)))
		if got.status != exitDone {
			t.Fatalf("%s: status %d: %s", name, got.status, got.err)
		}
		r := got.saved(t)
		if q := r.Quality; q.ProbeFloorNS == nil || q.ReconciledWorkers != q.Workers || len(r.Warnings) > 0 {
			t.Errorf("%s: hook floor %v, %d of %d workers, warnings %v",
				name, q.ProbeFloorNS, q.ReconciledWorkers, q.Workers, r.Warnings)
		}
	}
}
