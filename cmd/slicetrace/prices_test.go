package main

import (
	"strings"
	"testing"

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
