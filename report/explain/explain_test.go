package explain_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/explain"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// Each claim has a complete lesson, and nothing else has one.
func TestEveryClaimHasALesson(t *testing.T) {
	lessons := explain.Lessons()
	if len(lessons) != len(findings.Claims()) {
		t.Errorf("there are %d lessons of %d claims", len(lessons), len(findings.Claims()))
	}
	for _, l := range lessons {
		if len(l.About) < 200 || len(l.Measured) < 100 || len(l.Try) < 2 || len(l.Read) < 2 {
			t.Errorf("%s is not complete: %+v", l.ID, l)
		}
		for _, text := range slices.Concat([]string{l.About, l.Measured}, l.Try, l.Read) {
			if strings.Count(text, "`")%2 != 0 || strings.Contains(text, "#") || text != strings.TrimSpace(text) {
				t.Errorf("%s: %q", l.ID, text)
			}
		}
	}
	text, err := os.ReadFile("lessons.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]int{"How it is measured": 0, "Try": 0, "Read": 0}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		known[heading[1]]++
	}
	for heading, n := range known {
		switch isClaim := slices.ContainsFunc(lessons, func(l explain.Lesson) bool { return l.ID == heading }); {
		case isClaim && n != 1, !isClaim && n != len(lessons):
			t.Errorf("lessons.md has %q %d times", heading, n)
		}
	}
}

// Each word has a meaning, and what it refers to is there.
func TestWordsReferToTopics(t *testing.T) {
	words := explain.Words()
	if len(words) < 25 {
		t.Errorf("the glossary has %d words", len(words))
	}
	for _, w := range words {
		if len(w.Names) == 0 || len(w.Meaning) < 20 || strings.Contains(w.Meaning, "](") {
			t.Errorf("%+v", w)
		}
		for _, see := range w.See {
			if topic, err := explain.Find(strings.TrimPrefix(see, "C1 to ")); err != nil || topic.Word != nil &&
				slices.Equal(topic.Word.Names, w.Names) {
				t.Errorf("%s refers to %q: %v", w.Names[0], see, err)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"C4": "C4", "c17": "C17", "Cost of a switch": "C4", "pick": "pick", "timeslice": "slice", "Slices": "slice",
		" concurrency ": "concurrency", "cpu": "core", "run-queue": "wait", "monopoly": "C15",
	} {
		if topic, err := explain.Find(name); err != nil || topic.Name() != want {
			t.Errorf("%q: %q, %v, want %q", name, topic.Name(), err, want)
		}
	}
	for name, want := range map[string]string{
		"C18": "no claim or word", "": "no claim or word", "switch": "which one?", "\x1b[2J": `"\x1b[2j"`,
	} {
		if _, err := explain.Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// section returns a section of a summary by its title.
func section(s *view.Summary, title string) *view.Section {
	for i := range s.Sections {
		if s.Sections[i].Title == title {
			return &s.Sections[i]
		}
	}
	return nil
}

// A topic has the report's finding: a claim its own with the figures, a word those of the claims that it leads to.
func TestTopicsHaveTheReportsFigures(t *testing.T) {
	r := reporttest.Full(12, 2)
	findings.Compute(r)
	i := slices.IndexFunc(r.Findings, func(f report.Finding) bool { return f.Claim == "C4" })
	want := r.Findings[i]
	for _, name := range []string{"C4", "cost", "pick"} {
		topic, err := explain.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		here := section(topic.Summary(explain.Machine{Report: r, Name: "r.json"}), "On this machine")
		if here == nil || here.Caption != "From r.json." || len(here.Items) != 1 ||
			here.Items[0].Text != want.Sentence {
			t.Fatalf("%s: %+v, want %q", name, here, want.Sentence)
		}
		rows := 0
		for _, g := range here.Groups {
			rows += len(g.Rows)
		}
		if (name == "C4" && rows != len(want.Figures)) || (name != "C4" && rows != 0) {
			t.Errorf("%s: %d rows of %d figures", name, rows, len(want.Figures))
		}
	}
	topic, err := explain.Find("C4")
	if err != nil {
		t.Fatal(err)
	}
	if here := section(topic.Summary(explain.Machine{}), "On this machine"); here != nil {
		t.Errorf("without a report there is %+v", here)
	}
}

// A picture shows the claim's workload, processes above threads, in the shares of time that the slices have.
func TestPicture(t *testing.T) {
	topic, err := explain.Find("C13")
	if err != nil {
		t.Fatal(err)
	}
	lanes, err := topic.Lesson.Picture(bytes.NewReader(reporttest.Recording()))
	if err != nil {
		t.Fatal(err)
	}
	if len(lanes.Groups) != 2 || lanes.Groups[0].Name != "spin, processes" || lanes.Groups[1].Name != "spin, threads" {
		t.Fatalf("%+v", lanes.Groups)
	}
	for _, g := range lanes.Groups {
		if len(g.Lanes) != 2 {
			t.Errorf("%s has %d cores", g.Name, len(g.Lanes))
		}
		for _, lane := range g.Lanes {
			at, workers := 0.0, map[int]bool{}
			for _, b := range lane.Bars {
				if b.From < at || b.To < b.From || b.To > 1 {
					t.Errorf("%s, %s: %+v after %v", g.Name, lane.Label, b, at)
				}
				at, workers[b.Worker] = b.To, true
			}
			if len(workers) < 3 {
				t.Errorf("%s, %s: only workers %v", g.Name, lane.Label, workers)
			}
		}
	}
	if topic, err = explain.Find("C5"); err != nil {
		t.Fatal(err)
	}
	if _, err := topic.Lesson.Picture(bytes.NewReader(reporttest.Recording())); !errors.Is(err, explain.ErrNoScene) {
		t.Errorf("a recording without the workload: %v", err)
	}
}
