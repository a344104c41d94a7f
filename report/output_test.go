package report_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
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

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "r.json")
	want := reporttest.Command()
	for range 2 { // the second time replaces the first
		if err := report.WriteFile(name, want, &report.Owner{UID: os.Getuid(), GID: os.Getgid()}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := report.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(report.Histogram{})); diff != "" {
		t.Errorf("the file differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"r.json"}, entries(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != 0o644 {
		t.Errorf("mode is %v", info.Mode())
	}
}

// A file that is replaced keeps its mode: who hid it wants it hidden. One that nobody may
// write to is kept: whoever is root could replace it, but took the trouble to protect it.
func TestWriteFileKeepsTheMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are of Unix")
	}
	name := filepath.Join(t.TempDir(), "r.json")
	for mode, kept := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o666: true, 0o444: false, 0o400: false} {
		if err := os.WriteFile(name, []byte("older"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		err := report.WriteFile(name, reporttest.Command(), nil)
		if kept != (err == nil) || err != nil && !strings.Contains(err.Error(), "nobody may write to") {
			t.Errorf("%v: error is %v", mode, err)
		}
		info, statErr := os.Stat(name)
		if statErr != nil {
			t.Fatal(statErr)
		}
		if info.Mode() != mode || (info.Size() == 5) == kept {
			t.Errorf("%v: the file has mode %v and %d bytes", mode, info.Mode(), info.Size())
		}
		os.Remove(name)
	}
}

func TestWriteFileLeavesNothingBehindOnError(t *testing.T) {
	dir := t.TempDir()
	bad := reporttest.Command()
	bad.Created = bad.Created.AddDate(10_000, 0, 0) // a year that JSON cannot hold
	name := filepath.Join(dir, "r.json")
	if err := report.WriteFile(name, bad, nil); err == nil || strings.Contains(err.Error(), "choose another place") {
		t.Errorf("the place is blamed for what should be in it: %v", err)
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(name, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteFile(name, bad, nil); err == nil {
		t.Error("a report that cannot be encoded is saved")
	}
	if data, _ := os.ReadFile(name); string(data) != "older" {
		t.Errorf("the older file holds %q", data)
	}
}

func TestWriteFileRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "new") + string(filepath.Separator), "", filepath.Join(dir, "no", "such")} {
		if err := report.WriteFile(name, reporttest.Command(), nil); err == nil || !strings.Contains(err.Error(), "choose another") {
			t.Errorf("%q: error is %v", name, err)
		}
		if _, err := report.OpenTarget(name, nil); err == nil {
			t.Errorf("%q: OpenTarget finds no fault", name)
		}
	}
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A link of one's own is followed, to a file that is there or is to be: the link stays.
func TestWriteFileFollowsOwnLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "in/r.json", "again": "link", "absolute": filepath.Join(dir, "in", "a.json")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skipf("this system makes no symbolic links: %v", err)
		}
	}
	for range 2 {
		for _, name := range []string{"link", "again", "absolute"} {
			if err := report.WriteFile(filepath.Join(dir, name), reporttest.Command(), nil); err != nil {
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

// A name that nobody chose replaces nothing and follows no link, whatever has it; also
// where the file system knows no hard links.
func TestWriteNewFileReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "r.json")
	if err := os.Symlink("elsewhere", name); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "r-2.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"r-3.json", "r-4.json"} {
		got, err := report.WriteNewFile(name, reporttest.Command(), nil)
		if err != nil || filepath.Base(got) != want {
			t.Errorf("it is %s, want %s: %v", got, want, err)
		}
	}
	if diff := cmp.Diff([]string{"r-2.json", "r-3.json", "r-4.json", "r.json"}, entries(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
}

func TestWriteStream(t *testing.T) {
	name := filepath.Join(t.TempDir(), "t.csv")
	if err := report.WriteStream(name, nil, func(w io.Writer) error { _, err := io.WriteString(w, "a,b\r\n"); return err }); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "a,b\r\n" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}
