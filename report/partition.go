package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteInFolders saves a file as WriteFile saves a report, under dir in the
// folders of path, whose last part is the file's own name. It makes dir and the
// folders where they are missing, and gives those to owner too. A symbolic link
// in the place of any of them is refused.
func WriteInFolders(dir string, path []string, owner *Owner, write func(io.Writer) error) error {
	name := filepath.Join(append([]string{dir}, path...)...)
	parent, err := openParent(filepath.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) || dir == "" {
		return fmt.Errorf("open output folder %q: %w; choose a folder in one that exists with -o", dir, fs.ErrNotExist)
	}
	if err != nil {
		// "." and "/" have no name in a parent, and are no links.
		if parent, err = os.OpenRoot(dir); err != nil {
			return outputError(dir, err)
		}
	} else {
		path = append([]string{filepath.Base(filepath.Clean(dir))}, path...)
	}
	last := len(path) - 1
	for _, folder := range path[:last] {
		child, err := openFolder(parent, folder, owner)
		parent.Close()
		if err != nil {
			return fmt.Errorf("open output folder %s of %s: %w; choose another place with -o", folder, name, err)
		}
		parent = child
	}
	defer parent.Close()
	return writeIn(parent, name, owner, write, (*os.Root).Rename)
}

// openFolder opens a folder of parent, made if it is missing.
func openFolder(parent *os.Root, name string, owner *Owner) (*os.Root, error) {
	switch err := parent.Mkdir(name, 0o755); {
	case err == nil:
		if owner != nil {
			if err := parent.Lchown(name, owner.UID, owner.GID); err != nil {
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
		return nil, fmt.Errorf("not a folder (%s)", before.Mode().Type())
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
	return folder, nil
}
