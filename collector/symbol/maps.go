package symbol

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	mostMappings = 1 << 16 // executable ones kept of a process
	longestLine  = 8 << 10 // of the files that are read line by line: a path has at most 4096 bytes
)

// mapping is a range of executable addresses of a process.
type mapping struct {
	start, end, offset uint64
	device, inode      uint64
	path               string // as the kernel prints it

	file   *file  // nil if there is none
	reason Reason // why there is none
}

// same reports whether two mappings show the same part of the same file at the same place.
func (m *mapping) same(other *mapping) bool {
	return m.start == other.start && m.end == other.end && m.offset == other.offset && m.device == other.device &&
		m.inode == other.inode && m.path == other.path
}

// deleted is what the kernel appends to the path of a file that was removed.
const deleted = " (deleted)"

// isFile reports whether a file is mapped, and not memory.
func (m *mapping) isFile() bool { return m.inode != 0 && strings.HasPrefix(m.path, "/") }

// isGenerated reports whether what is mapped can be code that the process wrote itself. Runtimes
// write it through a file in memory when they map it twice.
func (m *mapping) isGenerated() bool {
	switch {
	case m.path == "", m.path == "[heap]", strings.HasPrefix(m.path, "[anon"), strings.HasPrefix(m.path, "[stack"):
		return true
	case !m.isFile():
		return strings.HasPrefix(m.path, "//anon")
	}
	return strings.HasPrefix(m.path, "/memfd:") || strings.HasPrefix(m.path, "/dev/zero") ||
		strings.HasPrefix(m.path, "/SYSV") || strings.HasPrefix(m.path, "/anon_hugepage")
}

// module returns the name of what is mapped.
func (m *mapping) module() string {
	name := strings.TrimSuffix(m.path, deleted)
	if m.path == "" {
		return "[anon]"
	}
	if m.isFile() {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	return shorten(name)
}

// scanMaps reads the executable mappings from the text of /proc/PID/maps.
func scanMaps(r io.Reader) ([]mapping, error) {
	var list []mapping
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 4*longestLine) // bytes of a path can be escaped, as four each
	for scan.Scan() && len(list) < mostMappings {
		if m, ok := parseMapping(scan.Bytes()); ok {
			list = append(list, m)
		}
	}
	return list, scan.Err()
}

// parseMapping reads a line "start-end perms offset major:minor inode path". It is false for
// mappings that are not executable.
func parseMapping(line []byte) (m mapping, ok bool) {
	next := func(end byte) string {
		field, rest, _ := bytes.Cut(line, []byte{end})
		line = rest
		return string(field)
	}
	ok = true
	number := func(text string, base int) uint64 {
		n, err := strconv.ParseUint(text, base, 64)
		ok = ok && err == nil
		return n
	}
	m.start, m.end = number(next('-'), 16), number(next(' '), 16)
	permissions := next(' ')
	m.offset = number(next(' '), 16)
	major, minor := number(next(':'), 16), number(next(' '), 16)
	m.inode = number(next(' '), 10)
	m.device = unix.Mkdev(uint32(major), uint32(minor))
	m.path = string(bytes.TrimLeft(line, " "))
	if !ok || len(permissions) != 4 || permissions[2] != 'x' || m.end <= m.start {
		return mapping{}, false
	}
	return m, true
}
