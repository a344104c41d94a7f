package render_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// flameState is what a reader sees of a flame graph.
type flameState struct {
	Label, Note, Found, Focus string
	Whole                     string // the outermost frame
	Frames, Marked            int
	// Widest are the names of the frames that have the whole width.
	Widest []string
}

func (b *browser) flame() (s flameState) {
	b.t.Helper()
	b.eval(`(() => {
		const text = (id) => document.getElementById(id).textContent;
		const frames = [...document.querySelectorAll("#frames .frame")];
		const e = document.activeElement;
		return {
			Label: document.getElementById("frames").getAttribute("aria-label"),
			Note: text("flame-read"), Found: text("flame-found"),
			Focus: e.classList.contains("frame") ? e.textContent : e.id,
			Whole: frames[0].getAttribute("aria-label"), Frames: frames.length,
			Marked: frames.filter((f) => f.classList.contains("match")).length,
			Widest: frames.filter((f) => f.style.width === "100%").map((f) => f.textContent),
		};
	})()`, &s)
	return s
}

// A reader finds the figures of the report, zooms, and goes back.
func TestFlameGraphInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	r := reporttest.Stacks()
	b.open(page(t, r, render.PageOptions{}))
	want := view.PageOf(r).Flames
	ns := func(n int64) string { return report.Of(float64(n), report.Nanoseconds).String() }
	whole := b.flame()
	total := want.Blocked.Nodes[0].NS
	if whole.Whole != "all tasks, "+ns(total)+", 100 %" || whole.Label != "Flame graph of time blocked" ||
		whole.Frames != len(want.Blocked.Nodes) {
		t.Errorf("%d nodes: %+v", len(want.Blocked.Nodes), whole)
	}
	click := func(name string) {
		b.eval(fmt.Sprintf(`[...document.querySelectorAll("#frames .frame")].find((f) => f.textContent === %q).click()`,
			name), nil)
	}
	click("runtime.mPark")
	near := b.flame()
	if got := strings.Join(near.Widest, " "); !strings.HasPrefix(got, "all tasks collector runtime.mcall ") ||
		!strings.HasSuffix(got, "runtime.mPark runtime.futexsleep runtime.futex __x64_sys_futex do_futex "+
			"__futex_wait futex_wait_queue") || len(near.Widest) != near.Frames {
		t.Errorf("zoomed: %+v", near)
	}
	note := "runtime.mPark (proc.go:1941), collector, inlined: 310 ms blocked, 7.7 % of all; 125 returns " +
		"(estimated), longest absence 17.0 ms."
	if near.Note != note || near.Focus != "runtime.mPark" {
		t.Errorf("the zoomed frame reads %q and %q has the focus", near.Note, near.Focus)
	}
	b.eval(`document.getElementById("flame-whole").click()`, nil)
	if back := b.flame(); back.Frames != whole.Frames || back.Focus != "runtime.mPark" {
		t.Errorf("back: %+v", back)
	}
	b.eval(`document.querySelector("input[name=flame][value='1']").click()`, nil)
	if other := b.flame(); other.Label != "Flame graph of time runnable" ||
		other.Whole != "all tasks, "+ns(want.Runnable.Nodes[0].NS)+", 100 %" {
		t.Errorf("after choosing the other graph: %+v", other)
	}
	b.checkQuiet()
}

// The search is for a part of a name as it is written, whatever its case, and counts no time twice.
func TestFlameSearchInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	r := reporttest.Stacks()
	for i := range r.Frames {
		if r.Frames[i].Function == "ep_poll" {
			r.Frames[i].Function = "a[b].*c"
		}
	}
	small := r.Trials[0].Why.Waits[0]
	small.Comm, small.BlockedNS = "another", 1000
	r.Trials[0].Why.Waits = append(r.Trials[0].Why.Waits, small)
	b.open(page(t, r, render.PageOptions{}))
	search := func(text string) flameState {
		b.eval(fmt.Sprintf(`(() => {
			const search = document.getElementById("flame-search");
			search.value = %q;
			search.dispatchEvent(new Event("input"));
		})()`, text), nil)
		return b.flame()
	}
	for text, want := range map[string]string{
		"FUTEX": "7.7 % of 4.01 s matches: 310 ms", "1 smaller task": "No frame matches.",
		"no such thing": "No frame matches.", "": "",
		"[B].*": "70.4 % of 4.01 s matches: 2.82 s", "r.*n": "No frame matches.", "all tasks": "No frame matches.",
	} {
		got := search(text)
		if got.Found != want || (got.Marked > 0) != strings.Contains(want, "%") {
			t.Errorf("a search for %q finds %q, %d frames, want %q", text, got.Found, got.Marked, want)
		}
	}
	b.checkQuiet()
}

// The arrows go from frame to frame, and what a pointer can do has a key.
func TestFlameKeyboardInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(1200, 900, "light")
	b.open(page(t, reporttest.Stacks(), render.PageOptions{}))
	for range 60 {
		if b.press("Tab", 9); b.flame().Focus == "flame-whole" {
			break
		}
	}
	for _, step := range []struct {
		key  string
		code int
		want string
	}{
		{"Tab", 9, "all tasks"}, {"ArrowDown", 40, "postgres"}, {"ArrowRight", 39, "collector"},
		{"ArrowRight", 39, "agent / sampler"}, {"ArrowRight", 39, "agent / sampler"}, {"ArrowLeft", 37, "collector"},
		{"ArrowDown", 40, "runtime.mcall"}, {"ArrowUp", 38, "collector"}, {"Enter", 13, "collector"},
		{"ArrowRight", 39, "collector"}, {"ArrowUp", 38, "all tasks"}, {"ArrowDown", 40, "collector"},
		{"/", 191, "flame-search"}, {"f", 70, "flame-search"}, {"u", 85, "flame-search"}, {"/", 191, "flame-search"},
		{"Backspace", 8, "flame-search"}, {"Enter", 13, "runtime.futexsleep"}, {"Home", 36, "all tasks"},
		{"Escape", 27, "all tasks"}, {"/", 191, "flame-search"}, {"Escape", 27, "all tasks"},
	} {
		b.press(step.key, step.code)
		got := b.flame()
		if got.Focus != step.want {
			t.Fatalf("%s goes to %q, want %q", step.key, got.Focus, step.want)
		}
		if step.want != "flame-search" && !strings.HasPrefix(got.Note, step.want) {
			t.Errorf("%s goes to %q and %q is read", step.key, got.Focus, got.Note)
		}
		if step.key == "Home" && got.Found != "100 % of 310 ms matches: 310 ms" {
			t.Errorf("found %q", got.Found)
		}
		if zoomed := len(got.Widest) > 1; step.key == "Enter" && !zoomed || step.key == "Escape" && zoomed {
			t.Errorf("after %s, these have the whole width: %q", step.key, got.Widest)
		}
	}
	var outline string
	b.eval(`getComputedStyle(document.activeElement).outlineStyle`, &outline)
	if got := b.flame(); outline == "none" || got.Found != "" || got.Marked != 0 {
		t.Errorf("outline %s, found %q", outline, got.Found)
	}
	b.checkQuiet()
}

// Pages with deep stacks, many functions and hostile names are shown without an error, and fit a phone.
func TestFlameGraphsOfAllKindsInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.screen(360, 740, "dark")
	for name, r := range map[string]*report.Report{
		"hostile": reporttest.HostileStacks(), "deep": deepStacks(4096),
	} {
		b.open(page(t, r, render.PageOptions{}))
		b.checkQuiet()
		var got struct{ Width, Height, Frames int }
		b.eval(`({
			Width: document.documentElement.scrollWidth, Height: document.querySelector(".frames").clientHeight,
			Frames: document.querySelectorAll("#frames .frame").length,
		})`, &got)
		if got.Width > 360 || got.Height > 740 || got.Frames < 10 {
			t.Errorf("%s: %+v", name, got)
		}
		b.eval(`(() => {
			const all = [...document.querySelectorAll("#frames .frame")].filter((f) => f.style.width !== "100%");
			all[Math.floor(all.length / 3)].click();
		})()`, nil)
		if zoomed := b.flame(); len(zoomed.Widest) < 3 || zoomed.Frames >= got.Frames {
			t.Errorf("%s: %d frames, zoomed %d, %d wide", name, got.Frames, zoomed.Frames, len(zoomed.Widest))
		}
		b.checkQuiet()
	}
}

// deepStacks has one stack of so many functions.
func deepStacks(depth int) *report.Report {
	r := reporttest.Stacks()
	var stack report.Stack
	for i := range depth {
		stack = append(stack, len(r.Frames))
		r.Frames = append(r.Frames, report.Frame{Function: fmt.Sprint("recurse ", i), Module: "deep"})
	}
	w := &r.Trials[0].Why.Waits[0]
	w.Stack = len(r.Stacks)
	r.Stacks = append(r.Stacks, stack)
	return r
}

// The script writes shares as the report does.
func TestSharesInABrowser(t *testing.T) {
	b := newBrowser(t)
	b.open(page(t, reporttest.Bundled(1, 1), render.PageOptions{}))
	values := []float64{0, 1e-9, 0.049, 0.051, 0.5, 7.7, 12.34, 99.94, 99.96, 100}
	list, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	b.eval(fmt.Sprintf("%s.map(percentage)", list), &got)
	for i, x := range values {
		if want := report.Of(x, report.Percent).String(); got[i] != want {
			t.Errorf("%v is %q in the page and %q in the report", x, got[i], want)
		}
	}
}
