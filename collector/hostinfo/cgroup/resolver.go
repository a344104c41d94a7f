package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Options says how a Resolver works. The zero value is meant for the groups of the whole machine.
type Options struct {
	// Version chooses the hierarchy that the ids are of: 1 for that of the version 1 CPU
	// controller, 2 for version 2, and 0 for version 1 if it has the CPU controller, else 2.
	Version int
	// MaxOpen bounds the files that stay open between calls of Counters; 0 means 512, and a
	// negative number none.
	MaxOpen int
}

// Hierarchy is the one that a Resolver uses.
type Hierarchy struct {
	// Version is 1 (the CPU controller's hierarchy) or 2.
	Version int
	Mount   Mount
	// Whole says that all groups are visible: the mount shows the hierarchy's topmost group, as
	// it does on the host, and mostly not in a container.
	Whole bool
	// ByHandle says that a group can be opened by its id, which needs CAP_DAC_READ_SEARCH, and
	// also reaches groups that are not visible. Otherwise, the hierarchy is searched.
	ByHandle bool
}

// String describes the hierarchy for a person.
func (h Hierarchy) String() string {
	text := "cgroup version 2 at "
	if h.Version == 1 {
		text = "cgroup version 1, controller cpu, at "
	}
	text += bounded(h.Mount.Dir, mostPath)
	if !h.Whole {
		text += ", of which a part is visible"
	}
	return text
}

const (
	mostPath   = 4096    // PATH_MAX
	mostKnown  = 1 << 16 // groups that are remembered
	walkEvery  = time.Second
	nameTries  = 6 // a second, two, four ... after a container was first seen
	idleBefore = time.Minute
)

// Resolver finds groups by id and reads their counters. It may be used from several goroutines.
type Resolver struct {
	mu        sync.Mutex
	hierarchy Hierarchy
	accounted bool   // version 1 counts CPU time in the same hierarchy
	dir       string // where the hierarchy is mounted
	mount     int    // a descriptor of dir
	known     map[uint64]*entry
	walked    walk
	names     names
	now       func() time.Time
	// open is the number of descriptors in entries, of at most maxOpen; they were last searched
	// for idle ones at swept.
	open, maxOpen int
	swept         time.Time
}

// entry is what is known of a group.
type entry struct {
	Group
	raw   string // Path as the kernel has it
	asked time.Time
	// tries is how often a name was looked for, and next when to do it again.
	tries int
	next  time.Time
	files *files
}

// NewResolver looks for the hierarchy. It fails if that is not mounted or cannot be opened.
func NewResolver(o Options) (*Resolver, error) { return newResolver(o, "", time.Now) }

// newResolver has a directory in place of /, for a tree of files that stands for a machine.
func newResolver(o Options, root string, now func() time.Time) (*Resolver, error) {
	text, err := os.ReadFile(root + "/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find control groups: %w", err)
	}
	mounts := ParseMounts(string(text))
	h := Hierarchy{Version: 2, Mount: mounts.V2}
	if o.Version == 1 || o.Version == 0 && mounts.V1.Dir != "" {
		h = Hierarchy{Version: 1, Mount: mounts.V1}
	}
	switch {
	case o.Version < 0 || o.Version > 2:
		return nil, fmt.Errorf("there is no cgroup version %d, only 1 and 2", o.Version)
	case h.Mount.Dir == "" && o.Version == 1:
		return nil, errors.New("cgroup version 1 with the controller cpu is not mounted")
	case h.Mount.Dir == "":
		return nil, errors.New("cgroup version 2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup")
	}
	r := &Resolver{
		accounted: mounts.Accounted, dir: filepath.Join(root, h.Mount.Dir), known: make(map[uint64]*entry),
		names: names{root: root}, now: now, maxOpen: o.MaxOpen,
	}
	if r.maxOpen == 0 {
		r.maxOpen = 512
	}
	r.mount, err = unix.Open(r.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open control groups: %w", &os.PathError{Op: "open", Path: r.dir, Err: err})
	}
	h.Whole, h.ByHandle = probe(r.mount, h.Mount)
	r.hierarchy = h
	r.names.refresh(now())
	return r, nil
}

// Close closes all files. The Resolver cannot be used any more.
func (r *Resolver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.known {
		r.closeFiles(e)
	}
	return unix.Close(r.mount)
}

// OfTask returns the id of a task's group. It is not known if the task has ended, or its group is not visible.
func (r *Resolver) OfTask(tid int) (id uint64, known bool) {
	text, err := os.ReadFile(fmt.Sprintf("%s/proc/%d/cgroup", r.names.root, tid))
	if err != nil {
		return 0, false
	}
	top := strings.TrimSuffix(r.hierarchy.Mount.Root, "/")
	below, visible := strings.CutPrefix(PathIn(string(text), r.hierarchy.Version), top)
	if !visible || !strings.HasPrefix(below, "/") && below != "" || slices.Contains(components(below), "..") {
		return 0, false
	}
	var found unix.Stat_t
	if err := unix.Fstatat(r.mount, "."+below, &found, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, false
	}
	return found.Ino, true
}

// Hierarchy returns the hierarchy that the ids are of.
func (r *Resolver) Hierarchy() Hierarchy { return r.hierarchy }

// Group returns the group with an id. A group that was removed keeps the name that it had. The
// State is as of the last look: Counters, Match and the search for a new id find out what is gone.
func (r *Resolver) Group(id uint64) Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(id).Group
}

func (r *Resolver) find(id uint64) *entry {
	now := r.now()
	e := r.known[id]
	if e == nil {
		e = &entry{Group: Group{ID: id}, asked: now}
		r.forget()
		r.known[id] = e
		r.locate(e)
	}
	if e.State == Pending {
		r.search(e)
	}
	e.asked = now
	if e.tries < nameTries && !now.Before(e.next) && e.State != Gone {
		switch {
		case e.Path == "" && e.State == Outside:
			r.locate(e)
		case !e.named():
			r.describe(e)
		}
	}
	if e.Path == "" {
		e.Name = label(id, e.State)
	}
	return e
}

// locate opens a new group by its id, if that is allowed and the group was not found already.
func (r *Resolver) locate(e *entry) {
	if _, found := r.walked.paths[e.ID]; !r.hierarchy.ByHandle || found && r.walkIsFresh(e.asked) {
		return
	}
	raw, state := r.pathByHandle(e.ID)
	if e.State = state; raw != "" {
		e.raw = raw
		r.describe(e)
		return
	}
	r.later(e)
}

// search looks for a group in the hierarchy. All that are asked for meanwhile wait for the next
// search.
func (r *Resolver) search(e *entry) {
	r.walkIfDue()
	raw, found := r.walked.paths[e.ID]
	switch {
	case e.State != Pending: // walk has described it
	case found:
		e.State, e.raw = Present, raw
		r.describe(e)
	case r.walked.began.Before(e.asked): // it may be new
	case r.walked.complete && r.hierarchy.Whole:
		e.State = Gone
	default:
		e.State = Hidden
	}
}

// describe names a group. A name that cannot be found yet is looked for again later, since the
// files that have it are written after the group was made.
func (r *Resolver) describe(e *entry) {
	above := r.hierarchy.Mount.Root
	if e.State == Outside {
		above = ""
	}
	e.describe(e.raw, above, &r.names)
	now := r.now()
	if !e.named() && now.Sub(r.names.read) >= time.Second {
		r.names.refresh(now)
		e.describe(e.raw, above, &r.names)
	}
	r.later(e)
}

// later puts the next search for a name off, each time for longer.
func (r *Resolver) later(e *entry) {
	e.next = r.now().Add(time.Second << e.tries)
	e.tries++
}

// forget makes room for a new group if too many are known: the half that was not asked for
// longest goes.
func (r *Resolver) forget() {
	if len(r.known) < mostKnown {
		return
	}
	all := make([]*entry, 0, len(r.known))
	for _, e := range r.known {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return a.asked.Compare(b.asked) })
	for _, e := range all[:len(all)/2] {
		r.closeFiles(e)
		delete(r.known, e.ID)
	}
}

// gone notes that a group was removed.
func (r *Resolver) gone(e *entry) {
	r.closeFiles(e)
	e.State = Gone
	if e.Path == "" {
		e.Name = label(e.ID, Gone)
	}
}
