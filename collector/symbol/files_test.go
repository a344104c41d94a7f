package symbol

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// openFiles counts this process's open files with one base name.
func openFiles(t *testing.T, name string) int {
	t.Helper()
	list, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range list {
		if path, err := os.Readlink(fd); err == nil && filepath.Base(path) == name {
			n++
		}
	}
	return n
}

// A file that two processes have mapped is held once, and freed with the store.
func TestFilesAreShared(t *testing.T) {
	bpftest.Require(t)
	program := compile(t, "-static", "-no-pie")
	one, two := start(t, nil, program), start(t, nil, program)
	files := NewFiles()
	p, q := files.ReadMaps(one.pid(), 0), files.ReadMaps(two.pid(), 0)
	if len(files.known) != 2 || openFiles(t, "sleeper") != 1 { // the program and the vdso
		t.Errorf("%d files are known, %d open", len(files.known), openFiles(t, "sleeper"))
	}
	wantNames(t, p, one, "sleeper", "main")
	used := files.used
	wantNames(t, q, two, "sleeper", "main")
	if used == 0 || files.used != used || openFiles(t, "sleeper") != 0 {
		t.Errorf("%d bytes, then %d; %d files open", used, files.used, openFiles(t, "sleeper"))
	}
	p.Close()
	wantReason(t, p, one.addresses["main"], Ended)
	wantNames(t, q, two, "sleeper", "main")
	q.Close()
	again := files.ReadMaps(one.pid(), 0)
	wantNames(t, again, one, "sleeper", "main") // without reading the file again
	if files.used != used {
		t.Errorf("%d bytes, want %d", files.used, used)
	}
	files.Close()
	if files.used != 0 || len(files.known) != 0 {
		t.Errorf("%d bytes and %d files remain", files.used, len(files.known))
	}
	wantReason(t, again, one.addresses["main"], Unreadable)
	again.Close()
}

// What nobody asked for is closed with the process.
func TestUnreadFilesAreClosed(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	files := NewFiles()
	defer files.Close()
	p := files.ReadMaps(s.pid(), 0)
	if openFiles(t, "sleeper") != 1 {
		t.Error("the file is not open")
	}
	p.Close()
	if n := openFiles(t, "sleeper"); n != 0 || len(files.unread) != 0 || len(files.known) != 0 {
		t.Errorf("%d files are open, %d unread, %d known", n, len(files.unread), len(files.known))
	}
}

func TestFilesAreBounded(t *testing.T) {
	bpftest.Require(t)
	s, other := start(t, nil, compile(t, "-static")), start(t, nil, compile(t, "-static", "-O2"))
	t.Run("open", func(t *testing.T) {
		files := NewFiles()
		defer files.Close()
		files.limits.open = 1
		p, q := files.ReadMaps(s.pid(), 0), files.ReadMaps(other.pid(), 0)
		if n := openFiles(t, "sleeper"); n != 1 {
			t.Errorf("%d files are open", n)
		}
		wantNames(t, p, s, "sleeper", "main")
		wantNames(t, q, other, "sleeper", "main")
	})
	t.Run("idle", func(t *testing.T) {
		files := NewFiles()
		defer files.Close()
		files.limits.idle = 1
		for _, one := range []*sleeper{s, other, s} {
			p := files.ReadMaps(one.pid(), 0)
			wantNames(t, p, one, "sleeper", "main")
			p.Close()
			if len(files.idle) > 1 || len(files.known) > 1 {
				t.Errorf("%d files are idle, %d known", len(files.idle), len(files.known))
			}
		}
	})
	t.Run("memory", func(t *testing.T) {
		files := NewFiles()
		defer files.Close()
		p := files.ReadMaps(s.pid(), 0)
		wantNames(t, p, s, "sleeper", "main")
		files.limits.memory = files.used * 5 / 4 // of two such files only one fits, and not even the other's names
		q := files.ReadMaps(other.pid(), 0)
		wantReason(t, q, other.addresses["main"], TooLarge)
		if files.used > files.limits.memory {
			t.Errorf("%d bytes", files.used)
		}
		p.Close()
		q.Close()
		again := files.ReadMaps(other.pid(), 0) // there is room, since nobody has the first any more
		wantNames(t, again, other, "sleeper", "main")
		again.Close()
	})
}

func TestFilesInParallel(t *testing.T) {
	bpftest.Require(t)
	s := start(t, nil, compile(t))
	files := NewFiles()
	defer files.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				p := files.ReadMaps(s.pid(), 0)
				if f := p.at(s.addresses["main"]); f.Function != "main" {
					t.Errorf("got %+v", f)
				}
				p.Close()
			}
		})
	}
	all.Wait()
}

const mapsText = `55fdd1c1d000-55fdd1c22000 r-xp 00002000 fe:01 247026                     /usr/bin/cat
55fdd1c22000-55fdd1c25000 r--p 00007000 fe:00 247026                     /usr/bin/cat
7f4511b41000-7f4511c97000 r-xp 00026000 103:00 326269                    /opt/a b/it's (deleted)
7f4511d00000-7f4511d01000 rwxp 00000000 00:00 0
7f4511d0f000-7f4511d11000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`

func TestScanMaps(t *testing.T) {
	list, err := scanMaps(strings.NewReader(mapsText))
	if err != nil || len(list) != 5 {
		t.Fatalf("%d mappings, %v", len(list), err)
	}
	got := ""
	for _, m := range list {
		got += fmt.Sprintf("%x-%x %x %x %d %s %t %t\n", m.start, m.end, m.offset, m.device, m.inode, m.module(),
			m.isFile(), m.isGenerated())
	}
	want := `55fdd1c1d000-55fdd1c22000 2000 fe01 247026 cat true false
7f4511b41000-7f4511c97000 26000 10300 326269 it's true false
7f4511d00000-7f4511d01000 0 0 0 [anon] false true
7f4511d0f000-7f4511d11000 0 0 0 [vdso] false false
ffffffffff600000-ffffffffff601000 0 0 0 [vsyscall] false false
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func FuzzMapping(f *testing.F) {
	for line := range strings.Lines(mapsText) {
		f.Add([]byte(strings.TrimSpace(line)))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if m, ok := parseMapping(line); ok && (m.end <= m.start || len(m.module()) > longestShown) {
			t.Errorf("%+v", m)
		}
	})
}

func FuzzGenerated(f *testing.F) {
	f.Add([]byte("7f0000001000 20 JS:*cart file.js:1\n"), uint64(0x7f0000001000))
	f.Add([]byte("0xffffffffffffffff ff x"), uint64(1))
	f.Fuzz(func(t *testing.T, line []byte, address uint64) {
		g, ok := parseGenerated(line)
		if !ok {
			return
		}
		p := perfMap{list: []generated{g}}
		name, found := p.lookUp(address)
		if inside := address >= g.start && address < g.end; found != inside || len(name) > longestShown {
			t.Errorf("%+v at %#x: %q %t", g, address, name, found)
		}
	})
}

// Mappings that a process makes or ends later are added, and the earlier ones stay.
func TestMerge(t *testing.T) {
	p := &Process{files: NewFiles()}
	p.merge([]mapping{{start: 10, end: 20}, {start: 30, end: 40}, {start: 50, end: 60, offset: 1}})
	p.merge([]mapping{{start: 15, end: 35}, {start: 50, end: 60, offset: 2}, {start: 70, end: 80}})
	p.merge([]mapping{{start: 1, end: 2}, {start: 70, end: 80}})
	got := ""
	for _, m := range p.maps {
		got += fmt.Sprintf("%d-%d@%d ", m.start, m.end, m.offset)
	}
	if want := "1-2@0 15-35@0 50-60@2 70-80@0 "; got != want {
		t.Errorf("got %s", got)
	}
}

func TestReasonsHaveWords(t *testing.T) {
	for r := Named; int(r) < len(reasons); r++ {
		if (r.String() == "") != (r == Named) {
			t.Errorf("%d: %q", r, r)
		}
	}
	if len(reasons) != int(NotKernel)+1 || Reason(200).String() == "" {
		t.Error("a reason has no words")
	}
}

// Mappings are those of the program that was asked for, though the process executes another by now.
func TestMappingsOfOneExecution(t *testing.T) {
	bpftest.Require(t)
	s := launch(t, nil, "/bin/sh", "-c", "echo; read line; exec cat")
	echo := func() execution {
		t.Helper()
		if _, err := s.out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		e, err := readExecution(int(s.pid()))
		if err != nil || e.stack == 0 {
			t.Fatalf("%+v: %v", e, err)
		}
		return e
	}
	files := NewFiles()
	defer files.Close()
	before := echo()
	shell := files.ReadMaps(s.pid(), before.stack)
	defer shell.Close()
	if _, err := io.WriteString(s.input, "\n\n"); err != nil {
		t.Fatal(err)
	}
	after := echo()
	if before == after {
		t.Fatalf("two programs have the same execution, %+v", after)
	}
	late := files.ReadMaps(s.pid(), before.stack)
	defer late.Close()
	cat := files.ReadMaps(s.pid(), after.stack)
	defer cat.Close()
	i := slices.IndexFunc(cat.maps, func(m mapping) bool { return m.module() == "cat" })
	if i < 0 || cat.reason != Named {
		t.Fatalf("no mapping is cat's: %+v", cat.maps)
	}
	time.Sleep(rereadFirst)
	address := cat.maps[i].start
	wantReason(t, late, address, Executed)
	wantReason(t, shell, address, NoMapping)
}
