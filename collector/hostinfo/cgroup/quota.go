package cgroup

import (
	"path"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Quota is a limit of CPU time: Time of one core in each Period.
type Quota struct {
	// Group has the limit: the one that was asked for, or one above it.
	Group        Group
	Time, Period time.Duration
}

// Parents returns the groups above one, the nearest first, up to the topmost that is visible here;
// Hierarchy.Whole says whether there are more. It returns nil for the topmost group, and for one
// that is not visible.
func (r *Resolver) Parents(id uint64) []Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	var parents []Group
	for _, e := range r.parents(r.find(id)) {
		parents = append(parents, e.Group)
	}
	return parents
}

// Owner returns the group at the path Group.Owner: that of the unit, pod or container that a group
// belongs to, whose Counters include those of all its parts. It is the group itself if the owner
// cannot be found.
func (r *Resolver) Owner(id uint64) Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.find(id)
	if e.Owner != e.Path {
		for _, parent := range r.parents(e) {
			if parent.Path == e.Owner {
				return parent.Group
			}
		}
	}
	return e.Group
}

func (r *Resolver) parents(e *entry) []*entry {
	if e.State == Outside {
		return nil
	}
	var parents []*entry
	for name := e.raw; name != "/" && name != ""; {
		name = path.Dir(name)
		var dir unix.Stat_t
		if unix.Lstat(filepath.Join(r.dir, name), &dir) == nil {
			parents = append(parents, r.find(dir.Ino))
		}
	}
	return parents
}

// Quota returns the limit of a group or, if it has none, of the nearest group above it that has
// one. A group further up can have a tighter limit: all of them count. It is false if no visible
// group has one, or if the group is gone.
func (r *Resolver) Quota(id uint64) (Quota, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.find(id)
	if e.State != Present && e.State != Outside {
		return Quota{}, false
	}
	for _, level := range append([]*entry{e}, r.parents(e)...) {
		if q, ok := r.ownQuota(level); ok {
			return q, true
		}
	}
	return Quota{}, false
}

func (r *Resolver) ownQuota(e *entry) (Quota, bool) {
	dir, err := r.openDir(e)
	if err != nil {
		return Quota{}, false
	}
	defer unix.Close(dir)
	quota, period := ReadLimit(r.hierarchy.Version == 2, func(file string) string {
		fd, err := unix.Openat(dir, file, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err != nil {
			return ""
		}
		defer unix.Close(fd)
		text, _ := readAt(fd)
		return text
	})
	return Quota{Group: e.Group, Time: quota, Period: period}, quota > 0
}
