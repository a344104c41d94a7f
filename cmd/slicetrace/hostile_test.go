package main

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// masqueradeVariable makes this test binary a program whose threads give
// themselves hostile names.
const masqueradeVariable = "SLICETRACE_TEST_MASQUERADE"

// hostileNames fit into the kernel's 15 bytes. They are so few that the report's table of a
// program's busiest tasks shows all.
func hostileNames() []string {
	return []string{
		"=cmd|' /C calc'", "<script>", "</script>", "\x1b[31mred\x1b[0m",
		"bad\xff\xfeutf\n\t", "\u202egpj.exe", "a|`b`[c](d)",
	}
}

// shown returns the part of each name, in that order, that every output still shows.
func shown() []string {
	return []string{"cmd|' /C calc'", "script", "script", "[31mred", "utf", "gpj.exe", "b"}
}

// masquerade runs a thread with each name, which computes for some slices.
func masquerade() int {
	done := make(chan bool)
	for _, name := range hostileNames() {
		go func() {
			runtime.LockOSThread()
			comm := append([]byte(name), 0)
			// If the kernel refuses the name, the test notices that it is missing.
			_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&comm[0])), 0, 0, 0)
			for range 10 {
				time.Sleep(time.Millisecond)
				for busy := time.Now(); time.Since(busy) < time.Millisecond; {
				}
			}
			done <- true
		}()
	}
	for range hostileNames() {
		<-done
	}
	return 0
}

// safe fails if an output could steer a terminal or deceive its reader.
func safe(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not UTF-8", what)
	}
	for i, r := range text {
		if r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Errorf("%s holds %U in %q", what, r, text[max(0, i-20):min(len(text), i+20)])
			return
		}
	}
}

// A real program with hostile names goes through every renderer: each is safe, and
// shows what the name was.
func TestHostileNamesOfARealProgram(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "-v", "--record", "r.rec", "-o", "r.json", "--", "/proc/self/exe")
	cmd.Env = append(cmd.Env, masqueradeVariable+"=1")
	run := finish(t, cmd)
	if run.status != exitDone {
		t.Fatalf("status %d: %s", run.status, run.err)
	}
	in := func(name string) string { return filepath.Join(run.dir, name) }
	saved, recorded := in("r.json"), in("r.rec")
	for _, args := range [][]string{
		{"report", saved, "--html", in("r.html"), "--recording", recorded},
		{"export", recorded, "--format", "perfetto", "-o", in("r.trace")},
		{"export", saved, "--format", "parquet", "--table", "workers", "-o", in("r.parquet")},
	} {
		if got := call(t, args...); got.status != exitDone || got.out != "" || got.err != "" {
			t.Fatalf("%v: status %d, %q, %q", args, got.status, got.out, got.err)
		}
	}
	outputs := map[string]string{
		"run":        run.err,
		"report":     call(t, "report", "-v", saved).out,
		"json":       call(t, "report", "--format", "json", saved).out,
		"csv":        call(t, "export", saved, "--table", "workers").out,
		"switches":   call(t, "export", recorded, "--table", "switches").out,
		"page":       html.UnescapeString(read(t, in("r.html"))),
		"trace":      names(t, in("r.trace")),
		"parquet":    names(t, in("r.parquet")),
		"comparison": call(t, "compare", "--format", "json", saved, saved).out,
		"markdown":   call(t, "compare", "--format", "markdown", saved, saved).out,
	}
	for what, text := range outputs {
		safe(t, what, text)
		if what == "comparison" || what == "markdown" {
			continue // tasks are not compared; the command line is shown
		}
		for i, fragment := range shown() {
			if !strings.Contains(text, fragment) {
				t.Errorf("%s does not show %q of the name %q", what, fragment, hostileNames()[i])
			}
		}
	}
	page := read(t, in("r.html"))
	for _, tag := range []string{"<script>alert", "<script></td>", "</script></", "=cmd|' /C calc'!"} {
		if strings.Contains(page, tag) {
			t.Errorf("the page holds %q", tag)
		}
	}
	if n := strings.Count(page, "</script>"); n > 3 {
		t.Errorf("the page ends scripts %d times", n)
	}
	if !json.Valid([]byte(outputs["json"])) {
		t.Error("the JSON is not valid")
	}
	checkCells(t, outputs["csv"])
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// names returns the texts in a binary file, one on each line: sequences of at least three
// printable bytes.
func names(t *testing.T, name string) string {
	t.Helper()
	if strings.HasSuffix(name, ".parquet") {
		return parquetNames(t, name)
	}
	var out strings.Builder
	isOther := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	for _, run := range strings.FieldsFunc(read(t, name), isOther) {
		if len(run) >= 3 {
			out.WriteString(run + "\n")
		}
	}
	return out.String()
}

// parquetNames returns the column comm.
func parquetNames(t *testing.T, name string) string {
	t.Helper()
	rows, err := parquet.ReadFile[struct {
		Comm string `parquet:"comm,optional"`
	}](name)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, row := range rows {
		if !utf8.ValidString(row.Comm) {
			t.Errorf("the column holds %q", row.Comm)
		}
		out.WriteString(strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' ' // Parquet holds the name as it was
		}, row.Comm), "") + "\n")
	}
	return out.String()
}

// checkCells looks for cells that a spreadsheet would run.
func checkCells(t *testing.T, text string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < len(hostileNames()) {
		t.Fatalf("%d rows of CSV, %v", len(rows), err)
	}
	names := slices.Index(rows[0], "comm")
	for _, row := range rows[1:] {
		if cell := row[names]; cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("the cell %q is a formula", cell)
		}
	}
}
