package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const (
	mostLines         = 400 // of a file
	mostFunctionLines = 80
)

// Files and functions, also those of tests, are short enough to be read in one go.
func TestFilesAndFunctionsAreShort(t *testing.T) {
	const root = "../.."
	files := 0
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
		if !slices.Contains([]string{".go", ".c", ".h"}, filepath.Ext(name)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.Contains(text[:min(len(text), 200)], []byte("DO NOT EDIT")) {
			return err
		}
		files++
		if n := bytes.Count(text, []byte("\n")); n > mostLines && !slices.Contains(longer, name) {
			t.Errorf("%s has %d lines, more than %d", name, n, mostLines)
		}
		if filepath.Ext(name) == ".go" {
			checkFunctions(t, name, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 300 {
		t.Errorf("only %d files were found", files)
	}
}

// longer are the files that may be: layout.h is one description, which both halves and the generator read.
var longer = []string{"bpf/layout.h"}

// checkFunctions checks the lengths of a file's functions, from the line of func to that of the last brace.
func checkFunctions(t *testing.T, name string, text []byte) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, isFunction := d.(*ast.FuncDecl)
		if !isFunction {
			continue
		}
		from := set.Position(f.Pos()).Line
		if n := set.Position(f.End()).Line - from + 1; n > mostFunctionLines {
			t.Errorf("%s:%d: %s has %d lines, more than %d", name, from, f.Name.Name, n, mostFunctionLines)
		}
	}
}
