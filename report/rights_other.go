//go:build !linux

package report

import (
	"io/fs"
	"os"
)

// withRights runs f: only on Linux is there a user who called sudo.
func withRights(_ *Owner, f func() error) error { return f() }

func isRoots(*os.Root) bool { return false }

func isOwners(*os.Root, *Owner) bool { return false }

func openDir(name string, _ *Owner) (*os.Root, error) { return os.OpenRoot(name) }

func mayReplace(*os.Root, fs.FileInfo) bool { return true }
