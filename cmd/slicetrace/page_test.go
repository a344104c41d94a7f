package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestReportAsAPage(t *testing.T) {
	dir := t.TempDir()
	name := func(base string) string { return filepath.Join(dir, base) }
	for base, r := range map[string]*report.Report{"old.json": reporttest.Bundled(6, 2), "new.json": reporttest.Bundled(6, 2)} {
		if err := report.WriteFile(name(base), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for base, content := range map[string][]byte{"recording": reporttest.Recording(), "none": []byte("not a recording"), "broken.json": []byte("{")} {
		if err := os.WriteFile(name(base), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		has  string
	}{
		{[]string{name("new.json")}, "slicetrace run --record FILE"},
		{[]string{name("new.json"), "--recording", name("recording")}, "spin as threads"},
		{[]string{name("new.json"), "--recording", name("recording"), "--window-start", "300ms", "--window-length", "9ms"}, "9.00 ms, from 300 ms after"},
		{[]string{name("old.json"), name("new.json")}, "Before and after"},
	} {
		got := call(t, append(append([]string{"report"}, c.args...), "--html", name("page.html"))...)
		text, err := os.ReadFile(name("page.html"))
		if got.status != exitDone || got.out != "" || got.err != "" || err != nil || !strings.Contains(string(text), c.has) {
			t.Errorf("%v: status %d, %q, %q, %v; the page should say %q", c.args, got.status, got.out, got.err, err, c.has)
		}
	}
	// A page that cannot be made leaves the one that was there.
	before, err := os.ReadFile(name("page.html"))
	if err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"broken.json":                {name("broken.json")},
		"not a slicetrace recording": {name("new.json"), "--recording", name("none")},
		"no-such":                    {name("new.json"), "--recording", name("no-such")},
		"choose another":             {name("new.json"), "--recording", name("recording"), "--window-start", "1h"},
	} {
		got := call(t, append(append([]string{"report"}, args...), "--html", name("page.html"))...)
		got.checkOneSentence(t, says)
		if after, err := os.ReadFile(name("page.html")); got.status != exitFailed || err != nil || string(after) != string(before) {
			t.Errorf("%v: status %d, %v, or the page was changed", args, got.status, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 6 {
		t.Errorf("the tool left %v, %v", entries, err)
	}
}
