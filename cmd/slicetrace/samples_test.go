package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

var update = flag.Bool("update", false, "rewrite the sample outputs in the documents")

// sampleDocuments are the documents with sample outputs.
var sampleDocuments = []string{"README.md", "report/README.md", "cmd/slicetrace/README.md"}

// sampleReport is a report that the command of README.md has saved on a real machine.
const sampleReport = "testdata/run-futex.json"

// samples make the sample outputs, by the commands that the documents show.
var samples = map[string]func(*testing.T, string) string{
	"sudo slicetrace run futex": func(t *testing.T, command string) string {
		r, err := report.ReadFile(sampleReport)
		if err != nil {
			t.Fatal(err)
		}
		names := strings.Fields(command)[3:]
		if !slices.Equal(r.Setup.Workloads, names) || r.Setup.Rounds != defaultRounds {
			t.Errorf("%s is of %d rounds of %v", sampleReport, r.Setup.Rounds, r.Setup.Workloads)
		}
		return call(t, "report", must(filepath.Abs(sampleReport))).out // what run shows, too
	},
	"sudo slicetrace top": topSampleOutput,
	"duckdb -csv -c":      fleetSample,
}

// A sample is a command and its output, indented in a document. The output ends with "…" if it
// goes on.
var sampleBlock = regexp.MustCompile(`(?m)^    \$ (.*(?:\n     +.*)*)\n((?:\n?    .*\n)+)`)

// Every sample output in a document is the output of the command above it.
func TestSampleOutputs(t *testing.T) {
	tried := map[string]bool{}
	for _, name := range sampleDocuments {
		file := filepath.Join("../..", name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		made := sampleBlock.ReplaceAllStringFunc(string(text), func(block string) string {
			parts := sampleBlock.FindStringSubmatch(block)
			command := strings.Join(strings.Fields(parts[1]), " ")
			for prefix, output := range samples {
				if strings.HasPrefix(command, prefix) {
					tried[prefix] = true
					return "    $ " + parts[1] + "\n" + indented(output(t, command), parts[2])
				}
			}
			t.Errorf("%s: no test makes the output of %q", name, command)
			return block
		})
		switch diff := gocmp.Diff(string(text), made); {
		case diff != "" && *update:
			if err := os.WriteFile(file, []byte(made), 0o644); err != nil {
				t.Fatal(err)
			}
		case diff != "":
			t.Errorf("%s (-has +should have); rewrite it with -update:\n%s", name, diff)
		}
	}
	for prefix := range samples {
		if !tried[prefix] {
			t.Errorf("no document shows the output of %q", prefix)
		}
	}
}

// indented returns an output as a block of a document, of as many lines as the block had if that
// shows only the first.
func indented(output, before string) string {
	lines := strings.Split(strings.TrimSuffix(output, "\n"), "\n")
	old := strings.Split(strings.TrimSuffix(before, "\n"), "\n")
	if old[len(old)-1] == "    …" && len(old) <= len(lines) {
		lines = append(lines[:len(old)-1:len(old)-1], "…")
	}
	var block strings.Builder
	for _, line := range lines {
		if line != "" {
			block.WriteString("    " + line)
		}
		block.WriteByte('\n')
	}
	return block.String()
}

// fleetSample exports the reports of two machines and answers a query about their switches: in
// Go and, if it is installed, in DuckDB.
func fleetSample(t *testing.T, command string) string {
	type group struct{ host, class string }
	type sums struct{ switches, costs, ns uint64 }
	found := map[group]sums{}
	dir := t.TempDir()
	for host, r := range map[string]*report.Report{
		"web-1": reporttest.Bundled(12, 2),
		"web-2": reporttest.Bundled(12, 4),
	} {
		name := saveReport(t, "r.json", r)
		got := call(t, "export", name, "--format", "parquet", "-o", filepath.Join(dir, "fleet"), "--host", host)
		if got.status != exitDone {
			t.Fatal(got.err)
		}
		for _, trial := range r.Trials {
			for _, core := range trial.Cores {
				for _, c := range core.Classes {
					g := group{host, string(c.Class)}
					s := found[g]
					found[g] = sums{s.switches + c.Switches, s.costs + c.Cost.Count, s.ns + c.Cost.SumNS}
				}
			}
		}
	}
	lines := []string{"host,class,switches,cost_ns"}
	for _, g := range slices.SortedFunc(maps.Keys(found), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.class, b.class))
	}) {
		if s := found[g]; g.class == string(report.ClassThread) || g.class == string(report.ClassProcess) {
			mean := math.Round(float64(s.ns) / float64(s.costs))
			lines = append(lines, fmt.Sprintf("%s,%s,%d,%.0f", g.host, g.class, s.switches, mean))
		}
	}
	if os.Getenv(readersVariable) != "" {
		answer := []string{lines[0]}
		for _, row := range duck(t, dir, strings.Split(command, `"`)[1]) {
			answer = append(answer, strings.Join(row, ","))
		}
		if diff := gocmp.Diff(lines, answer); diff != "" {
			t.Errorf("%s (-Go +DuckDB):\n%s", command, diff)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
