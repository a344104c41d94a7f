//go:build !linux

package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func openDir(name string, _ *Owner) (*os.Root, error) { return os.OpenRoot(name) }

// findPlace finds out where a name leads.
func findPlace(name string, _ *Owner) (*place, error) {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir, base: filepath.Base(name), info: info}
	if info != nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0 {
		p.device = name
	}
	return p, nil
}
