package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestReportAsAPage(t *testing.T) {
	dir := t.TempDir()
	name := func(base string) string { return filepath.Join(dir, base) }
	for _, base := range []string{"old.json", "new.json"} {
		r := reporttest.Bundled(6, 2)
		r.Recording = &report.Recording{ID: reporttest.RecordingID}
		if err := reporttest.WriteFile(name(base), r); err != nil {
			t.Fatal(err)
		}
	}
	for base, content := range map[string][]byte{
		"recording":   reporttest.Recording(),
		"none":        []byte("not a recording"),
		"broken.json": []byte("{"),
	} {
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
		{
			[]string{
				name("new.json"), "--recording", name("recording"), "--window-start", "300ms", "--window-length", "9ms",
			},
			"9.00 ms, from 300 ms after",
		},
		{[]string{name("old.json"), name("new.json")}, "What differs between the machines and runs"},
	} {
		got := call(t, append(append([]string{"report"}, c.args...), "--html", name("page.html"))...)
		text, err := os.ReadFile(name("page.html"))
		if got.status != exitDone || got.out+got.err != "" || err != nil || !strings.Contains(string(text), c.has) {
			t.Errorf("%v: status %d, %q, %q, %v; the page should say %q",
				c.args, got.status, got.out, got.err, err, c.has)
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
		after, err := os.ReadFile(name("page.html"))
		if got.status != exitFailed || err != nil || string(after) != string(before) {
			t.Errorf("%v: status %d, %v, or the page was changed", args, got.status, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 6 {
		t.Errorf("the tool left %v, %v", entries, err)
	}
}

// A page shows the slices of its own run only. For files of older versions, the counts decide,
// which two runs do not have in common. A recording of an older version that was cut short has
// no counts: its start decides, so that a user can still look at a part of it. A report that
// names no recording was made without one, since a run that is killed leaves no report.
func TestPageRefusesAnotherRunsRecording(t *testing.T) {
	created := time.Date(2026, 11, 22, 20, 11, 0, 0, time.UTC)
	counts := recording.End{Switches: 23, Wakeups: 7, Counted: 23}
	otherCounts := recording.End{Switches: 23, Wakeups: 8, Counted: 23}
	told := report.Recording{Switches: 23, Wakeups: 7, Counted: 23, Bytes: 900, WallNS: 5}
	identified := func(id string) *report.Recording {
		r := told
		r.ID = id
		return &r
	}
	for name, test := range map[string]struct {
		report *report.Recording
		id     string
		began  time.Duration // after the report
		end    *recording.End
		same   bool
	}{
		"the run's own":                            {identified("A"), "A", 0, &counts, true},
		"its own, cut short":                       {identified("A"), "A", 0, nil, true},
		"another's":                                {identified("A"), "B", 0, &counts, false},
		"of a run that made none":                  {nil, "A", 0, &counts, false},
		"an older one beside a new report":         {identified("A"), "", 0, &counts, false},
		"a new one beside an older report":         {identified(""), "B", 0, &counts, false},
		"both older":                               {identified(""), "", 0, &counts, true},
		"both older, and other counts":             {identified(""), "", 0, &otherCounts, false},
		"an older one of a run that made none":     {nil, "", 0, &counts, false},
		"both older, cut short":                    {identified(""), "", 3 * time.Second, nil, true},
		"both older, cut short, from before":       {identified(""), "", -time.Second, nil, false},
		"both older, cut short, from another hour": {identified(""), "", time.Hour, nil, false},
	} {
		r := &report.Report{Created: created, Recording: test.report}
		header := recording.Header{ID: test.id, Created: created.Add(test.began)}
		err := checkSameRun(r, header, test.end)
		if (err == nil) != test.same || err != nil && !errors.Is(err, errOtherRun) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	name := func(base string) string { return filepath.Join(dir, base) }
	if err := os.WriteFile(name("other.rec"), reporttest.Recording(), 0o644); err != nil {
		t.Fatal(err)
	}
	for says, recorded := range map[string]*report.Recording{
		"other.rec: the recording is of another run than " + name("r.json") + "'s: give the one":    {ID: "A"},
		"other.rec: the recording is of another run than " + name("r.json") + "'s, which made none": nil,
	} {
		r := reporttest.Bundled(6, 2)
		r.Recording = recorded
		if err := reporttest.WriteFile(name("r.json"), r); err != nil {
			t.Fatal(err)
		}
		got := call(t, "report", name("r.json"), "--html", name("page.html"), "--recording", name("other.rec"))
		got.checkOneSentence(t, says)
		if _, err := os.Stat(name("page.html")); got.status != exitFailed || err == nil {
			t.Errorf("status %d, and the page is there: %v", got.status, err)
		}
	}
}
