package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/slicetrace/slicetrace/"

// mayImport lists the packages of this module that each package may import. Package workloads
// knows nothing of tracing. Package report and those below it build on any system and never link
// eBPF.
var mayImport = map[string][]string{
	"bpf":          {},
	"bpf/baseline": {"bpf"},
	"bpf/bpftest":  {},
	"cmd/slicetrace": {
		"cmd/slicetrace/internal/inherited", "cmd/slicetrace/internal/outfile", "cmd/slicetrace/internal/screen",
		"cmd/slicetrace/internal/trial", "collector", "collector/flight", "collector/hostinfo",
		"collector/hostinfo/cgroup", "report", "report/compare", "report/explain",
		"report/findings", "report/profile", "report/recording", "report/render", "report/sched", "report/table",
		"report/timeline", "report/view", "report/view/live", "workloads",
	},
	"cmd/slicetrace/internal/inherited": {},
	"cmd/slicetrace/internal/outfile":   {},
	"cmd/slicetrace/internal/screen":    {"report", "report/render", "report/view/live"},
	"cmd/slicetrace/internal/trial":     {"collector", "report", "report/recording", "report/sched", "workloads"},
	"collector": {
		"bpf", "collector/flight", "collector/hostinfo", "collector/hostinfo/cgroup", "collector/symbol", "report",
		"report/histogram", "report/recording", "report/sched",
	},
	"collector/flight":          {"report", "report/recording", "report/sched"},
	"collector/hostinfo":        {"collector/hostinfo/cgroup", "report", "report/sched"},
	"collector/hostinfo/cgroup": {},
	"collector/symbol":          {"report/sched"},
	"report":                    {"report/histogram", "report/internal/asciijson", "report/sched"},
	"report/compare": {
		"report", "report/histogram", "report/internal/asciijson", "report/internal/words", "report/metric",
		"report/sched", "report/stats",
	},
	"report/explain": {"report", "report/findings", "report/sched", "report/timeline", "report/view"},
	"report/findings": {
		"report", "report/histogram", "report/internal/words", "report/metric", "report/stats",
	},
	"report/histogram":          {},
	"report/internal/asciijson": {},
	"report/internal/printable": {},
	"report/internal/words":     {},
	"report/metric":             {"report", "report/histogram", "report/sched", "report/stats"},
	"report/profile":            {"report", "report/internal/printable", "report/internal/words"},
	"report/recording":          {"report/sched"},
	"report/render": {
		"report", "report/compare", "report/internal/printable", "report/recording", "report/sched", "report/table",
		"report/timeline", "report/view",
	},
	"report/reporttest": {
		"report", "report/compare", "report/findings", "report/histogram", "report/recording", "report/sched",
		"report/table",
	},
	"report/sched": {},
	"report/stats": {},
	"report/table": {
		"report", "report/compare", "report/histogram", "report/internal/words", "report/metric", "report/sched",
	},
	"report/timeline": {"report/recording", "report/sched"},
	"report/view": {
		"report", "report/compare", "report/findings", "report/histogram", "report/internal/words",
		"report/metric", "report/sched", "report/stats",
	},
	"report/view/live": {"report", "report/histogram", "report/metric", "report/sched"},
	"workloads":        {},
}

// usedBy lists the only packages that may import a library.
var usedBy = map[string][]string{
	"charm.land/":                       {"cmd/slicetrace/internal/screen"},
	"github.com/charmbracelet/":         {},
	"github.com/cilium/ebpf":            {"bpf", "bpf/baseline", "bpf/bpftest", "collector"},
	"github.com/clipperhouse/":          {"cmd/slicetrace/internal/screen"},
	"github.com/google/pprof":           {}, // tests only: it costs each start of a program that links it
	"github.com/spf13/":                 {"cmd/slicetrace"},
	"github.com/ianlancetaylor/":        {"collector/symbol"},
	"github.com/olekukonko/tablewriter": {"report/render"},
	"github.com/parquet-go/parquet-go":  {"report/render"},
	"github.com/ulikunitz/xz":           {"collector/symbol"},
}

// Imports go in one direction: from the commands to the packages that they compose, and from
// the tracer and the renderers to the record of a run.
func TestPackagesImportInOneDirection(t *testing.T) {
	const root = "../.."
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		allowed, known := mayImport[folder]
		if seen[folder] = true; !known {
			t.Errorf("%s: add the package to mayImport", folder)
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, is := strings.CutPrefix(imported, module); is && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", path, own)
			}
			for library, users := range usedBy {
				if strings.HasPrefix(imported, library) && !slices.Contains(users, folder) {
					t.Errorf("%s imports %s", path, imported)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range mayImport {
		if !seen[folder] {
			t.Errorf("there is no package %s", folder)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
}
