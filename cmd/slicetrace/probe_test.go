package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// probeProgram compiles testdata/probe.c once. It is in C, because Go's runtime changes what the
// tests look at.
var probeProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "slicetrace-probe-*")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "probe")
	gcc := exec.Command("gcc", "-O1", "-Wall", "-Wno-unused-result", "-o", program, "testdata/probe.c")
	text, err := gcc.CombinedOutput()
	if err != nil {
		return "", errors.New(err.Error() + ": " + string(text))
	}
	return program, nil
})

func removeProbe() {
	if program, err := probeProgram(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
}

// probe is a run of the probe, bare or by the tool.
type probe struct {
	*exec.Cmd
	// says is the reading side of its descriptor 4. Closing end, the writing side of its
	// descriptor 3, ends it.
	says, end *os.File
	dir       string
}

// startProbe starts the probe as the leader of a session of its own. The command line is the
// words before, then the tool if traced, then the probe with the words after. Standard error is
// errs, or the terminal if errs is nil.
func startProbe(t *testing.T, x *terminal, errs *os.File, traced bool, before, after []string) *probe {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		bpftest.Unavailable(t, err.Error())
	}
	program, err := probeProgram()
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{dir: t.TempDir()}
	argv := slices.Clone(before)
	if traced {
		argv = append(argv, self(t), "run", "-q", "-o", filepath.Join(p.dir, "r.json"), "--")
	}
	argv = append(append(argv, program), after...)
	for i, word := range argv {
		if word == "probe" {
			argv[i] = program
		}
	}
	p.Cmd = exec.Command(argv[0], argv[1:]...)
	p.Env = append(os.Environ(), toolVariable+"=1", "SUDO_UID=", "SUDO_GID=")
	endsRead, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	says, saysWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.says, p.end = says, end
	p.ExtraFiles = []*os.File{endsRead, saysWrite}
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if x != nil {
		p.Stdin, p.Stdout, p.Stderr = x.slave, x.slave, x.slave
		p.SysProcAttr.Setctty = true
	}
	if errs != nil {
		p.Stderr = errs
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	endsRead.Close()
	saysWrite.Close()
	t.Cleanup(func() {
		_ = p.Process.Kill() // where the test has failed
		p.says.Close()
		p.end.Close()
	})
	return p
}

// next returns the next byte that the probe writes, and false if none comes in time.
func (p *probe) next(within time.Duration) (byte, bool) {
	var c [1]byte
	_ = p.says.SetReadDeadline(time.Now().Add(within))
	n, err := p.says.Read(c[:])
	return c[0], err == nil && n == 1
}

// rest returns what the probe writes until every process that could write has ended: the
// probe, the tool and their children.
func (p *probe) rest(t *testing.T) string {
	t.Helper()
	_ = p.says.SetReadDeadline(time.Now().Add(20 * time.Second))
	text, err := io.ReadAll(p.says)
	if err != nil {
		t.Errorf("%v: a process is left: %v", p.Args, err)
	}
	return string(bytes.TrimSpace(text))
}

// awaitReady returns when the probe has begun.
func (p *probe) awaitReady(t *testing.T) {
	t.Helper()
	if c, ok := p.next(20 * time.Second); !ok || c != 0 {
		t.Fatalf("%s did not begin", strings.Join(p.Args, " "))
	}
}
