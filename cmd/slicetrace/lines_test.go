package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	// mostColumns is the length of a line; a tab takes columnsOfTab.
	mostColumns  = 120
	columnsOfTab = 4
)

// notYet are folders in which some lines are still longer. It shrinks: take a folder out when
// the test says that it has none, and put none in.
var notYet = []string{
	"bpf", "bpf/baseline", "bpf/bpftest", "collector", "collector/hostinfo", "report", "report/histogram",
	"report/recording", "report/render", "report/reporttest", "report/stats", "report/timeline", "workloads",
}

// fromElsewhere are folders whose files others wrote, or programs.
var fromElsewhere = []string{".git", "bpf/headers", "report/render/page/uplot", "report/render/testdata"}

// No line is too long to be read beside another. Tables in Markdown cannot be broken, and
// neither can addresses.
func TestLinesAreShort(t *testing.T) {
	const root = "../.."
	long := map[string]int{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(fromElsewhere, name) {
				return fs.SkipDir
			}
			return nil
		}
		folder := filepath.Dir(name)
		isText := slices.Contains([]string{".go", ".c", ".h", ".s", ".md"}, filepath.Ext(name))
		if !isText && folder != ".ci" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.Contains(text[:min(len(text), 200)], []byte("DO NOT EDIT")) {
			return err
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			isTable := filepath.Ext(name) == ".md" && strings.HasPrefix(line, "|")
			if n := columnsOf(line); n <= mostColumns || isTable || strings.Contains(line, "https://") {
				continue
			}
			if long[folder]++; !slices.Contains(notYet, folder) {
				t.Errorf("%s:%d has %d columns, more than %d", name, number, columnsOf(line), mostColumns)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range notYet {
		if long[folder] == 0 {
			t.Logf("%s has no long line any more: take it out of notYet", folder)
		}
	}
}

// columnsOf returns the width of a line without its end.
func columnsOf(line string) int {
	n := 0
	for _, r := range strings.TrimSuffix(line, "\n") {
		if n++; r == '\t' {
			n += (columnsOfTab - n%columnsOfTab) % columnsOfTab
		}
	}
	return n
}
