package symbol

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// limits bound what Files holds.
type limits struct {
	memory int64 // bytes of tables
	open   int   // files that were opened and not read yet
	idle   int   // files that no process has mapped any more
}

var defaultLimits = limits{memory: 1 << 30, open: 256, idle: 256}

// Files holds the tables of files that processes have mapped, each once. It and its processes may
// be used by several goroutines.
type Files struct {
	mu     sync.Mutex
	limits limits
	used   int64 // memory
	known  map[fileID]*file
	unread []*file // open, in the order in which they were opened
	idle   []*file // without users, the longest first
}

// fileID is what tells a file from others. The time of change tells a file from an earlier one
// that had the same inode.
type fileID struct {
	device, inode uint64
	size          int64
	changed       int64
	memory        string // the content, of what is no file
}

// file is a file that processes have mapped. It is read when an address in it is looked up.
type file struct {
	id     fileID
	users  int
	open   *os.File // nil once it was read
	image  *image
	memory int64
}

// NewFiles returns an empty store.
func NewFiles() *Files { return &Files{limits: defaultLimits, known: map[fileID]*file{}} }

// Close frees everything. Processes of these files name nothing afterwards.
func (s *Files) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.known {
		s.forget(f)
	}
	s.unread, s.idle = nil, nil
}

// forget frees a file. Processes that still hold it find no names.
func (s *Files) forget(f *file) {
	delete(s.known, f.id)
	if f.open != nil {
		f.open.Close()
		f.open = nil
		s.unread = without(s.unread, f)
	}
	s.used -= f.memory
	f.memory, f.image = 0, &image{reason: Unreadable}
}

func without(list []*file, f *file) []*file {
	for i := range list {
		if list[i] == f {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// add counts a further user of a file. It owns the open file from then on, which is nil for an
// image in memory.
func (s *Files) add(id fileID, open *os.File) *file {
	f := s.known[id]
	if f == nil {
		f = &file{id: id, open: open}
		s.known[id] = f
		if open != nil {
			s.unread = append(s.unread, f)
		}
	} else if open != nil {
		open.Close()
	}
	if f.users++; f.users == 1 {
		s.idle = without(s.idle, f)
	}
	for len(s.unread) > s.limits.open {
		s.read(s.unread[0])
	}
	return f
}

// release ends one use of a file.
func (s *Files) release(f *file) {
	if f.users--; f.users > 0 || s.known[f.id] != f {
		return
	}
	// Nobody asked for it, and an open file keeps a file system busy; or it had nothing to keep.
	if f.image == nil || f.memory == 0 {
		s.forget(f)
		return
	}
	if s.idle = append(s.idle, f); len(s.idle) > s.limits.idle {
		s.forgetIdle()
	}
}

// forgetIdle frees the file that has been without users for the longest time.
func (s *Files) forgetIdle() {
	f := s.idle[0]
	s.idle = s.idle[1:]
	s.forget(f)
}

// read returns the tables of a file.
func (s *Files) read(f *file) *image {
	if f.image != nil {
		return f.image
	}
	for {
		memory := &budget{left: s.limits.memory - s.used}
		left := memory.left
		if f.open != nil {
			f.image = readImage(f.open, memory)
		} else {
			f.image = readImage(bytes.NewReader([]byte(f.id.memory)), memory)
		}
		f.memory = left - memory.left
		if f.image.reason != TooLarge && !f.image.short || len(s.idle) == 0 {
			break
		}
		s.forgetIdle()
	}
	if f.image.reason == TooLarge && len(f.image.tables) == 0 && f.image.golang == nil {
		f.memory, f.image.callFrames = 0, nil // what was read before it was too much is not kept
	}
	s.used += f.memory
	if f.open != nil {
		f.open.Close()
		f.open = nil
		s.unread = without(s.unread, f)
	}
	return f.image
}

// idOf returns the identity of an open file.
func idOf(f *os.File) (fileID, error) {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return fileID{}, err
	}
	return fileID{device: s.Dev, inode: s.Ino, size: s.Size, changed: s.Ctim.Nano()}, nil
}
