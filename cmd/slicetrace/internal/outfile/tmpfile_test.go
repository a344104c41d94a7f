//go:build linux

package outfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// An output has its name only when it is complete. Before that it has no name or, on a file system
// without files without names, a temporary one. After Abort nothing is left.
func TestOutputBeforeItHasItsName(t *testing.T) {
	type creator func(*os.Root, string, string, fs.FileInfo) (*File, error)
	for kind, create := range map[string]creator{"unnamed": createIn, "named": createNamed} {
		t.Run(kind, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "r")
			dir, err := os.OpenRoot(filepath.Dir(name))
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			for _, older := range []string{"", "first"} {
				abandoned, err := create(dir, name, "r", nil)
				if err != nil {
					t.Fatal(err)
				}
				if f, err := createUnnamed(dir, name); err != nil && kind == "unnamed" {
					bpftest.Unavailable(t, fmt.Sprintf("this file system has no files without names: %v", err))
				} else if err == nil {
					f.Close()
				}
				if abandoned.unnamed != (kind == "unnamed") {
					t.Errorf("what begins to be written has no name: %v", abandoned.unnamed)
				}
				abandoned.Abort()
				o, err := create(dir, name, "r", nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := o.Write([]byte("first")); err != nil {
					t.Fatal(err)
				}
				if old, _ := os.ReadFile(name); string(old) != older {
					t.Errorf("before its end the file holds %q, want %q", old, older)
				}
				entries, err := os.ReadDir(filepath.Dir(name))
				want := min(len(older), 1)
				if kind == "named" {
					want++
				}
				if err != nil || len(entries) != want {
					t.Errorf("there are %v, %v", entries, err)
				}
				if err := o.Commit(); err != nil {
					t.Fatal(err)
				}
				if now, _ := os.ReadFile(name); string(now) != "first" {
					t.Errorf("the file holds %q", now)
				}
			}
			if entries, err := os.ReadDir(filepath.Dir(name)); err != nil || len(entries) != 1 {
				t.Errorf("left %v, %v", entries, err)
			}
		})
	}
}
