package report_test

import (
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

func TestWriteFileLeavesNothingBehindOnError(t *testing.T) {
	dir := t.TempDir()
	bad := reporttest.Command()
	bad.Created = bad.Created.AddDate(10_000, 0, 0) // a year that JSON cannot hold
	name := filepath.Join(dir, "r.json")
	if err := report.WriteFile(name, bad, nil); err == nil || !strings.Contains(err.Error(), "choose another place") {
		t.Errorf("error is %v", err)
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

func TestWriteFileRefusesWhatIsNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, link); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
	for _, name := range []string{link, dir, filepath.Join(dir, "new") + string(filepath.Separator), "", filepath.Join(dir, "no", "such"), os.DevNull} {
		if err := report.WriteFile(name, reporttest.Command(), nil); err == nil || !strings.Contains(err.Error(), "-o") {
			t.Errorf("%q: error is %v", name, err)
		}
		if err := report.CheckOutput(name, nil); err == nil {
			t.Errorf("%q: CheckOutput finds no fault", name)
		}
	}
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the link's target holds %q", data)
	}
	if diff := cmp.Diff([]string{"link", "victim"}, entries(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	if err := report.CheckOutput(victim, nil); err != nil {
		t.Errorf("a regular file is refused: %v", err)
	}
}

func TestWriteText(t *testing.T) {
	name := filepath.Join(t.TempDir(), "t.csv")
	if err := report.WriteText(name, []byte("a,b\r\n"), nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "a,b\r\n" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}
