//go:build linux

package outfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteInFolders saves a file as Write saves a report, under dir in the
// folders of path, whose last part is the file's own name. It makes dir and the
// folders where they are missing; those are the owner's too. To dir it follows the
// symbolic links that Write does; within dir one in the place of a folder is refused.
//
// Root does it with the owner's rights, or where root's own folders call for it
// with its own, as Write does.
func WriteInFolders(dir string, path []string, owner *Owner, write func(io.Writer) error) error {
	err := withRights(owner, func() error { return writeInFolders(dir, path, owner, nil, write) })
	if owner == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if !rootsAlone(filepath.Clean(dir), owner) {
		return fmt.Errorf("as user %d, who called sudo: %w", owner.UID, err)
	}
	return writeInFolders(dir, path, owner, owner, write)
}

// writeInFolders follows links of owner, and gives what it makes to the one to be
// given it, if that is not nil; then it enters only folders of that owner and root's.
func writeInFolders(dir string, path []string, owner, given *Owner, write func(io.Writer) error) error {
	name := filepath.Join(append([]string{dir}, path...)...)
	if dir == "" {
		return outputError(dir, errNoFileName)
	}
	parent, err := openDir(dir, owner)
	switch {
	case err == nil && given != nil:
		err = mayEnter(parent, given)
	case errors.Is(err, fs.ErrNotExist): // it is made, if its parent is there
		parent, _, err = openParent(filepath.Clean(dir), owner)
		path = append([]string{filepath.Base(filepath.Clean(dir))}, path...)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open output folder %q: %w; choose a folder in one that exists", dir, fs.ErrNotExist)
	}
	if err != nil {
		return outputError(dir, err)
	}
	last := len(path) - 1
	for _, folder := range path[:last] {
		child, err := openFolder(parent, folder, given)
		parent.Close()
		if err != nil {
			return fmt.Errorf("open output folder %s of %s: %w; %s", folder, name, err, outputRemedy(err))
		}
		parent = child
	}
	defer parent.Close()
	return writeIn(parent, name, given, write)
}

// openFolder opens a folder of parent, made if it is missing.
func openFolder(parent *os.Root, name string, given *Owner) (*os.Root, error) {
	switch err := parent.Mkdir(name, 0o755); {
	case err == nil:
		if given != nil {
			if err := parent.Lchown(name, given.UID, given.GID); err != nil {
				return nil, err
			}
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	before, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, fmt.Errorf("not a folder (%s)", kindOf(before))
	}
	folder, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// Between the two steps a link could have come.
	if after, err := folder.Stat("."); err != nil || !os.SameFile(before, after) {
		folder.Close()
		return nil, errors.Join(errors.New("replaced meanwhile"), err)
	}
	if given != nil {
		if err := mayEnter(folder, given); err != nil {
			return nil, err
		}
	}
	return folder, nil
}

// mayEnter closes and refuses a folder that is neither root's nor that user's.
func mayEnter(folder *os.Root, user *Owner) error {
	if isRoots(folder) || isOwners(folder, user) {
		return nil
	}
	folder.Close()
	return fmt.Errorf("the folder of another user: %w", fs.ErrPermission)
}
