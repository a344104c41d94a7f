package render_test

import (
	"bytes"
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/timeline"
	"github.com/slicetrace/slicetrace/report/view"
)

var (
	pictures = flag.String("pictures", "", "take pictures of pages into this folder, which are not compared")
	ofReport = flag.String("of", "", "with -pictures: the report to show instead of a made-up one")
)

func page(t testing.TB, r *report.Report, opts render.PageOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.HTML(&out, r, opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func windows(t testing.TB) []timeline.Window {
	t.Helper()
	w, err := timeline.Read(bytes.NewReader(reporttest.Recording()), timeline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// words returns a page's texts as a reader sees them, separated by spaces.
func words(page []byte) string {
	body := regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>`).ReplaceAllString(string(page), "")
	return spaced(html.UnescapeString(regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(body, " ")))
}

func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }

// The tables of the page have the same cells as the text report, short and verbose.
func TestPageHasTheTextsFigures(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"every-workload": reporttest.Full(12, 2), "kernel-no-pick": reporttest.WithoutPick(reporttest.Bundled(6, 2)),
		"dirty": reporttest.Dirty(reporttest.Bundled(6, 2)), "many-cores": reporttest.Bundled(6, 128),
		"few-rounds": reporttest.Bundled(2, 2), "command": reporttest.Command(), "system": watched(),
		"commands":     reporttest.Commands(12),
		"system-large": reporttest.System(reporttest.SystemSize{Cores: 64, Tasks: 500, Groups: 30, Intervals: 3}),
	} {
		shown := words(page(t, r, render.PageOptions{}))
		rows := 0
		for _, s := range append(view.Overview(r).Sections, view.Summarize(r).Sections...) {
			for _, g := range s.Groups {
				for _, row := range g.Rows {
					var cells []string
					for _, c := range row {
						cells = append(cells, render.Cell(c))
					}
					rows++
					if want := spaced(strings.Join(cells, " ")); !strings.Contains(shown, want) {
						t.Errorf("%s: %s: no row %q", name, s.Title, want)
					}
				}
			}
			for _, i := range s.Items {
				if !strings.Contains(shown, spaced(i.Name+" "+i.Meaning+" "+i.Text)) {
					t.Errorf("%s: no finding %s: %s", name, i.Name, i.Text)
				}
			}
		}
		if alert := view.Overview(r).Alert; rows == 0 || !strings.Contains(shown, alert) {
			t.Errorf("%s: %d rows, alert %q", name, rows, alert)
		}
	}
}

func TestPageIsSmall(t *testing.T) {
	const limit = 2 << 20
	r := reporttest.Full(12, 2)
	alone, drawn := len(page(t, r, render.PageOptions{})), len(page(t, r, render.PageOptions{Windows: windows(t)}))
	t.Logf("%d bytes, with a timeline %d", alone, drawn)
	if alone > limit || drawn > limit {
		t.Errorf("%d bytes, with a timeline %d, want at most %d", alone, drawn, limit)
	}
}

// Names can neither end a script nor deceive a reader, but can still be read.
func TestPageNeverLetsHostileNamesThrough(t *testing.T) {
	for _, r := range []*report.Report{
		reporttest.Hostile(reporttest.Command()), reporttest.Hostile(reporttest.Bundled(1, 1)),
	} {
		r.Setup.Command = append(r.Setup.Command, "</script><script>alert(1)", "<!--", `"onmouseover="alert(1)`)
		for i := range r.Trials {
			r.Trials[i].Workload = "</script><script>alert(1)"
		}
		got := page(t, r, render.PageOptions{Windows: windows(t)})
		checkCharacters(t, got)
		if n := bytes.Count(got, []byte("<script")); n != 2 {
			t.Errorf("%d scripts, want the data and the page's own", n)
		}
		shown := words(got)
		for _, name := range []string{
			"</script><script>alert(1)", `'=cmd|'"'"' /C calc'"'"'!A0'`, `\x1b[31mred\x1b[0m`, `bad\xff\xfeutf`,
			`a\u202egpj.exe`, `</script>\xff\x1b 900`,
		} {
			if !strings.Contains(shown, name) {
				t.Errorf("%q cannot be read", name)
			}
		}
	}
}

func TestPageOfASystemNeverLetsHostileNamesThrough(t *testing.T) {
	got := page(t, hostileSystem(), render.PageOptions{})
	checkCharacters(t, got)
	if n := bytes.Count(got, []byte("<script")); n != 2 {
		t.Errorf("%d scripts, want the data and the page's own", n)
	}
	shown := words(got)
	for _, name := range []string{
		"of \\u3164 (1039, bad\\xff\\xfeutf) in interval ", "a\\x0ab (1031, <script>)", "=cmd|' /C calc'!A0 (900, ",
		"pid 4711, cgroup =cmd|' /C calc'!A0, cgroup <script>, cgroup \\x1b[31mred\\x1b[0m",
	} {
		if !strings.Contains(shown, name) {
			t.Errorf("%q cannot be read", name)
		}
	}
}

// checkCharacters fails if a page has characters that it must not have.
func checkCharacters(t *testing.T, page []byte) {
	t.Helper()
	// Line ends and tabs of the template and the library do no harm.
	own := regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>`)
	for _, c := range own.ReplaceAllString(string(page), "") {
		if !unicode.IsPrint(c) && c != '\n' && c != '\t' && c != '\u2007' {
			t.Fatalf("%q reaches the page", c)
		}
	}
}

func comparison(t testing.TB, old, new *report.Report) *compare.Comparison {
	t.Helper()
	c, err := compare.Reports([]compare.Input{{Name: "old.json", Report: old}},
		[][]compare.Input{{{Name: "new.json", Report: new}}}, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A page can show a comparison of two reports. The page of one report has no such section.
func TestPageOfTwoReports(t *testing.T) {
	old, r := reporttest.Bundled(6, 2), reporttest.Bundled(6, 2)
	if bytes.Contains(page(t, r, render.PageOptions{}), []byte(`id="compare-1"`)) {
		t.Error("a page of one report compares")
	}
	got := page(t, r, render.PageOptions{Comparison: comparison(t, old, r)})
	for _, want := range []string{`<section id="compare-1"`, "What differs between the machines and runs", "Changes"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("a page of two reports does not hold %q", want)
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	got := page(t, &report.Report{}, render.PageOptions{})
	if !bytes.Contains(got, []byte("slicetrace run --record FILE")) {
		t.Error("the page does not say how to get a timeline")
	}
}

// TestPictures takes pictures of pages for people to look at: -pictures FOLDER.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("takes pictures with -pictures FOLDER only")
	}
	r := reporttest.Full(12, 2)
	if *ofReport != "" {
		f, err := os.Open(*ofReport)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if r, err = report.Decode(f); err != nil {
			t.Fatal(err)
		}
	}
	html := page(t, r, render.PageOptions{Windows: windows(t)})
	stacks := page(t, reporttest.Stacks(), render.PageOptions{})
	b := newBrowser(t)
	for _, c := range []struct {
		name          string
		width, height int
		limit         int
		scheme        string
		html          []byte
	}{
		{"page", 1200, 900, 1440, "light", html}, // testdata/page.png, for the README
		{"light", 1200, 900, 0, "light", html},
		{"dark", 1200, 900, 0, "dark", html},
		{"phone", 360, 740, 0, "light", html},
		{"stacks", 1200, 900, 0, "light", stacks},
		{"stacks-dark", 1200, 900, 0, "dark", stacks},
		{"stacks-phone", 360, 740, 0, "light", stacks},
		{"command", 1200, 900, 0, "light", page(t, reporttest.Hostile(reporttest.Command()), render.PageOptions{})},
		{
			"compare", 1200, 900, 0, "light",
			page(t, reporttest.Dirty(reporttest.Bundled(6, 16)), render.PageOptions{
				Comparison: comparison(t, reporttest.Bundled(6, 2), reporttest.Bundled(6, 16)),
			}),
		},
	} {
		b.screen(c.width, c.height, c.scheme)
		b.open(c.html)
		b.eval(`(() => {
			const window = document.getElementById("window");
			if (!window) return;
			window.selectedIndex = 1;
			window.dispatchEvent(new Event("change"));
			document.getElementById("lanes").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
		})()`, nil)
		b.picture(filepath.Join(*pictures, c.name+".png"), c.limit)
		b.checkQuiet()
	}
}
