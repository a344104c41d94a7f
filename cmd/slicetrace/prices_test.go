package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestPricesOfACommandsSwitches(t *testing.T) {
	command := saveReport(t, "command.json", reporttest.Command())
	prices := saveReport(t, "prices.json", reporttest.Bundled(6, 2))
	got := call(t, "report", command, "--prices", prices)
	if got.status != exitDone || !strings.Contains(got.out, "\nThreads instead of processes\n") {
		t.Errorf("status %d, %s%s", got.status, got.err, got.out)
	}
	for wrong, want := range map[string]string{
		"report PRICES --prices PRICES":                         "is for a program or what runs already",
		"report COMMAND --prices COMMAND":                       "has no switches of pipe or spin in both modes",
		"report COMMAND --format json --prices PRICES":          "is for text",
		"report COMMAND --html page.html --prices PRICES":       "leave out",
		"run pipe --prices PRICES":                              "is for a program or what runs already",
		"run -q --prices PRICES -- true":                        "--quiet shows nothing",
		"run --prices COMMAND -- true":                          "has no switches of pipe or spin in both modes",
		"run --all --duration 1s --format json --prices PRICES": "is for text",
	} {
		args := strings.Fields(strings.NewReplacer("PRICES", prices, "COMMAND", command).Replace(wrong))
		if got := call(t, args...); got.status != exitUsage || !strings.Contains(got.err, want) {
			t.Errorf("%s: status %d, %q, want %q", wrong, got.status, got.err, want)
		}
	}
}

// Without --prices, those of the newest report in the folder that is of the same machine and has them are taken, and
// if there is none, the reader learns how to make one. Nothing else in the folder matters.
func TestPricesAreFoundInTheFolder(t *testing.T) {
	cmd := tool(t, "report", "command.json")
	command := reporttest.Command()
	save := func(name string, r *report.Report) {
		t.Helper()
		if err := reporttest.WriteFile(filepath.Join(cmd.Dir, name), r); err != nil {
			t.Fatal(err)
		}
	}
	save("command.json", command)
	elsewhere := reporttest.Bundled(6, 2)
	elsewhere.Host.CPUModel = "another"
	save("slicetrace-20260105T000000Z.json", elsewhere)
	save("slicetrace-20260106T000000Z.json", command)
	interrupted := reporttest.Bundled(2, 2)
	interrupted.Host = command.Host
	save("slicetrace-20260106T100000Z.json", interrupted)
	if err := os.WriteFile(filepath.Join(cmd.Dir, "slicetrace-20260107T000000Z.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(cmd.Dir, "slicetrace-20260108T000000Z.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	none := tool(t, "report", "command.json")
	none.Dir = cmd.Dir
	got := finish(t, none)
	if got.status != exitDone || !strings.Contains(got.out, "slicetrace run pipe spin makes one.") {
		t.Errorf("%+v", got)
	}
	here := reporttest.Bundled(6, 2)
	here.Host = command.Host
	save("slicetrace-20260104T000000Z.json", here)
	got = finish(t, cmd)
	if got.status != exitDone || !strings.Contains(got.out, "At the prices in slicetrace-20260104T000000Z.json.\n") {
		t.Errorf("%+v", got)
	}
}
