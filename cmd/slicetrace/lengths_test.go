package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mostLines         = 400 // of a file
	mostFunctionLines = 80
)

// Files and functions, also those of tests, are short enough to be read in one go.
func TestFilesAndFunctionsAreShort(t *testing.T) {
	files := 0
	forEachText(t, []string{".go", ".c", ".h"}, func(name, text string) {
		if filepath.Dir(name) == ".ci" {
			return // a script
		}
		files++
		if n := strings.Count(text, "\n"); n > mostLines {
			t.Errorf("%s has %d lines, more than %d", name, n, mostLines)
		}
		if filepath.Ext(name) == ".go" {
			checkFunctions(t, name, text)
		}
	})
	if files < 300 {
		t.Errorf("only %d files were found", files)
	}
}

// checkFunctions checks the lengths of a file's functions, from the line of func to that of the last brace.
func checkFunctions(t *testing.T, name, text string) {
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
