//go:build linux

package outfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

func TestWriteInFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	for range 2 { // the second time replaces the first
		if err := outfile.WriteInFolders(dir, []string{"cores", "host=m1", "r.parquet"}, nil, hello); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "cores", "host=m1"))
	for _, here := range []string{".", "../host=m1", "..", ""} {
		if err := outfile.WriteInFolders(here, []string{"a", "r.parquet"}, nil, hello); (err == nil) != (here != "") {
			t.Errorf("into %q: %v", here, err)
		}
	}
	for _, name := range []string{"r.parquet", "a/r.parquet", "../a/r.parquet"} {
		if data, err := os.ReadFile(name); err != nil || string(data) != "hello" {
			t.Errorf("%s holds %q, %v", name, data, err)
		}
	}
	if names := entries(t, "."); len(names) != 2 {
		t.Errorf("the folder holds %v", names)
	}
}

func TestWriteInFoldersRefusesLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "inner")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for where, path := range map[string][]string{
		dir:                          {"link", "r"},
		filepath.Join(dir, "."):      {"inner", "r"},
		filepath.Join(dir, "file"):   {"r"},
		filepath.Join(dir, "no/no"):  {"r"},
		filepath.Join(dir, "real/x"): {"..", "..", "..", "r"},
	} {
		err := outfile.WriteInFolders(where, path, nil, hello)
		if err == nil || !strings.Contains(err.Error(), "choose ") {
			t.Errorf("%s %v: error is %v", where, path, err)
		}
		link := slices.Contains(path, "link") || slices.Contains(path, "inner")
		if link && !strings.Contains(err.Error(), "not a folder") {
			t.Errorf("%s %v: error does not name the link: %v", where, path, err)
		}
	}
	// The folder that the user names may be the user's own link.
	for _, where := range []string{link, link + "/"} {
		if err := outfile.WriteInFolders(where, []string{"x"}, nil, hello); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	for _, folder := range []string{elsewhere, filepath.Join(dir, "real", "x"), filepath.Join(dir, "real")} {
		for _, name := range entries(t, folder) {
			if name != "x" {
				t.Errorf("%s holds %s", folder, name)
			}
		}
	}
}

func TestWriteInFoldersLeavesNoHalfFile(t *testing.T) {
	dir := t.TempDir()
	err := outfile.WriteInFolders(dir, []string{"a", "r"}, nil, func(w io.Writer) error {
		return errors.Join(hello(w), errors.New("no space left"))
	})
	if err == nil || len(entries(t, filepath.Join(dir, "a"))) > 0 {
		t.Errorf("error %v, left %v", err, entries(t, filepath.Join(dir, "a")))
	}
}
