package symbol

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"time"

	"github.com/slicetrace/slicetrace/report/sched"
)

const (
	mostMemoryImage = 64 << 10              // of the vdso
	rereadAfter     = 20 * time.Millisecond // mappings are read again at most that often in the long run
	rereadFirst     = time.Millisecond      // and that long after the first time: a program maps its libraries first
)

// Process is what a process had mapped. It can be asked after the process ended.
type Process struct {
	files  *Files
	pid    int
	status status
	maps   []mapping // by address
	reason Reason    // why there are none
	read   time.Time
	keep   time.Duration // for how long after read they are not read again
	perf   perfMap
}

// ReadMaps notes what a process has mapped now and opens the files, without reading them. Call
// it when the process is first seen, and again after it executed another program: addresses of
// the two mean different things. start is where the stack of the program starts, by which the two are told apart
// (start_stack of the kernel's mm_struct; 0: whatever it executes now). Close the Process when its stacks are named.
func (s *Files) ReadMaps(pid sched.PID, start uint64) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &Process{files: s, pid: int(pid), keep: rereadFirst}
	var err error
	if p.status, err = readStatus(p.pid); err != nil {
		p.reason = Ended
		return p
	}
	if start != 0 && p.status.stack != 0 && p.status.stack != start {
		p.reason = Executed
		return p
	}
	if p.reason = p.readMaps(); p.reason == Named {
		p.perf.open(p.pid, p.status)
	}
	return p
}

// Close ends the use of the files.
func (p *Process) Close() {
	p.files.mu.Lock()
	defer p.files.mu.Unlock()
	for _, m := range p.maps {
		if m.file != nil {
			p.files.release(m.file)
		}
	}
	p.maps, p.reason = nil, Ended
	p.perf.close()
}

// readMaps adds the mappings of now to those that are known: stacks taken before a library was
// unloaded need its mapping.
func (p *Process) readMaps() Reason {
	p.read = time.Now()
	text, err := os.Open(fmt.Sprintf("/proc/%d/maps", p.pid))
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return Unreadable
		}
		return Ended
	}
	defer text.Close()
	list, err := scanMaps(text)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return Unreadable
	case len(list) == 0: // a process that is ending has no memory any more
		return Ended
	}
	// Meanwhile it may have ended, with its number another process's now, or have executed another program.
	switch now, err := readExecution(p.pid); {
	case err != nil || now.started != p.status.started:
		return Ended
	case now != p.status.execution:
		return Executed
	}
	p.merge(list)
	return Named
}

// merge takes the mappings of now, and keeps of the earlier ones those whose addresses are free.
func (p *Process) merge(now []mapping) {
	for i := range now {
		m := &now[i]
		if old := p.known(m.start); old != nil && old.same(m) {
			m.file, m.reason = old.file, old.reason
			old.file = nil
		} else {
			p.attach(m)
		}
	}
	kept := now
	for _, old := range p.maps {
		i := search(now, old.start)
		switch free := i == len(now) || now[i].start >= old.end; {
		case free && len(kept) < mostMappings:
			kept = append(kept, old)
		case old.file != nil:
			p.files.release(old.file)
		}
	}
	slices.SortFunc(kept, func(a, b mapping) int { return cmp.Compare(a.start, b.start) })
	p.maps = kept
}

// attach finds the file of a mapping.
func (p *Process) attach(m *mapping) {
	switch {
	case m.path == "[vdso]":
		image, err := readMemory(p.pid, m.start, min(m.end-m.start, mostMemoryImage))
		if err != nil {
			m.reason = Unreadable
			return
		}
		m.file = p.files.add(fileID{memory: string(image)}, nil)
	case m.isFile():
		f, err := openMapped(p.pid, m)
		if err != nil {
			m.reason = reasonOf(err)
			return
		}
		id, err := idOf(f)
		if err != nil {
			f.Close()
			m.reason = Unreadable
			return
		}
		m.file = p.files.add(id, f)
	default:
		m.reason = Stripped
	}
}

// readMemory reads memory of a process.
func readMemory(pid int, start, n uint64) ([]byte, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, int64(start), int64(n)))
}

// Frames returns the frames of a user stack, innermost first; inlined calls are frames of their
// own. The first address is where the task stood, the others are where calls return to: what they
// name is the call before.
func (p *Process) Frames(stack []uint64) []Frame {
	p.files.mu.Lock()
	defer p.files.mu.Unlock()
	frames := make([]Frame, 0, len(stack))
	for i, address := range stack {
		frames = p.frames(frames, address, i > 0)
	}
	return frames
}

// frames adds the frames of an address.
func (p *Process) frames(to []Frame, address uint64, isReturn bool) []Frame {
	frame := Frame{Address: address}
	m := p.mapping(address)
	if m == nil {
		if frame.Reason = p.reason; p.reason == Named {
			frame.Reason = NoMapping
		}
		return append(to, frame)
	}
	frame.Module = m.module()
	if m.file == nil {
		return append(to, p.generated(frame, m, m.reason))
	}
	image := p.files.read(m.file)
	called := address
	if isReturn {
		called--
	}
	to = image.at(to, frame, m, called)
	if last := &to[len(to)-1]; last.Reason != Named {
		if isReturn { // a signal handler returns to the start of a function that nobody called
			if again := image.at(to[:len(to)-1], frame, m, address); again[len(again)-1].Reason == Named {
				return again
			}
			to[len(to)-1] = *last
		}
		*last = p.generated(*last, m, last.Reason)
	}
	return to
}

// at adds the frames of an address of a process.
func (i *image) at(to []Frame, like Frame, m *mapping, address uint64) []Frame {
	if address < m.start {
		address = m.start
	}
	linked, ok := i.address(address - m.start + m.offset)
	if !ok {
		like.Reason = NoSymbol
		if len(i.segments) == 0 {
			like.Reason = i.reason
		}
		return append(to, like)
	}
	return i.frames(to, like, linked)
}

// generated names code that the process wrote itself, from its perf map. Other frames keep their reason.
func (p *Process) generated(frame Frame, m *mapping, reason Reason) Frame {
	if frame.Reason = reason; !m.isGenerated() {
		return frame
	}
	frame.Function, frame.Reason = p.perf.find(frame.Address)
	return frame
}

// mapping returns the mapping of an address. Mappings are read again if it is new and the
// process still lives.
func (p *Process) mapping(address uint64) *mapping {
	if m := p.known(address); m != nil || p.reason != Named || time.Since(p.read) < p.keep {
		return m
	}
	p.read, p.keep = time.Now(), min(2*p.keep, rereadAfter)
	p.readMaps() // none if it ended: the number can be another process's by now
	return p.known(address)
}

// search returns the index of the first mapping that ends above an address.
func search(maps []mapping, address uint64) int {
	return sort.Search(len(maps), func(i int) bool { return maps[i].end > address })
}

func (p *Process) known(address uint64) *mapping {
	i := search(p.maps, address)
	if i == len(p.maps) || address < p.maps[i].start {
		return nil
	}
	return &p.maps[i]
}
