package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeTree writes the files of a machine, in the form of testdata/tree, into a directory that
// stands for /. ID and the like are spelled as in the paths of pathCases.
func fakeTree(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/tree", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for section := range strings.SplitSeq("\n"+string(text), "\n-- ") {
		if path, content, ok := strings.Cut(section, " --"); ok {
			write(t, root+"/"+spell(path), spell(strings.TrimPrefix(content, "\n")))
		}
	}
	return root
}

// write also makes the directories above a file.
func write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// clock is a time that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time       { return c.Time }
func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }
func newClock() *clock                { return &clock{time.Unix(1e9, 0)} }
func micros(n int) *time.Duration     { return new(time.Duration(n) * time.Microsecond) }
func idOf(t testing.TB, dir string) (id uint64) {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return s.Ino
}

func fakeResolver(t testing.TB, root string, o Options, c *clock) *Resolver {
	t.Helper()
	r, err := newResolver(o, root, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
