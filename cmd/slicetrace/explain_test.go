package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Without a topic, explain lists them; with one, it takes the figures of the newest report in the folder.
func TestExplain(t *testing.T) {
	if got := call(t, "explain"); got.status != exitDone || !strings.Contains(got.out, "C17") ||
		!strings.Contains(got.out, "ping-pong") {
		t.Errorf("%+v", got)
	}
	cmd := tool(t, "explain", "--no-picture", "C4", "pick")
	for name, sentence := range map[string]string{
		"slicetrace-20260101T000000Z.json": "old", "slicetrace-20260102T000000Z.json": "new",
		"slicetrace-top-20260103T000000Z.json": "of top",
	} {
		r := reporttest.Full(12, 2)
		r.Findings = []report.Finding{{Claim: "C4", Verdict: report.Supported, Sentence: sentence}}
		if err := reporttest.WriteFile(filepath.Join(cmd.Dir, name), r); err != nil {
			t.Fatal(err)
		}
	}
	got := finish(t, cmd)
	if got.status != exitDone || strings.Count(got.out, "From slicetrace-20260102T000000Z.json.") != 2 ||
		strings.Count(got.out, "✓ C4  new\n") != 2 {
		t.Errorf("%+v", got)
	}
}

// As root, explain records the claim's work and draws it. The page has all topics, or those that were named.
func TestExplainDraws(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "explain", "C9")
	if got.status != exitDone || !strings.Contains(got.out, "spin one core, processes: ") ||
		!strings.Contains(got.out, "spin one core, threads: ") || !strings.Contains(got.out, "core 0  ") {
		t.Errorf("%+v", got)
	}
	for args, articles := range map[string]int{"C9 C13 pick": 3, "--no-picture": 17 + 30} {
		cmd := tool(t, append([]string{"explain", "--html", "page.html"}, strings.Fields(args)...)...)
		if got := finish(t, cmd); got.status != exitDone || strings.Count(got.err, "Recording spin…") > 1 {
			t.Errorf("%s: %+v", args, got)
		}
		page, err := os.ReadFile(filepath.Join(cmd.Dir, "page.html"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(page), "<article "); n != articles {
			t.Errorf("%s: the page has %d topics, want %d", args, n, articles)
		}
		if pictures := strings.Contains(string(page), "<svg"); pictures != (args != "--no-picture") {
			t.Errorf("%s: pictures: %v", args, pictures)
		}
	}
}
