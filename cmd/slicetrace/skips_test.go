package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// skipCall is a call that skips a test, with the line before it.
var skipCall = regexp.MustCompile(`(?m)^(.*)\n\t+[a-z]+\.Skip(Now|f)?\(`)

// Tests skip through package bpftest, which fails instead where what they need is there. Only what
// -short leaves out, or a flag asks for, is skipped in place. Packages report and below know no
// eBPF: there, programs that CI requires are looked for in place.
func TestSkipsAreEarned(t *testing.T) {
	allowed := regexp.MustCompile(`testing\.Short\(\)|!\*study\b`)
	const root = "../.."
	skips := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(name, "report/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range skipCall.FindAllSubmatchIndex(text, -1) {
			skips++
			if before := text[m[2]:m[3]]; !allowed.Match(before) {
				line := 2 + strings.Count(string(text[:m[0]]), "\n")
				t.Errorf("%s:%d skips by itself: call bpftest.Lacks or bpftest.Unavailable", name, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if skips < 4 {
		t.Errorf("only %d skips were found", skips)
	}
}
