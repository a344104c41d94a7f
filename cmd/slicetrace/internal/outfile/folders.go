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

// WriteInFolders writes a file as Write does, under dir in the folders of path, the last
// part of which is the file's own name. It makes dir and the folders if they are missing;
// they then belong to the owner too. On the way to dir it follows the same symbolic links as
// Write. Within dir, a symbolic link in the place of a folder is an error.
//
// Like Write, root does this with the owner's rights or, in root's own folders, with root's.
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

// writeInFolders follows links of owner. If given is not nil, the folders and the file are
// given to that user, and only folders of that user and root's are entered.
func writeInFolders(dir string, path []string, owner, given *Owner, write func(io.Writer) error) error {
	name := filepath.Join(append([]string{dir}, path...)...)
	if dir == "" {
		return outputError(dir, errNoFileName)
	}
	parent, err := openDir(dir, owner)
	switch {
	case err == nil && given != nil:
		err = mayEnter(parent, given)
	case errors.Is(err, fs.ErrNotExist): // made below, if its parent exists
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

// openFolder opens a folder of parent, and makes it if it is missing.
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
	// A link could have taken the folder's place between the two steps.
	if after, err := folder.Stat("."); err != nil || !os.SameFile(before, after) {
		folder.Close()
		return nil, errors.Join(errors.New("the folder was replaced while it was opened"), err)
	}
	if given != nil {
		if err := mayEnter(folder, given); err != nil {
			return nil, err
		}
	}
	return folder, nil
}

// mayEnter checks that a folder belongs to root or to that user. If not, it closes the
// folder and returns an error.
func mayEnter(folder *os.Root, user *Owner) error {
	if isRoots(folder) || isOwners(folder, user) {
		return nil
	}
	folder.Close()
	return fmt.Errorf("the folder of another user: %w", fs.ErrPermission)
}
