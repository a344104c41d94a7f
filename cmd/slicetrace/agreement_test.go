package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// A report does not contradict itself: its tables agree, it follows the published schema, and the
// recording of the run has what the report says.
func TestRunsAgreeWithThemselves(t *testing.T) {
	bpftest.Require(t)
	few := []string{"--rounds", "1", "--duration", "100ms"}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"tasks that are created", append([]string{"run", "spawn"}, few...)},
		{"waiting and shared cores", append([]string{"run", "pipe", "spin", "counter", "--workers", "6"}, few...)},
		{"no phases", append([]string{"run", "yield", "--phases", "none"}, few...)},
		{"one core", append([]string{"run", "messaging", "--cores", "0"}, few...)},
		{"a program of processes", []string{"run", "--", "sh", "-c",
			"for i in 1 2 3 4 5; do (true); sleep 0.01; done"}},
		{"recorded", append([]string{"run", "pipe", "spawn", "--record", "r.rec"}, few...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := tool(t, append(c.args[:1:1], append([]string{"-o", "r.json"}, c.args[1:]...)...)...)
			got := finish(t, cmd)
			if got.status != exitDone {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			name := filepath.Join(got.dir, "r.json")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := reporttest.CheckSchema(data); err != nil {
				t.Error(err)
			}
			r, err := readReport(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, contradiction := range reporttest.Contradictions(r, true) {
				t.Error(contradiction)
			}
			if r.Recording == nil {
				return
			}
			count := func(table string) uint64 {
				rows, err := csv.NewReader(strings.NewReader(call(t, "export", filepath.Join(got.dir, "r.rec"),
					"--table", table).out)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				return uint64(len(rows) - 1)
			}
			for table, want := range map[string]uint64{"switches": r.Recording.Switches,
				"wakeups": r.Recording.Wakeups, "marks": uint64(len(r.Trials))} {
				if got := count(table); got != want {
					t.Errorf("the recording holds %d %s, the report says %d", got, table, want)
				}
			}
		})
	}
}
