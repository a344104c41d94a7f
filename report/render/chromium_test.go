package render_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// requireChromium makes a missing browser an error instead of a reason to skip.
const requireChromium = "SLICETRACE_REQUIRE_CHROMIUM"

// browserLimit is how long to wait for anything that a browser is asked to do.
const browserLimit = 60 * time.Second

// browser is a headless Chromium with one page. It is controlled by its debugging protocol over a
// pair of pipes: messages are JSON, each followed by a zero byte.
type browser struct {
	t       *testing.T
	in      io.Writer
	session string
	last    int
	replies chan reply
	// complaints are errors on the page's console, and requests are those for anything but the page
	// itself.
	complaints, requests []string
}

type reply struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// newBrowser starts Chromium, or skips the test and says why.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves browsers out")
	}
	name, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv(requireChromium) != "" {
			t.Fatalf("%s is set and there is no chromium", requireChromium)
		}
		t.Skip("needs chromium: the Debian package of that name")
	}
	toRead, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, toWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Without a sandbox, since CI runs as root, and the only page is our own.
	cmd := exec.Command(name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--force-color-profile=srgb", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, toWrite} // its 3 and 4
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toRead.Close()
	toWrite.Close()
	b := &browser{t: t, in: in, replies: make(chan reply, 1000)}
	t.Cleanup(func() { // before its folders are removed
		b.session = ""
		b.call("Browser.close", nil, nil)
		in.Close()
		_ = cmd.Wait() // its status says nothing about the page
		out.Close()
	})
	go b.listen(out)
	b.attach()
	return b
}

func (b *browser) listen(out io.Reader) {
	defer close(b.replies)
	in := bufio.NewReader(out)
	for {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var r reply
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &r); err == nil {
			b.replies <- r
		}
	}
}

// attach opens a page and subscribes to its events.
func (b *browser) attach() {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
}

// call sends a command to the browser and reads its answer into result, if that is not nil.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.last++
	id := b.last
	message := map[string]any{"id": id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	r := b.await(method, func(r reply) bool { return r.ID == id })
	if r.Error != nil {
		b.t.Fatalf("%s: %s", method, r.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(r.Result, result); err != nil {
			b.t.Fatal(err)
		}
	}
}

// await reads messages until one matches.
func (b *browser) await(what string, right func(reply) bool) reply {
	b.t.Helper()
	limit := time.After(browserLimit)
	for {
		select {
		case r, ok := <-b.replies:
			if !ok {
				b.t.Fatalf("chromium ended while %s was awaited", what)
			}
			b.note(r)
			if right(r) {
				return r
			}
		case <-limit:
			b.t.Fatalf("chromium gave no answer to %s in %s", what, browserLimit)
		}
	}
}

// note records errors and requests of the page.
func (b *browser) note(r reply) {
	switch r.Method {
	case "Runtime.exceptionThrown", "Log.entryAdded":
		b.complaints = append(b.complaints, string(r.Params))
	case "Runtime.consoleAPICalled":
		b.complaints = append(b.complaints, string(r.Params))
	case "Network.requestWillBeSent":
		var p struct {
			Request struct{ URL string }
		}
		if json.Unmarshal(r.Params, &p) == nil {
			b.requests = append(b.requests, p.Request.URL)
		}
	}
}

// screen sets the properties of the reader's device.
func (b *browser) screen(width, height int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia",
		map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// open shows a page.
func (b *browser) open(html []byte) {
	b.t.Helper()
	name := filepath.Join(b.t.TempDir(), "page.html")
	if err := os.WriteFile(name, html, 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.complaints, b.requests = nil, nil
	b.call("Page.navigate", map[string]any{"url": "file://" + name}, nil)
	b.await("the page", func(r reply) bool { return r.Method == "Page.loadEventFired" })
	b.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))", nil)
}

// checkQuiet fails if there was an error on the console or a request for anything but the page.
func (b *browser) checkQuiet() {
	b.t.Helper()
	for _, c := range b.complaints {
		b.t.Errorf("the console says %s", c)
	}
	if len(b.requests) != 1 || !strings.HasPrefix(b.requests[0], "file://") {
		b.t.Errorf("the page asked for %q, want itself only", b.requests)
	}
}

// eval evaluates an expression in the page and reads its value into result, if that is not nil.
func (b *browser) eval(expression string, result any) {
	b.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		ExceptionDetails json.RawMessage `json:"exceptionDetails"`
	}
	b.call("Runtime.evaluate",
		map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if result != nil {
		if err := json.Unmarshal(r.Result.Value, result); err != nil {
			b.t.Fatalf("%s: %v in %s", expression, err, r.Result.Value)
		}
	}
}

// press types one key.
func (b *browser) press(key string, code int) {
	b.t.Helper()
	text := ""
	if len(key) == 1 {
		text = key
	}
	b.call("Input.dispatchKeyEvent",
		map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}, nil)
}

// picture takes a picture of the whole page, or of its top if limit is not 0.
func (b *browser) picture(name string, limit int) {
	b.t.Helper()
	var size struct{ Width, Height int }
	b.eval("({Width: document.documentElement.clientWidth, Height: document.documentElement.scrollHeight})", &size)
	if limit > 0 {
		size.Height = min(size.Height, limit)
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{
		"captureBeyondViewport": true,
		"clip":                  map[string]any{"x": 0, "y": 0, "width": size.Width, "height": size.Height, "scale": 1},
	}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "wrote", name)
}
