//go:build linux

package outfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

// entries returns the names in a directory.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func hello(w io.Writer) error {
	_, err := io.WriteString(w, "hello")
	return err
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "r.json")
	for range 2 { // the second time replaces the first
		if err := outfile.Write(name, &outfile.Owner{UID: os.Getuid(), GID: os.Getgid()}, hello); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "hello" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if diff := cmp.Diff([]string{"r.json"}, entries(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("mode is %v", info.Mode())
	}
}

// A file that is replaced keeps its mode, so that it stays hidden if it was. A file that nobody may
// write to is not replaced: root could do it, but somebody took the trouble to protect the file.
func TestWriteKeepsTheMode(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.json")
	for mode, kept := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o666: true, 0o444: false, 0o400: false} {
		if err := os.WriteFile(name, []byte("older"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		err := outfile.Write(name, nil, hello)
		if kept != (err == nil) || err != nil && !strings.Contains(err.Error(), "nobody may write to") {
			t.Errorf("%v: error is %v", mode, err)
		}
		info, statErr := os.Stat(name)
		if statErr != nil {
			t.Fatal(statErr)
		}
		if text, err := os.ReadFile(name); err != nil || info.Mode() != mode || (string(text) == "hello") != kept {
			t.Errorf("%v: the file has mode %v and %d bytes", mode, info.Mode(), info.Size())
		}
		os.Remove(name)
	}
}

func TestWriteLeavesNothingBehindOnError(t *testing.T) {
	dir := t.TempDir()
	bad := func(w io.Writer) error { return errors.Join(hello(w), errors.New("no more of it")) }
	name := filepath.Join(dir, "r.json")
	if err := outfile.Write(name, nil, bad); err == nil || strings.Contains(err.Error(), "choose another place") {
		t.Errorf("the place is blamed for what should be in it: %v", err)
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(name, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := outfile.Write(name, nil, bad); err == nil {
		t.Error("what cannot be written whole is saved")
	}
	if data, _ := os.ReadFile(name); string(data) != "older" {
		t.Errorf("the older file holds %q", data)
	}
}

func TestWriteRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	noSuch := filepath.Join(dir, "no", "such")
	for _, name := range []string{dir, filepath.Join(dir, "new") + string(filepath.Separator), "", noSuch} {
		if err := outfile.Write(name, nil, hello); err == nil || !strings.Contains(err.Error(), "choose another") {
			t.Errorf("%q: error is %v", name, err)
		}
		if _, err := outfile.OpenTarget(name, nil); err == nil {
			t.Errorf("%q: OpenTarget finds no fault", name)
		}
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The user's own link is followed, whether the file exists or not, and the link stays.
func TestWriteFollowsOwnLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	absolute := filepath.Join(dir, "in", "a.json")
	for name, target := range map[string]string{"link": "in/r.json", "again": "link", "absolute": absolute} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		for _, name := range []string{"link", "again", "absolute"} {
			if err := outfile.Write(filepath.Join(dir, name), nil, hello); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s is no link any more: %v", name, err)
			}
		}
	}
	if diff := cmp.Diff([]string{"a.json", "r.json"}, entries(t, filepath.Join(dir, "in"))); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
}

// A name that the user did not choose replaces nothing and follows no link, whatever has the name.
// This is so on file systems without hard links too.
func TestWriteNewReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "r.json")
	if err := os.Symlink("elsewhere", name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "r-2.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"r-3.json", "r-4.json"} {
		got, err := outfile.WriteNew(name, nil, hello)
		if err != nil || filepath.Base(got) != want {
			t.Errorf("it is %s, want %s: %v", got, want, err)
		}
	}
	if diff := cmp.Diff([]string{"r-2.json", "r-3.json", "r-4.json", "r.json"}, entries(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
}
