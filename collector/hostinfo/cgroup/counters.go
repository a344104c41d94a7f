package cgroup

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Counters are what the kernel counts for a group and its descendants since the group was made.
// What the kernel does not count, or no longer since the group is gone, is nil.
type Counters struct {
	// Stat has the CPU time, and how the group's own quota held it back, summed over cores. Usage
	// is nil in version 1 unless cpuacct shares the hierarchy. Periods, Throttled and ThrottledTime
	// are nil in a group of version 2 without the CPU controller, and in the topmost group.
	Stat
	// Held is for how long the quota of the group or of one above it kept its tasks from running,
	// summed over the cores where it had tasks to run: since Linux 6.6, with the CPU controller.
	Held *time.Duration
	// Some is for how long, by the clock, at least one task waited for a core, and Full for how
	// long no task ran while some waited. These count waiting and throttling alike. Both are nil
	// in version 1 and in a kernel without pressure stall information. Full is also nil for the
	// topmost group of the hierarchy, where the kernel does not count it.
	Some, Full *time.Duration
}

// files are those of a group that stay open.
type files struct {
	stat, held, usage, pressure int // -1 if there is none
	read                        time.Time
}

func (f *files) all() []int { return []int{f.stat, f.held, f.usage, f.pressure} }

func (f *files) count() int {
	n := 0
	for _, fd := range f.all() {
		if fd >= 0 {
			n++
		}
	}
	return n
}

func (f *files) close() {
	for _, fd := range f.all() {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Counters reads the counters of one group. Those of a group that is gone or not visible are all
// nil. It reads two or three files, which stay open within the bound of Options.MaxOpen.
func (r *Resolver) Counters(id uint64) Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.find(id)
	if e.State != Present && e.State != Outside {
		return Counters{}
	}
	f := e.files
	if f == nil {
		dir, err := r.openDir(e)
		if err != nil {
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE) {
				r.gone(e)
			}
			return Counters{}
		}
		f = r.openFiles(dir)
		unix.Close(dir)
		if !r.keep(e, f) {
			defer f.close()
		}
	}
	f.read = r.now()
	c, removed := r.readFiles(f, id)
	if removed {
		r.gone(e)
	}
	return c
}

func (r *Resolver) openFiles(dir int) *files {
	open := func(name string, wanted bool) int {
		if !wanted {
			return -1
		}
		fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err != nil {
			return -1
		}
		return fd
	}
	v1 := r.hierarchy.Version == 1
	return &files{
		stat: open("cpu.stat", true), held: open("cpu.stat.local", true),
		usage: open("cpuacct.usage", v1 && r.accounted), pressure: open("cpu.pressure", !v1),
	}
}

// keep lets a group's files stay open, and reports whether there is room for them. Those that
// were not read for a minute make room.
func (r *Resolver) keep(e *entry, f *files) bool {
	n, now := f.count(), r.now()
	if r.open+n > r.maxOpen && now.Sub(r.swept) >= time.Second {
		r.swept = now
		for _, other := range r.known {
			if other.files != nil && now.Sub(other.files.read) >= idleBefore {
				r.closeFiles(other)
			}
		}
	}
	if r.open+n > r.maxOpen {
		return false
	}
	e.files = f
	r.open += n
	return true
}

func (r *Resolver) closeFiles(e *entry) {
	if e.files == nil {
		return
	}
	r.open -= e.files.count()
	e.files.close()
	e.files = nil
}

// readFiles also reports whether the group was removed after its files were opened.
func (r *Resolver) readFiles(f *files, id uint64) (c Counters, removed bool) {
	text, err := readAt(f.stat)
	if errors.Is(err, unix.ENODEV) {
		return Counters{}, true
	}
	c.Stat = ParseStat(text)
	if text, err := readAt(f.held); err == nil {
		c.Held = ParseStat(text).ThrottledTime
	}
	if text, err := readAt(f.usage); err == nil {
		c.Usage = parseNS(text)
	}
	if text, err := readAt(f.pressure); err == nil {
		c.Some, c.Full = ParsePressure(text)
	}
	var top unix.Stat_t
	if r.hierarchy.Whole && unix.Fstat(r.mount, &top) == nil && top.Ino == id {
		// Linux shows zeros for the whole machine.
		c.Full, c.Held, c.Periods, c.Throttled, c.ThrottledTime = nil, nil, nil, nil, nil
	}
	return c, false
}

// readAt reads a file of a few lines from its beginning.
func readAt(fd int) (string, error) {
	if fd < 0 {
		return "", unix.ENOENT
	}
	var buffer [4096]byte
	for {
		n, err := unix.Pread(fd, buffer[:], 0)
		if err == unix.EINTR {
			continue
		}
		return string(buffer[:max(n, 0)]), err
	}
}
