package symbol

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	mostPerfMap   = 256 << 20 // bytes read of a perf map
	mostPerfNames = 64 << 20  // bytes of names kept
	mostGenerated = 1 << 20   // functions kept
	mostReplaced  = 64        // functions looked through for the newest one that holds an address
)

// perfMap is the file in which a runtime that generates code lists its functions. It grows while
// the process runs, and is read on when an address is not in it.
type perfMap struct {
	root, path string
	owner      uint32
	file       *os.File
	offset     int64
	list       []generated // by address once sorted
	names      int
	sorted     bool
}

// generated is a function that a runtime wrote.
type generated struct {
	start, end uint64
	order      int // later ones took the place of earlier ones
	name       string
}

// open opens the perf map of a process as its own namespaces see it, if there is one by now.
func (p *perfMap) open(pid int, s status) {
	if p.path = "/tmp/perf-" + s.inside + ".map"; p.root == "" {
		p.root, p.owner = fmt.Sprintf("/proc/%d/root", pid), s.user
		if sameRoot(p.root) {
			p.root = "/" // remains when the process ends
		}
	}
	p.reopen()
}

// sameRoot reports whether a process has our own root.
func sameRoot(root string) bool {
	var own, its unix.Stat_t
	return unix.Stat("/", &own) == nil && unix.Stat(root+"/", &its) == nil && own.Dev == its.Dev && own.Ino == its.Ino
}

// reopen opens the file. Only the process's user and root may give its code names.
func (p *perfMap) reopen() {
	f, err := openInRoot(p.root, p.path)
	if err != nil {
		return
	}
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil || s.Uid != p.owner && s.Uid != 0 {
		f.Close()
		return
	}
	p.file = f
}

func (p *perfMap) close() {
	if p.file != nil {
		p.file.Close()
	}
	*p = perfMap{}
}

// find returns the name of generated code, or why there is none.
func (p *perfMap) find(address uint64) (string, Reason) {
	name, ok := p.lookUp(address)
	if !ok && p.readOn() {
		name, ok = p.lookUp(address)
	}
	switch {
	case ok:
		return shownName(name), Named
	case p.file == nil:
		return "", NoPerfMap
	}
	return "", NotInMap
}

// lookUp returns the newest function that holds an address.
func (p *perfMap) lookUp(address uint64) (string, bool) {
	if !p.sorted {
		slices.SortStableFunc(p.list, func(a, b generated) int { return cmp.Compare(a.start, b.start) })
		p.sorted = true
	}
	end, _ := slices.BinarySearchFunc(p.list, address, func(g generated, a uint64) int {
		if g.start <= a {
			return -1
		}
		return 1
	})
	newest := generated{order: -1}
	for _, g := range p.list[max(0, end-mostReplaced):end] {
		if address < g.end && g.order > newest.order {
			newest = g
		}
	}
	return newest.name, newest.order >= 0 && newest.name != ""
}

// readOn reads what was appended since, and reports whether there was anything.
func (p *perfMap) readOn() bool {
	if p.file == nil && p.path != "" {
		p.reopen()
	}
	if p.file == nil {
		return false
	}
	info, err := p.file.Stat()
	if err != nil || info.Size() <= p.offset {
		return false
	}
	in := bufio.NewReaderSize(io.NewSectionReader(p.file, p.offset, mostPerfMap-p.offset), longestLine)
	before := len(p.list)
	for len(p.list) < mostGenerated && p.names < mostPerfNames {
		line, err := in.ReadSlice('\n')
		if err == io.EOF { // a line that is not complete yet is read the next time
			break
		}
		p.offset += int64(len(line))
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
		if g, ok := parseGenerated(line); ok {
			g.order = len(p.list)
			p.names += len(g.name)
			p.list = append(p.list, g)
		}
	}
	p.sorted = p.sorted && len(p.list) == before
	return len(p.list) > before
}

// parseGenerated reads a line "start size name", numbers in hexadecimal.
func parseGenerated(line []byte) (generated, bool) {
	start, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
	size, name, _ := bytes.Cut(rest, []byte(" "))
	number := func(text []byte) (uint64, error) {
		return strconv.ParseUint(string(bytes.TrimPrefix(text, []byte("0x"))), 16, 64)
	}
	from, err := number(start)
	if err != nil {
		return generated{}, false
	}
	n, err := number(size)
	if err != nil || n == 0 || from+n < from || len(name) == 0 {
		return generated{}, false
	}
	return generated{start: from, end: from + n, name: string(name[:min(len(name), longestShown)])}, true
}
