package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Standard output may be on a full device, closed, or a pipe whose reader has gone.
func TestExportToStandardOutputThatFails(t *testing.T) {
	name := saveReport(t, "r.json", reporttest.Bundled(13, 7))
	shell := func(line string) invocation {
		cmd := tool(t)
		cmd.Path = "/bin/sh"
		cmd.Args = []string{"sh", "-c", line, self(t), name, saveRecording(t, 100_003)}
		return finish(t, cmd)
	}
	for line, says := range map[string]string{
		`"$0" export "$1" --table cores > /dev/full`:                       "no space left",
		`"$0" export "$2" --table switches > /dev/full`:                    "no space left",
		`"$0" export "$2" --table switches --format parquet > /dev/full`:   "no space left",
		`"$0" export "$1" --format parquet -o /dev/full/x >&-; exit $?`:    "choose",
		`cat "$1" | "$0" export /dev/stdin --table nothing >/dev/null`:     "the tables are",
		`"$0" export /dev/null --table cores`:                              "the file is empty",
		`cd / && exec "$0" export "$2" --table switches -o /proc/self/xyz`: "-o",
	} {
		got := shell(line)
		got.checkOneSentence(t, says)
		if got.status != exitFailed && got.status != exitUsage || len(got.files(t)) > 0 {
			t.Errorf("%s: status %d, files %v", line, got.status, got.files(t))
		}
	}
	// A closed standard output, and the null device in its place, are no error.
	for _, line := range []string{
		`"$0" export "$1" --table cores >&-`,
		`exec "$0" export "$2" --table switches --format parquet <&- >&-`,
		`"$0" report "$1" 1<>/dev/null`,
	} {
		got := shell(line)
		got.checkOneSentence(t, "standard output is closed or discarded")
		if got.status != exitDone {
			t.Errorf("%s: status %d", line, got.status)
		}
	}
	for _, line := range []string{
		`"$0" export "$1" --table cores`,
		`"$0" export "$2" --table switches`,
		`"$0" export "$2" --table switches --format parquet`,
	} {
		got := shell(`{ ` + line + `; echo $? >status; } | head -c 1 >/dev/null; cat status`)
		if want := strconv.Itoa(128+int(syscall.SIGPIPE)) + "\n"; got.out != want || got.err != "" {
			t.Errorf("%s into a closed pipe: status %q, it said %q", line, got.out, got.err)
		}
	}
	if got := shell(`"$0" export "$1" --table cores >/dev/null`); got.status != exitDone || got.err != "" {
		t.Errorf("into the null device: status %d, %q", got.status, got.err)
	}
	got := shell(`"$0" export "$1" --table cores -o c.csv >&- 2>&- <&-`)
	if got.status != exitDone || !slices.Equal(got.files(t), []string{"c.csv"}) {
		t.Errorf("with -o and nothing open: status %d, %v", got.status, got.files(t))
	}
	got = shell(`cat "$1" | "$0" export /dev/stdin --table cores`)
	if got.status != exitDone || got.out != call(t, "export", name, "--table", "cores").out {
		t.Errorf("from a pipe: status %d, %q", got.status, got.err)
	}
}

// When the disk is full, the file that is to be replaced stays, and no other file is left.
func TestExportToAFullDisk(t *testing.T) {
	bpftest.Require(t)
	name, rec := saveReport(t, "r.json", reporttest.Bundled(97, 3)), saveRecording(t, 400_009)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	older := filepath.Join(disk, "older")
	if err := os.WriteFile(older, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{name, "--table", "workers", "-o", older},
		{name, "--table", "workers", "--format", "parquet", "-o", disk},
		{rec, "--table", "switches", "-o", older},
		{rec, "--table", "switches", "--format", "parquet", "-o", older},
	} {
		got := call(t, append([]string{"export"}, args...)...)
		got.checkOneSentence(t, "no space left")
		if strings.Contains(got.err, ".tmp") {
			t.Errorf("the error names a file that nobody asked for: %s", got.err)
		}
		if left := tree(t, disk); got.status != exitFailed || !slices.Equal(left, []string{"older"}) {
			t.Errorf("%v: status %d, left %v", args[1:], got.status, left)
		}
		if data, _ := os.ReadFile(older); string(data) != "precious" {
			t.Errorf("%v: the older file holds %.20q", args[1:], data)
		}
	}
}

// A signal that ends an export, such as Ctrl-C, leaves neither a half-written file nor a temporary
// one.
func TestInterruptedExportLeavesNothing(t *testing.T) {
	whole, err := os.ReadFile(saveRecording(t, 100_003))
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if signal.Ignored(sig) {
			continue // as in a shell's background, where the tool goes on to ignore it
		}
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := tool(t, "export", fifo, "--table", "switches", "-o", "s.csv")
		got := finish(t, cmd, func() { feedAndInterrupt(t, cmd, sig, fifo, whole) })
		got.checkOneSentence(t, "interrupted")
		if got.status != exitFailed || len(got.files(t)) > 0 {
			t.Errorf("%v: status %d, left %v", sig, got.status, got.files(t))
		}
	}
}

// writesIn reports whether a tool has a file open in its directory, named or not.
func writesIn(tool *exec.Cmd) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", tool.Process.Pid))
	return slices.ContainsFunc(links, func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && strings.HasPrefix(target, tool.Dir+"/")
	})
}

// feedAndInterrupt interrupts the tool when it has read half of the recording, and feeds it
// the rest bit by bit: the tool notices the signal after a read, and then stops reading.
func feedAndInterrupt(t *testing.T, cmd *exec.Cmd, sig os.Signal, fifo string, whole []byte) {
	t.Helper()
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	half := len(whole) / 2
	if _, err := w.Write(whole[:half]); err != nil {
		t.Fatal(err)
	}
	await(t, "an output", func() bool { return writesIn(cmd) })
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest := whole[half:]
	await(t, "an end of reading", func() bool {
		n := min(len(rest), 1024)
		_, err := w.Write(rest[:n])
		if rest = rest[n:]; err != nil && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		return err != nil || len(rest) == 0
	})
}
