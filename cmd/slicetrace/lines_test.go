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
	// mostColumns is the largest width of a line; a tab reaches to a multiple of columnsOfTab.
	mostColumns  = 120
	columnsOfTab = 4
)

// fromElsewhere are folders with files of other projects, and with files that programs wrote.
var fromElsewhere = []string{".git", "bpf/headers", "report/render/page/uplot", "report/render/testdata"}

// Lines are short enough to be read side by side with others. Rows of Markdown tables and addresses
// cannot be broken, so they may be longer. Nor can a line of go generate: it cannot be continued, one
// -command cannot use another, and bpf2go takes the types to generate from its command line alone.
func TestLinesAreShort(t *testing.T) {
	forEachText(t, []string{".go", ".c", ".h", ".s", ".md", ".css", ".html", ".js"}, func(name, text string) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			isTable := filepath.Ext(name) == ".md" && strings.HasPrefix(line, "|")
			isFixed := isTable || strings.Contains(line, "https://") || strings.HasPrefix(line, "//go:generate ")
			if n := columnsOf(line); n > mostColumns && !isFixed {
				t.Errorf("%s:%d has %d columns, more than %d", name, number, n, mostColumns)
			}
		}
	})
}

// forEachText calls check with each of our own files whose name ends in one of these, and those of .ci.
func forEachText(t *testing.T, ends []string, check func(name, text string)) {
	t.Helper()
	const root = "../.."
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
		if !slices.Contains(ends, filepath.Ext(name)) && filepath.Dir(name) != ".ci" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.Contains(text[:min(len(text), 200)], []byte("DO NOT EDIT")) {
			return err
		}
		check(name, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
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
