package render_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view"
)

// oneLesson has a picture of two cores, and names that try to break out of the page.
func oneLesson() *view.Summary {
	return &view.Summary{Header: []string{"C9", "One <core>"}, Sections: []view.Section{
		{Title: "About", Caption: "Try `run -- CMD` & see."},
		{
			Title: "On this machine",
			Items: []view.Item{{Mark: "✓", Name: "C9", Text: "</li><script>x</script>\x1b[2J", Meaning: "supported"}},
			Lanes: &view.Lanes{Groups: []view.LaneGroup{{
				Name: "spin", Span: report.Of(72e6, report.Nanoseconds), Lanes: []view.Lane{
					{Label: "core 0", Bars: []view.Bar{
						{From: 0, To: 0.25, Worker: 0}, {From: 0.25, To: 0.5, Worker: 11},
						{From: 0.5, To: 0.501, Worker: 1}, {From: 0.75, To: 1, Worker: -1},
					}},
					{Label: "core 1", Bars: []view.Bar{{From: 0.1, To: 0.9, Worker: 40}}},
				},
			}}},
		},
		{Title: "Try", Items: []view.Item{{Mark: "-", Text: "Look."}}},
	}}
}

// A sign shows who had the core for most of its time.
func TestLanesAsText(t *testing.T) {
	var out bytes.Buffer
	if err := render.SummaryText(&out, oneLesson(), render.TextOptions{Width: 60}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"spin: 72.0 ms, a sign is 1.44 ms\n",
		"  core 0  0000000000000bbbbbbbbbbbb·············++++++++++++\n",
		"  core 1  ·····****************************************·····\n",
		"- Look.\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

// The page of lessons is quiet, needs no script, fits a phone, and shows hostile text as text.
func TestLessonsInABrowser(t *testing.T) {
	var html bytes.Buffer
	if err := render.Lessons(&html, "Lecture", []*view.Summary{oneLesson()}); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for _, scheme := range []string{"light", "dark"} {
		b.screen(360, 740, scheme)
		b.open(html.Bytes())
		b.checkQuiet()
		var got struct {
			Width, Bars, Scripts int
			Code, Sentence       string
		}
		b.eval(`({
			Width: document.documentElement.scrollWidth,
			Bars: document.querySelectorAll("svg rect:not(.track)").length,
			Scripts: document.scripts.length,
			Code: document.querySelector("section p code").textContent,
			Sentence: document.querySelector(".sentence").textContent,
		})`, &got)
		if got.Width > 360 || got.Bars != 5 || got.Scripts != 0 || got.Code != "run -- CMD" ||
			!strings.HasPrefix(got.Sentence, "</li><script>x</script>") || strings.Contains(got.Sentence, "\x1b") {
			t.Errorf("%s: %+v", scheme, got)
		}
	}
}
