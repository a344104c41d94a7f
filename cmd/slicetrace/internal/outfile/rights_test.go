//go:build linux

package outfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

func TestWriteFileGivesTheFileToItsOwner(t *testing.T) {
	bpftest.Require(t) // only root may give a file away
	name := filepath.Join(t.TempDir(), "r.json")
	if err := outfile.Write(name, &outfile.Owner{UID: 12345, GID: 23456}, hello); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 12345 || s.Gid != 23456 {
		t.Errorf("the file belongs to %d:%d", s.Uid, s.Gid)
	}
}

// The users of these tests are not known to any system.
const (
	alice   = 12345
	mallory = 12346
	staff   = 23456
)

// shared returns a folder that everybody may enter. It skips the test unless this process is
// root's.
func shared(t *testing.T) string {
	t.Helper()
	bpftest.Require(t) // only root can take on another user's rights
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// folder makes a folder that belongs to a user.
func folder(t *testing.T, dir, name string, uid, gid int, mode fs.FileMode) string {
	t.Helper()
	made := filepath.Join(dir, name)
	if err := os.Mkdir(made, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(made, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(made, uid, gid); err != nil {
		t.Fatal(err)
	}
	return made
}

func ownerOf(t *testing.T, name string) (uid, gid uint32, mode fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return stat.Uid, stat.Gid, info.Mode()
}

func TestRootWritesWithTheOwnersRights(t *testing.T) {
	dir := shared(t)
	owner := &outfile.Owner{UID: alice, GID: alice, Groups: []int{staff}}
	for name, c := range map[string]struct {
		folder string
		uid    int // whom the file belongs to, -1 if it is refused
	}{
		"own":         {folder(t, dir, "own", alice, alice, 0o700), alice},
		"group's":     {folder(t, dir, "group", mallory, staff, 0o770), alice},
		"everybody's": {folder(t, dir, "everybody", 0, 0, 0o777|fs.ModeSticky), alice},
		"root's":      {folder(t, dir, "root", 0, 0, 0o755), alice},
		"closed":      {folder(t, dir, "closed", 0, 0, 0o555), -1},
		"another's":   {folder(t, dir, "another", mallory, mallory, 0o755), -1},
	} {
		file := filepath.Join(c.folder, "r.json")
		_, check := outfile.OpenTarget(file, owner)
		err := outfile.Write(file, owner, hello)
		if (check == nil) != (err == nil) {
			t.Errorf("%s: the check says %v, the writing %v", name, check, err)
		}
		if c.uid < 0 {
			if err == nil || !strings.Contains(err.Error(), "as user 12345, who called sudo") ||
				!strings.Contains(err.Error(), "choose another") {
				t.Errorf("%s: error is %v", name, err)
			}
			if left := entries(t, c.folder); len(left) > 0 {
				t.Errorf("%s: left %v", name, left)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if uid, _, mode := ownerOf(t, file); int(uid) != c.uid || mode != 0o644 {
			t.Errorf("%s: the file is %d's, mode %v", name, uid, mode)
		}
	}
	// After the call this process has its own rights again.
	for range 20 {
		name := filepath.Join(folder(t, dir, "after", 0, 0, 0o700), "f")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if uid, _, _ := ownerOf(t, name); uid != 0 {
			t.Errorf("root's own file belongs to %d", uid)
		}
		if err := os.RemoveAll(filepath.Dir(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// Root does not follow a link that another user planted in a shared folder, wherever it is in the
// path. Links of the caller and of root are followed.
func TestRootFollowsNoPlantedLink(t *testing.T) {
	dir := shared(t)
	secret := folder(t, dir, "secret", 0, 0, 0o755)
	common := folder(t, dir, "common", 0, 0, 0o777|fs.ModeSticky)
	for name, c := range map[string]struct {
		target string
		uid    int
		fine   bool
	}{
		"planted":          {secret, mallory, false},
		"planted-relative": {"../secret", mallory, false},
		"own":              {"../secret", alice, true},
		"roots":            {secret, 0, true},
		"through":          {"planted", alice, false},
	} {
		link := filepath.Join(common, name)
		if err := os.Symlink(c.target, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(link, c.uid, c.uid); err != nil {
			t.Fatal(err)
		}
	}
	for name, fine := range map[string]bool{
		"planted": false, "planted-relative": false, "through": false,
		"own": true, "roots": true, "own/../secret": true,
	} {
		for _, owner := range []*outfile.Owner{{UID: alice, GID: alice}, nil} {
			if owner == nil && (name == "own" || name == "own/../secret") {
				continue // without sudo alice is a stranger
			}
			file := filepath.Join(common, filepath.FromSlash(name)) + "/r.json"
			if strings.Contains(name, "..") {
				file = common + "/" + name + "/r.json" // not cleaned
			}
			err := outfile.Write(file, owner, hello)
			if fine != (err == nil) {
				t.Errorf("%s: error is %v", name, err)
			}
			if !fine && err != nil && !strings.Contains(err.Error(), "is a symbolic link of user 1234") {
				t.Errorf("%s: error is %v", name, err)
			}
			if left := entries(t, secret); (len(left) > 0) != fine {
				t.Errorf("%s: the folder behind it holds %v", name, left)
			}
			os.Remove(filepath.Join(secret, "r.json"))
		}
	}
	// The same holds for a link in the place of the file itself.
	for uid, fine := range map[int]bool{mallory: false, alice: true, 0: true} {
		file := filepath.Join(common, "file.json")
		if err := os.Symlink(filepath.Join(secret, "victim"), file); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(file, uid, uid); err != nil {
			t.Fatal(err)
		}
		err := outfile.Write(file, &outfile.Owner{UID: alice, GID: alice}, hello)
		if left := entries(t, secret); fine != (err == nil) || fine != (len(left) == 1) {
			t.Errorf("a link of user %d: the folder behind it holds %v, error is %v", uid, left, err)
		}
		os.Remove(filepath.Join(secret, "victim"))
		os.Remove(file)
	}
}

// A pipe that another user made in a shared folder is not written to.
func TestPipes(t *testing.T) {
	dir := shared(t)
	for uid, fine := range map[int]bool{mallory: false, alice: true, 0: true} {
		name := filepath.Join(dir, "pipe")
		if err := unix.Mkfifo(name, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(name, 0o666), os.Chown(name, uid, uid)); err != nil {
			t.Fatal(err)
		}
		// With a reader, opening it for writing does not block.
		reader, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		target, err := outfile.OpenTarget(name, &outfile.Owner{UID: alice, GID: alice})
		if fine != (err == nil) || err == nil && target.Stream() == nil {
			t.Errorf("a pipe of user %d: error is %v", uid, err)
		}
		if err == nil {
			got := make([]byte, 5)
			if err := target.Write(hello); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(reader, got); err != nil || string(got) != "hello" {
				t.Errorf("the pipe holds %q, %v", got, err)
			}
		}
		reader.Close()
		os.Remove(name)
	}
}

// A link that leads to itself is an error.
func TestEndlessLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	_, err := outfile.OpenTarget(filepath.Join(dir, "loop", "r.json"), nil)
	if err == nil || !strings.Contains(err.Error(), "symbolic links") {
		t.Errorf("error is %v", err)
	}
}

// Whatever the umask, no other user can write to a file, or read one that is not complete.
func TestModesOfFiles(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	dir := t.TempDir()
	o, err := outfile.Create(filepath.Join(dir, "r"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range entries(t, dir) {
		if _, _, mode := ownerOf(t, filepath.Join(dir, name)); mode != 0o600 {
			t.Errorf("while it is written %s has mode %v", name, mode)
		}
	}
	if err := o.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, _, mode := ownerOf(t, filepath.Join(dir, "r")); mode != 0o644 {
		t.Errorf("mode %v", mode)
	}
	if err := outfile.WriteInFolders(filepath.Join(dir, "made"), []string{"in", "r"}, nil, hello); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"made", "made/in", "made/in/r"} {
		if _, _, mode := ownerOf(t, filepath.Join(dir, name)); mode&0o022 != 0 {
			t.Errorf("%s has mode %v", name, mode)
		}
	}
}

// In a sticky folder, only its owner can replace another user's file. The error comes before
// anything is measured.
func TestStickyDirectory(t *testing.T) {
	dir := shared(t)
	sticky := folder(t, dir, "sticky", mallory, mallory, 0o777|fs.ModeSticky)
	name := filepath.Join(sticky, "r.json")
	if err := os.WriteFile(name, []byte("mallory's"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(name, mallory, mallory); err != nil {
		t.Fatal(err)
	}
	owner := &outfile.Owner{UID: alice, GID: alice}
	if _, err := outfile.OpenTarget(name, owner); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("error is %v", err)
	}
	if err := outfile.Write(filepath.Join(sticky, "mine.json"), owner, hello); err != nil {
		t.Error(err)
	}
}

func TestWriteInFoldersWithTheOwnersRights(t *testing.T) {
	dir := shared(t)
	owner := &outfile.Owner{UID: alice, GID: alice}
	own, another := folder(t, dir, "own", alice, alice, 0o755), folder(t, dir, "another", mallory, mallory, 0o755)
	if err := outfile.WriteInFolders(filepath.Join(own, "a"), []string{"b", "r"}, owner, hello); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a/b", "a/b/r"} {
		if uid, _, _ := ownerOf(t, filepath.Join(own, name)); uid != alice {
			t.Errorf("%s belongs to %d", name, uid)
		}
	}
	if err := outfile.WriteInFolders(filepath.Join(another, "a"), []string{"r"}, owner, hello); err == nil {
		t.Error("another user's folder is written to")
	}
	// Root writes to root's own folder, but not to a third user's folder within it.
	roots := folder(t, dir, "root", 0, 0, 0o755)
	folder(t, roots, "another", mallory, mallory, 0o755)
	if err := outfile.WriteInFolders(roots, []string{"b", "r"}, owner, hello); err != nil {
		t.Error(err)
	}
	if uid, _, _ := ownerOf(t, filepath.Join(roots, "b", "r")); uid != alice {
		t.Errorf("the file belongs to %d", uid)
	}
	if err := outfile.WriteInFolders(roots, []string{"another", "r"}, owner, hello); err == nil {
		t.Error("another user's folder in root's is written to")
	}
}
