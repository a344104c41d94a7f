package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// drawnFlames is what the page's script draws of flame graphs.
type drawnFlames struct {
	Labels []struct{ Kind, Name, Module, File string }
	Graphs []struct {
		Name  string
		Nodes [][6]int64
	}
}

func flamesOf(t *testing.T, html []byte) *drawnFlames {
	t.Helper()
	text := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(html)
	if text == nil {
		t.Fatal("the page has no data")
	}
	var data struct{ Flames *drawnFlames }
	if err := json.Unmarshal(text[1], &data); err != nil {
		t.Fatal(err)
	}
	return data.Flames
}

// A page of a report with stacks has the nodes of its graphs, and says what is drawn to readers without a script.
func TestPageOfStacks(t *testing.T) {
	r := reporttest.Stacks()
	html := page(t, r, render.PageOptions{})
	got, want := flamesOf(t, html), view.PageOf(r).Flames
	for i, nodes := range [][]view.FlameNode{want.Blocked.Nodes, want.Runnable.Nodes} {
		if len(got.Graphs) != 2 || len(got.Graphs[i].Nodes) != len(nodes) {
			t.Fatalf("%+v has not the %d nodes of graph %d", got.Graphs, len(nodes), i)
		}
		for j, n := range nodes {
			row := got.Graphs[i].Nodes[j]
			times := int64(math.Round(n.Times))
			if row != [6]int64{int64(n.Parent), int64(n.Label), int64(n.Line), n.NS, times, n.LongestNS} {
				t.Errorf("graph %d, node %d: %v of %+v", i, j, row, n)
			}
		}
	}
	shown := words(html)
	for _, text := range []string{
		"blocked (" + report.Of(float64(want.Blocked.Nodes[0].NS), report.Nanoseconds).String() + ")",
		"runnable (" + report.Of(float64(want.Runnable.Nodes[0].NS), report.Nanoseconds).String() + ")",
		"The flame graph is drawn by a script; the table has",
		"Time in which a quota stopped tasks is in neither graph.",
	} {
		if !strings.Contains(shown, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	html = page(t, watched(), render.PageOptions{})
	if flamesOf(t, html) != nil || strings.Contains(words(html), "flame graph") {
		t.Error("there is a flame graph of a report without stacks")
	}
}

// A graph without any time cannot be chosen, and the other is shown at first.
func TestPageOfStacksOfOneKind(t *testing.T) {
	r := reporttest.Stacks()
	for i := range r.Trials {
		for j := range r.Trials[i].Why.Waits {
			r.Trials[i].Why.Waits[j].BlockedNS = 0
		}
	}
	html := page(t, r, render.PageOptions{})
	for _, want := range []string{`value="0" disabled> blocked (0 ns)`, `value="1" checked> runnable (`} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page does not have %s", want)
		}
	}
}

func TestPageOfStacksNeverLetsHostileNamesThrough(t *testing.T) {
	r := reporttest.HostileStacks()
	for i := range r.Frames {
		r.Frames[i].Function += "</script><script>alert(1)<!--\u2028\u202e\x00"
	}
	r.Trials[0].Why.Waits[0].Comm = "</script><script>alert(2)"
	html := page(t, r, render.PageOptions{})
	checkCharacters(t, html)
	if n := bytes.Count(html, []byte("<script")); n != 2 {
		t.Errorf("%d scripts, want the data and the page's own", n)
	}
	all := ""
	for _, l := range flamesOf(t, html).Labels {
		all += l.Kind + " " + l.Name + " " + l.Module + " " + l.File + "\n"
		if text := l.Name + l.Module + l.File; render.Printable(text) != text {
			t.Errorf("%q is not printable", text)
		}
	}
	for _, want := range []string{
		`</script><script>alert(1)<!--\u2028\u202e\x00 `, "</script><script>alert(2)", `\x1b[31mred\x1b[0m`,
		`bad\xff\xfeutf`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q cannot be read", want)
		}
	}
}

// A page is bounded whatever functions are called and however many there are.
func TestPageOfManyStacksIsBounded(t *testing.T) {
	r := reporttest.Stacks()
	r.Frames, r.Stacks = nil, nil
	why := r.Trials[0].Why
	why.Waits, r.Trials[1].Why = nil, nil
	for i := range 1 << 14 {
		name := fmt.Sprint(i, strings.Repeat("\U000e0001", 200))
		r.Frames = append(r.Frames, report.Frame{Function: name, Module: name, File: name, Line: 1 << 40})
		if i%1024 == 1023 {
			var stack report.Stack
			for j := range 1024 {
				stack = append(stack, i-j)
			}
			why.Waits = append(why.Waits, report.StackWait{
				State: report.Sleeping, Stack: len(r.Stacks), Times: 1e15,
				BlockedNS: 1e15, WaitNS: 1e15, LongestNS: 1e15,
			})
			r.Stacks = append(r.Stacks, stack)
		}
	}
	const limit = 16 << 20 // of characters that are each written in ten others
	if n := len(page(t, r, render.PageOptions{})); n > limit {
		t.Errorf("%d bytes, want at most %d", n, limit)
	} else {
		t.Logf("%d bytes", n)
	}
}
