package cgroup

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// walk is a search of the whole hierarchy.
type walk struct {
	began time.Time
	took  time.Duration
	// paths are those of all groups that were found, by id.
	paths map[uint64]string
	// complete says that no directory was unreadable, and that the bounds were not reached.
	complete bool
}

const mostWalked = 1 << 17

// walkIfDue searches the hierarchy unless it did so within the last second, or within the time
// in which that search is 5 % of a core's time.
func (r *Resolver) walkIfDue() {
	if now := r.now(); !r.walkIsFresh(now) {
		r.walk(now)
	}
}

func (r *Resolver) walkIsFresh(now time.Time) bool {
	return !r.walked.began.IsZero() && now.Sub(r.walked.began) < max(walkEvery, 20*r.walked.took)
}

// walk searches the hierarchy, and notes which known groups are gone.
func (r *Resolver) walk(now time.Time) {
	start := time.Now()
	w := walk{began: now, paths: make(map[uint64]string, len(r.walked.paths)), complete: true}
	var top unix.Stat_t
	if unix.Fstat(r.mount, &top) == nil {
		w.paths[top.Ino] = "/"
	}
	buffer := make([]byte, 1<<15)
	for open := []string{"/"}; len(open) > 0; {
		path := open[len(open)-1]
		open = open[:len(open)-1]
		err := eachGroup(filepath.Join(r.dir, path), buffer, func(id uint64, name string) {
			child := filepath.Join(path, name)
			if len(child) > mostPath || len(w.paths) >= mostWalked {
				w.complete = false
				return
			}
			w.paths[id] = child
			open = append(open, child)
		})
		if err != nil && err != unix.ENOENT { // or it was removed meanwhile
			w.complete = false
		}
	}
	w.took = time.Since(start)
	r.walked = w
	for id, e := range r.known {
		raw, found := w.paths[id]
		switch {
		case found && (raw != e.raw || e.State != Present): // version 1 can rename groups
			e.State, e.raw, e.tries = Present, raw, 0
			r.describe(e)
		case !found && w.complete && e.State == Present:
			r.gone(e)
		}
	}
}

// eachGroup calls found for each group right below a directory, with its number and its name.
func eachGroup(dir string, buffer []byte, found func(id uint64, name string)) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.ReadDirent(fd, buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return err
		}
		// struct linux_dirent64: u64 number, s64 offset, u16 length, u8 type, name
		for rest := buffer[:n]; len(rest) > 19; {
			length := int(binary.NativeEndian.Uint16(rest[16:]))
			if length < 19 || length > len(rest) {
				return unix.EIO
			}
			name, _, _ := bytes.Cut(rest[19:length], []byte{0})
			if rest[18] == unix.DT_DIR && string(name) != "." && string(name) != ".." {
				found(binary.NativeEndian.Uint64(rest), string(name))
			}
			rest = rest[length:]
		}
	}
}

// Match returns the groups that exist now, as of a second ago or, if the
// search takes long, a little more, and that the pattern means,
// in the order of their paths. It fails if no group can be seen. No match is no error.
func (r *Resolver) Match(p Pattern) ([]Group, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.walkIfDue()
	if len(r.walked.paths) == 0 {
		return nil, &unreadableError{r.hierarchy}
	}
	p = p.below(r.hierarchy.Mount.Dir)
	var matched []Group
	for id := range r.walked.paths {
		if e := r.find(id); e.State == Present && p.Match(e.Group) {
			matched = append(matched, e.Group)
		}
	}
	slices.SortFunc(matched, func(a, b Group) int { return cmpPaths(a.Path, b.Path) })
	return matched, nil
}

// Matches reports whether the pattern means the group with this id.
func (r *Resolver) Matches(p Pattern, id uint64) bool {
	return p.below(r.hierarchy.Mount.Dir).Match(r.Group(id))
}

type unreadableError struct{ Hierarchy }

func (e *unreadableError) Error() string { return "no control group can be seen: " + e.String() }

// cmpPaths puts a group right before those below it.
func cmpPaths(a, b string) int { return slices.Compare(components(a), components(b)) }
