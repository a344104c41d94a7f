package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// outputCases are command lines that run in a folder of outputFixtures, and what is new or
// changed in that folder afterwards.
var outputCases = []struct {
	// line is a shell's; st is the tool.
	line   string
	status int
	says   string // on standard error
	files  string // name:kind, ...
}{
	// "-" is standard output, which then carries nothing else.
	{line: `st run -q -o - -- true > out`, files: "out:report"},
	{line: `st run -o - pipe --rounds 1 --duration 50ms > out 2> err`, files: "out:report err:text"},
	{line: `st run -o - pipe --rounds 1 --duration 50ms 2>&1 | cat > out`, files: "out:report"},
	{
		line:  `st run -q -o new.json --record - pipe --rounds 1 --duration 50ms | cat > out`,
		files: "new.json:report out:recording",
	},
	{line: `st export r.json --table cores -o - > out`, files: "out:csv"},
	{line: `st export t.rec --table switches --format parquet -o - > out`, files: "out:parquet"},
	{line: `st compare r.json s.json -o - > out`, files: "out:text"},
	{line: `st report r.json --html - > out`, files: "out:page"},
	{line: `st run -q -o a.json --record a.rec -- true; st report a.json --html - --recording a.rec > out`,
		files: "a.json:report a.rec:recording out:page"},
	// Devices, pipes and descriptors are written to directly.
	{line: `st run -q -o /dev/null --record /dev/null -- true`},
	{line: `echo before > out; st run -q -o /dev/stdout -- true >> out; sed -i 1d out`, files: "out:report"},
	{line: `st run -q -o /dev/stdout -- echo hi | sed 1d > out`, files: "out:report"},
	{line: `st run -q -o /dev/fd/3 -- true 3> out`, files: "out:report"},
	{line: `st run -q -o /proc/self/fd/3 -- true 3> out`, files: "out:report"},
	{line: `cat pipe > out & st run -q -o pipe -- true; wait`, files: "out:report"},
	{line: `cat pipe > out & st export t.rec --table tasks -o pipe; wait`, files: "out:csv"},
	{line: `st export r.json --table cores --format parquet -o /dev/fd/3 3> out`, files: "out:parquet"},
	{line: `st run -q -o /dev/fd/0 -- true < r.json`, status: 1, says: "reading only"},
	{line: `st run -q -o /dev/fd/77 -- true`, status: 1, says: "-o: open output /dev/fd/77: no such file or directory"},
	{
		line: `st export t.rec --table switches -o /dev/full`, status: 1,
		says: "slicetrace: write /dev/full: write table switches: no space left on device",
	},
	// Two outputs in one file, and a file that is read or in use, are errors.
	{line: `st run -q -o new.json --record new.json -- touch ran`, status: 2, says: "are one file"},
	{line: `st run -q -o new.json --record ./new.json -- touch ran`, status: 2, says: "are one file"},
	{line: `st run -q -o new.json --record "$PWD/dir/../new.json" pipe`, status: 2, says: "are one file"},
	{line: `st run -q -o r.json --record hard.json -- touch ran`, status: 2, says: "are one file"},
	{line: `st run -q -o link.json --record s.json -- touch ran`, status: 2, says: "are one file"},
	{line: `st run -q -o dangling.json --record dir/to.json -- touch ran`, status: 2, says: "are one file"},
	{line: `st run -q -o - --record /dev/stdout -- touch ran | cat`, says: "are one file"},
	{line: `st run -o r.json pipe >> r.json`, status: 2, says: "standard output goes to"},
	{line: `st run -o new -- touch ran 2> new; grep "standard error goes to" new > /dev/null && rm new`},
	{line: `st export r.json --table cores -o r.json`, status: 2, says: "which is read"},
	{line: `st export s.json r.json --table cores -o hard.json`, status: 2, says: "which is read"},
	{line: `st export t.rec --table switches -o ./t.rec`, status: 2, says: "which is read"},
	{line: `st compare r.json s.json -o link.json`, status: 2, says: "which is read"},
	{line: `st report r.json --html r.json`, status: 2, says: "which is read"},
	{line: `st report r.json --html t.rec --recording t.rec`, status: 2, says: "which is read"},
	// The user's own link is followed, a mode is kept, and a protected file stays.
	{line: `st run -q -o link.json -- true`, files: "s.json:report"},
	{line: `st run -q -o dangling.json -- true`, files: "dir/to.json:report"},
	{
		line:  `st export r.json --table cores --format parquet -o folder`,
		files: "dir/cores/host=HOST/date=DATE/REPORT.parquet:parquet",
	},
	{line: `chmod 600 r.json; st run -q -o r.json -- true; [ "$(stat -c %a r.json)" = 600 ]`, files: "r.json:report"},
	{line: `chmod 444 r.json; st run -q -o r.json -- touch ran`, status: 1, says: "nobody may write to"},
	{line: `st run -q -o dir -- touch ran`, status: 1, says: "a directory"},
	{line: `st run -q -o no/such -- touch ran`, status: 1, says: "-o: open output no/such: no such file or directory"},
	{
		line: `st run -q --record no/such -- touch ran`, status: 1,
		says: "--record: open output no/such: no such file or directory",
	},
	{
		line: `st report r.json --html no/such`, status: 1,
		says: "--html: open output no/such: no such file or directory",
	},
	// An empty name is an error.
	{line: `st run -q -o '' -- touch ran`, status: 2, says: "--output is empty"},
	{line: `st run -q -o new.json --record "$unset" -- touch ran`, status: 2, says: "--record is empty"},
	{line: `st run -q -o new.json --mode '' pipe`, status: 2, says: "--mode is empty"},
	{line: `st export r.json --table ''`, status: 2, says: "--table is empty"},
	{line: `st export r.json --table cores -o ''`, status: 2, says: "--output is empty"},
	{line: `st export r.json --format parquet -o dir --host ''`, status: 2, says: "--host is empty"},
	{line: `st compare r.json s.json -o ''`, status: 2, says: "--output is empty"},
	{line: `st compare r.json s.json --fail-if ''`, status: 2, says: "--fail-if is empty"},
	{line: `st report r.json --html ''`, status: 2, says: "--html is empty"},
	{line: `st report r.json --html new.html --recording ''`, status: 2, says: "--recording is empty"},
	// The error of a bad input does not name the output, and nothing is written there.
	{line: `st export bad.json --table cores -o new`, status: 1, says: "slicetrace: bad.json: "},
	{line: `st export r.json bad.json --table cores -o new`, status: 1, says: "slicetrace: bad.json: "},
	{line: `st compare r.json bad.json -o new`, status: 1, says: "slicetrace: bad.json: "},
	{line: `st report bad.json --html new`, status: 1, says: "slicetrace: bad.json: "},
	{line: `st report r.json --html new --recording s.json`, status: 1, says: "slicetrace: s.json: "},
}

// outputFixtures fills a folder.
func outputFixtures(t *testing.T, dir string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		reporttest.WriteFile(in("r.json"), reporttest.Bundled(1, 7)),
		reporttest.WriteFile(in("s.json"), reporttest.Bundled(1, 8)),
		os.WriteFile(in("t.rec"), reporttest.Recording(), 0o644),
		os.WriteFile(in("bad.json"), []byte(`{"schema":1,"trials":{}}`), 0o644),
		os.Mkdir(in("dir"), 0o755),
		os.Symlink("s.json", in("link.json")),
		os.Symlink("dir", in("folder")),
		os.Symlink("dir/to.json", in("dangling.json")),
		os.Link(in("r.json"), in("hard.json")),
		unix.Mkfifo(in("pipe"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// contents returns the contents of a folder's files and the targets of its links, by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var text []byte
		var target string
		switch name, _ := filepath.Rel(dir, path); {
		case d.Type() == fs.ModeSymlink:
			target, err = os.Readlink(path)
			found[name] = "link to " + target
		case d.Type().IsRegular():
			text, err = os.ReadFile(path)
			found[name] = string(text)
		default:
			found[name] = d.Type().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kindOf returns the kind of a file that the tool wrote.
func kindOf(text string) string {
	_, err := report.Decode(strings.NewReader(text))
	switch {
	case err == nil:
		return "report"
	case recording.IsRecording([]byte(text)):
		return "recording"
	case strings.HasPrefix(text, "PAR1") && strings.HasSuffix(text, "PAR1"):
		return "parquet"
	case strings.HasPrefix(text, "<!doctype html>"):
		return "page"
	case strings.Contains(text, "\r\n"):
		return "csv"
	case strings.HasPrefix(text, "slicetrace · "):
		return "text"
	}
	return fmt.Sprintf("%.80q", text)
}

func TestOutputs(t *testing.T) {
	bpftest.Require(t)
	for _, c := range outputCases {
		t.Run(c.line, func(t *testing.T) {
			cmd := tool(t)
			outputFixtures(t, cmd.Dir)
			before := contents(t, cmd.Dir)
			cmd.Path = "/bin/sh"
			cmd.Args = []string{"sh", "-c", `st() { "$TOOL" "$@"; }; ` + c.line}
			cmd.Env = append(cmd.Env, "TOOL="+self(t))
			got := finish(t, cmd)
			tooLong := c.status != 0 && strings.Count(got.err, "\n") > 1
			if got.status != c.status || !strings.Contains(got.err, c.says) || tooLong {
				t.Errorf("status %d, want %d; it says %q, want %q", got.status, c.status, got.err, c.says)
			}
			want := map[string]string{}
			for _, file := range strings.Fields(c.files) {
				name, kind, _ := strings.Cut(file, ":")
				want[name] = kind
			}
			made := map[string]string{}
			after := contents(t, cmd.Dir)
			for _, name := range slices.Sorted(maps.Keys(after)) {
				if text, old := before[name]; !old || text != after[name] {
					made[generic(name)] = kindOf(after[name])
				}
				delete(before, name)
			}
			if diff := cmp.Diff(want, made); diff != "" || len(before) > 0 {
				t.Errorf("files (-want +got):\n%s\ngone: %v", diff, slices.Collect(maps.Keys(before)))
			}
		})
	}
}

// generic returns a name in a partition without the parts that depend on the report.
func generic(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		switch {
		case strings.HasPrefix(part, "host="):
			parts[i] = "host=HOST"
		case strings.HasPrefix(part, "date="):
			parts[i] = "date=DATE"
		case strings.HasSuffix(part, ".parquet"):
			parts[i] = "REPORT.parquet"
		}
	}
	return strings.Join(parts, "/")
}

// Binary outputs are not written to a terminal.
func TestOutputsOnATerminal(t *testing.T) {
	bpftest.Require(t)
	rec := filepath.Join(t.TempDir(), "t.rec")
	if err := os.WriteFile(rec, reporttest.Recording(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "-q", "-o", "r.json", "--record", "-", "pipe"},
		{"run", "-q", "-o", "r.json", "--record", "/dev/tty", "--", "true"},
		{"export", rec, "--table", "tasks", "--format", "parquet"},
		{"export", rec, "--table", "tasks", "--format", "parquet", "-o", "/dev/tty"},
		{"export", rec, "--format", "perfetto", "-o", "/dev/stdout"},
	} {
		x := openTerminal(t)
		cmd := tool(t, args...)
		x.start(t, cmd)
		x.read()
		if status := ended(t, cmd); status != exitUsage {
			t.Errorf("%v: status %d", args, status)
		}
		await(t, "the error", func() bool { return strings.Contains(x.shown(), "is not for a terminal: name a file") })
		if bytes.ContainsAny([]byte(x.shown()), "\x00\x1b") {
			t.Errorf("%v: shown is %q", args, x.shown())
		}
	}
}
