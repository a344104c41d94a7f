package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// Pages of all kinds are shown in a real browser without an error, a violation of their policy or a
// request, in light and dark, and are not wider than a phone.
func TestPagesInABrowser(t *testing.T) {
	b := newBrowser(t)
	full := reporttest.Full(12, 2)
	for name, html := range map[string][]byte{
		"full": page(t, full, render.PageOptions{Windows: windows(t)}),
		"compare": page(t, reporttest.Dirty(reporttest.Bundled(6, 128)),
			render.PageOptions{Comparison: comparison(t, reporttest.Bundled(6, 2), reporttest.Bundled(6, 128))}),
		"hostile": page(t, reporttest.Hostile(reporttest.Command()), render.PageOptions{Windows: windows(t)}),
		"stacks":  page(t, reporttest.Stacks(), render.PageOptions{}),
		"nothing": page(t, &report.Report{}, render.PageOptions{}),
	} {
		paper := map[string]string{}
		for _, scheme := range []string{"light", "dark"} {
			b.screen(360, 740, scheme)
			b.open(html)
			b.checkQuiet()
			var got struct {
				Width int
				Paper string
			}
			b.eval(`({
				Width: document.documentElement.scrollWidth,
				Paper: getComputedStyle(document.body).backgroundColor,
			})`, &got)
			if paper[scheme] = got.Paper; got.Width > 360 {
				t.Errorf("%s: %d pixels wide on a phone of 360", name, got.Width)
			}
		}
		if paper["light"] == paper["dark"] {
			t.Errorf("%s: the paper is %s in both themes", name, paper["light"])
		}
	}
}

// The policy prevents what a page must not do, and the browser of this test reports it.
func TestPolicyInABrowser(t *testing.T) {
	b := newBrowser(t)
	html := page(t, reporttest.Bundled(1, 1), render.PageOptions{})
	for _, breach := range []string{
		`<script>document.title = "ran"</script>`, `<p onclick="1" style="color: red">`,
		`<img src="http://127.0.0.1:9/x.png">`,
		`<link rel="stylesheet" href="http://127.0.0.1:9/x.css">`, `<iframe src="http://127.0.0.1:9/"></iframe>`,
	} {
		b.open(bytes.Replace(html, []byte("</main>"), []byte(breach+"</main>"), 1))
		var title string
		b.eval("document.title", &title)
		if len(b.complaints) == 0 || title == "ran" {
			t.Errorf("%s is let through", breach)
		}
	}
	b.open(html)
	var reached bool
	b.eval(`fetch("http://127.0.0.1:9/").then(() => true, () => false)`, &reached)
	if reached || !strings.Contains(strings.Join(b.complaints, " "), "connect-src") {
		t.Errorf("the page can ask a server: %q", b.complaints)
	}
}

// The tables in the browser have the texts of the page's source, so the browser took no text for
// markup.
func TestFiguresInABrowser(t *testing.T) {
	b := newBrowser(t)
	r := reporttest.Full(12, 2)
	html := page(t, r, render.PageOptions{Windows: windows(t)})
	b.screen(1200, 900, "light")
	b.open(html)
	var rows []string
	b.eval(`[...document.querySelectorAll("tbody tr")].map((r) =>
		[...r.cells].filter((c) => c.scope !== "rowgroup").map((c) => c.textContent).join(" "))`, &rows)
	shown := map[string]bool{}
	for _, row := range rows {
		shown[spaced(row)] = true
	}
	for _, s := range append(view.Overview(r).Sections, view.Summarize(r).Sections...) {
		for _, g := range s.Groups {
			for _, row := range g.Rows {
				var cells []string
				for _, c := range row {
					cells = append(cells, render.Cell(c))
				}
				if want := spaced(strings.Join(cells, " ")); !shown[want] {
					t.Errorf("%s: no row %q", s.Title, want)
				}
			}
		}
	}
	var curves int
	b.eval(`document.querySelectorAll("#curves canvas").length`, &curves)
	if curves != 4 {
		t.Errorf("%d curves are drawn, want pick, switch, time slice and wait", curves)
	}
}

// The script writes times as the report does.
func TestTimesInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.open(page(t, reporttest.Bundled(1, 1), render.PageOptions{}))
	var values []float64
	var want []string
	for e := 0.0; e < 13; e += 0.037 {
		for _, ns := range []float64{math.Pow(10, e), math.Round(math.Pow(10, e))} {
			values = append(values, ns, -ns)
			want = append(want, report.Of(ns, report.Nanoseconds).String(), report.Of(-ns, report.Nanoseconds).String())
		}
	}
	list, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	b.eval(fmt.Sprintf("%s.map(duration)", list), &got)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v ns is %q in the page and %q in the report", values[i], got[i], want[i])
		}
	}
}

// Everything that can be used with a pointer can be reached and used with a keyboard.
func TestKeyboardInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	b.open(page(t, reporttest.Full(12, 2), render.PageOptions{Windows: windows(t)}))
	focus := func() (name string, outlined bool) {
		var got struct {
			Name    string
			Outline string
		}
		b.eval(`(() => {
			const e = document.activeElement;
			return {
				Name: e.id || e.className || e.getAttribute("href") || e.textContent,
				Outline: getComputedStyle(e).outlineStyle,
			};
		})()`, &got)
		return got.Name, got.Outline != "none"
	}
	var order []string
	for range 60 {
		b.press("Tab", 9)
		name, outlined := focus()
		order = append(order, name)
		if !outlined {
			t.Errorf("%s has the focus and does not show it", name)
		}
		if name == "lanes" {
			break
		}
	}
	for _, want := range []string{"skip", "theme", "#cost", "load", "window", "lanes"} {
		if !strings.Contains(" "+strings.Join(order, " ")+" ", " "+want+" ") {
			t.Errorf("Tab never comes to %s: %q", want, order)
		}
	}
	said := func() (text string) {
		b.eval(`document.getElementById("slice").textContent`, &text)
		return text
	}
	b.press("ArrowRight", 39)
	first := said()
	b.press("ArrowRight", 39)
	second := said()
	b.press("ArrowDown", 40)
	third := said()
	if !strings.HasPrefix(first, "Core 0: worker ") || first == second || !strings.HasPrefix(third, "Core 1: ") {
		t.Errorf("the arrows read %q, %q, %q", first, second, third)
	}
	b.press("+", 187)
	b.press("Home", 36)
	b.checkQuiet()
}

// Pointing at a slice describes it, dragging moves the view, and Ctrl with the wheel zooms.
func TestPointerInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	b.open(page(t, reporttest.Full(12, 2), render.PageOptions{Windows: windows(t)}))
	var place struct{ X, Y, Width float64 }
	b.eval(`(() => {
		const lanes = document.getElementById("lanes");
		lanes.scrollIntoView({block: "center", behavior: "instant"});
		const r = lanes.getBoundingClientRect();
		return {X: r.x, Y: r.y, Width: r.width};
	})()`, &place)
	mouse := func(kind string, x float64, more map[string]any) {
		event := map[string]any{"type": kind, "x": place.X + x, "y": place.Y + 40, "button": "none"}
		for k, v := range more {
			event[k] = v
		}
		b.call("Input.dispatchMouseEvent", event, nil)
	}
	view := func() (label string) {
		b.eval(`document.getElementById("lanes").getAttribute("aria-label")`, &label)
		return label
	}
	var said string
	mouse("mouseMoved", place.Width/2, nil)
	b.eval(`document.getElementById("slice").textContent`, &said)
	if !strings.HasPrefix(said, "Core 0: ") {
		t.Errorf("pointing at a slice of core 0 reads %q", said)
	}
	whole := view()
	mouse("mouseWheel", place.Width/2, map[string]any{"deltaX": 0, "deltaY": -200, "modifiers": 2})
	near := view()
	held := map[string]any{"button": "left", "buttons": 1, "clickCount": 1}
	mouse("mousePressed", place.Width/2, held)
	mouse("mouseMoved", place.Width/4, held)
	mouse("mouseReleased", place.Width/4, held)
	if moved := view(); whole == near || near == moved {
		t.Errorf("the views are %q, zoomed %q, dragged %q", whole, near, moved)
	}
	b.checkQuiet()
}

func TestChoicesInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	b.open(page(t, reporttest.Full(12, 2), render.PageOptions{Windows: windows(t)}))
	var got struct {
		Tables []string
		Theme  string
		Window string
	}
	b.eval(`(() => {
		const load = document.getElementById("load");
		load.selectedIndex = 3;
		load.dispatchEvent(new Event("change"));
		document.querySelector("input[value=sum]").click();
		const window = document.getElementById("window");
		window.selectedIndex = 2;
		window.dispatchEvent(new Event("change"));
		document.querySelector("[data-zoom=in]").click();
		document.getElementById("theme").click();
		return {
			Tables: [...document.querySelectorAll("[data-load]")].filter((e) => !e.hidden).map((e) => e.dataset.load),
			Theme: document.documentElement.dataset.theme,
			Window: [...document.querySelectorAll("[data-window]")].filter((e) => !e.hidden)
				.map((e) => e.querySelector("caption").textContent).join(),
		};
	})()`, &got)
	if len(got.Tables) != 1 || got.Tables[0] != "messaging" || got.Theme != "dark" ||
		!strings.HasPrefix(got.Window, "spin as threads: ") {
		t.Errorf("after choosing: %+v", got)
	}
	b.checkQuiet()
}
