package symbol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// allocated returns how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// elfHeader returns a 64-bit header with these tables.
func elfHeader(segments, sections uint64, segmentCount, sectionCount, names uint16) []byte {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint64(h[32:], segments)
	binary.LittleEndian.PutUint64(h[40:], sections)
	for i, n := range []uint16{56, segmentCount, 64, sectionCount, names} {
		binary.LittleEndian.PutUint16(h[54+2*i:], n)
	}
	return h
}

// sectionRecord returns a section header.
func sectionRecord(kind uint32, offset, size, record uint64, link uint32) []byte {
	s := make([]byte, 64)
	binary.LittleEndian.PutUint32(s[4:], kind)
	binary.LittleEndian.PutUint64(s[8:], 4) // executable
	binary.LittleEndian.PutUint64(s[24:], offset)
	binary.LittleEndian.PutUint64(s[32:], size)
	binary.LittleEndian.PutUint32(s[40:], link)
	binary.LittleEndian.PutUint64(s[56:], record)
	return s
}

// A small file can state sizes and counts of anything, and a sparse one can even have them.
func TestHostileFiles(t *testing.T) {
	const far = 1 << 45
	symbols := func(size, record uint64, names uint32) []byte {
		return bytes.Join([][]byte{
			elfHeader(0, 64, 0, 3, 2),
			sectionRecord(0, 0, 0, 0, 0), sectionRecord(2, 4096, size, record, names), sectionRecord(3, 0, 1, 0, 0),
		}, nil)
	}
	for name, c := range map[string]struct {
		file []byte
		want Reason
	}{
		"empty":                  {nil, NotELF},
		"script":                 {[]byte("#!/bin/sh\n" + strings.Repeat("x", 64)), NotELF},
		"header only":            {elfHeader(0, 0, 0, 0, 0), Stripped},
		"cut header":             {elfHeader(0, 0, 0, 0, 0)[:40], NotELF},
		"unknown class":          {append([]byte("\x7fELF\x07"), make([]byte, 59)...), Malformed},
		"many segments":          {elfHeader(64, 0, math.MaxUint16, 0, 0), TooLarge},
		"segments outside":       {elfHeader(far, 0, 7, 0, 0), Malformed},
		"segments beyond":        {elfHeader(math.MaxUint64, 0, 7, 0, 0), Malformed},
		"sections outside":       {elfHeader(0, far, 0, 7, 1), Stripped},
		"many sections":          {elfHeader(0, 64, 0, math.MaxUint16, 1), Stripped},
		"many symbols":           {symbols(1<<40, 24, 2), TooLarge},
		"as many as can be":      {symbols(mostSymbols*24, 24, 2), Stripped},
		"symbols beyond the end": {symbols(math.MaxUint64-100, 24, 2), TooLarge},
		"record of another size": {symbols(48, 1, 2), Malformed},
		"names in no section":    {symbols(48, 24, 9), Malformed},
	} {
		path := filepath.Join(t.TempDir(), "hostile")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if len(c.file) > 64 { // and all that they state is there
			if err := os.Truncate(path, 1<<42); err != nil {
				t.Fatal(err)
			}
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var got *image
		used := allocated(func() { got = readImage(f, &budget{left: 1 << 20}) })
		f.Close()
		if got.reason != c.want || used > 16<<20 {
			t.Errorf("%s: %q, want %q; %d bytes allocated", name, got.reason, c.want, used)
		}
		if frame := got.frames(nil, Frame{}, 0x1000)[0]; frame.Reason == Named {
			t.Errorf("%s: %+v", name, frame)
		}
	}
}

func FuzzImage(f *testing.F) {
	f.Add(elfHeader(0, 64, 0, 3, 2), uint64(0x1000))
	if maps, err := os.Open("/proc/self/maps"); err == nil {
		list, _ := scanMaps(maps)
		maps.Close()
		for _, m := range list {
			if m.path == "[vdso]" {
				image, _ := readMemory(os.Getpid(), m.start, m.end-m.start)
				f.Add(image, uint64(0xc00))
			}
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, address uint64) {
		i := readImage(bytes.NewReader(file), &budget{left: 8 << 20})
		i.address(address)
		for _, frame := range i.frames(nil, Frame{}, address) {
			if (frame.Function == "") == (frame.Reason == Named) {
				t.Errorf("%+v", frame)
			}
		}
	})
}

// FuzzGoTable changes the table of a Go program.
func FuzzGoTable(f *testing.F) {
	header := make([]byte, 256)
	binary.LittleEndian.PutUint32(header, goMagic120)
	header[6], header[7] = 1, 8
	for i, n := range []uint64{1, 1, 0x1000, 72, 80, 88, 96, 104} {
		binary.LittleEndian.PutUint64(header[goHeader+8*i:], n)
	}
	f.Add(header, []byte{}, uint64(0x1000))
	f.Fuzz(func(t *testing.T, data, calls []byte, address uint64) {
		o := &object{order: binary.LittleEndian, wide: true}
		table, err := o.parseGoTable(data)
		if err != nil || table == nil {
			return
		}
		table.calls = calls
		for _, frame := range table.frames(nil, Frame{}, address) {
			if len(frame.Function) > longestShown || len(frame.File) > longestShown {
				t.Errorf("%+v", frame)
			}
		}
	})
}

func FuzzBuildIDs(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00\x03\x00\x00\x00\x03\x00\x00\x00GNU\x00\x01\x02\x03\x00"))
	f.Add([]byte("\x04\x00\x00\x00\xff\xff\xff\xff\x03\x00\x00\x00GNU\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		gnu, own := buildIDs(data, binary.LittleEndian)
		if !isHex(gnu) || len(gnu) > 2*longestBuildID || len(own) > longestShown {
			t.Errorf("%q %q", gnu, own)
		}
	})
}

func TestBuildIDs(t *testing.T) {
	note := func(name string, kind uint32, content string) string {
		b := binary.LittleEndian.AppendUint32(nil, uint32(len(name)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
		b = binary.LittleEndian.AppendUint32(b, kind)
		pad := func(s string) string { return s + strings.Repeat("\x00", -len(s)&3) }
		return string(b) + pad(name) + pad(content)
	}
	gnu, own := note("GNU\x00", 3, "\x01\x02\xff"), note("Go\x00\x00", 4, "abc/def")
	for notes, want := range map[string][2]string{
		gnu:                              {"0102ff", ""},
		own:                              {"", "abc/def"},
		own + gnu:                        {"0102ff", "abc/def"},
		note("GNU\x00", 1, "abi!") + gnu: {"0102ff", ""},
		gnu[:len(gnu)-1]:                 {"0102ff", ""},
		gnu[:14]:                         {"", ""},
		"":                               {"", ""},
	} {
		if gnu, own := buildIDs([]byte(notes), binary.LittleEndian); gnu != want[0] || own != want[1] {
			t.Errorf("%q: got %q, %q", notes, gnu, own)
		}
	}
}

// The build id is the one that readelf prints.
func TestBuildIDOfAProgram(t *testing.T) {
	bpftest.Require(t)
	program := compile(t, "-Wl,--build-id")
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	id := readImage(f, &budget{left: 1 << 20}).buildID
	if said := run(t, "readelf", "-n", program); id == "" || !strings.Contains(said, "Build ID: "+id) {
		t.Errorf("got %q, readelf says %s", id, said)
	}
}

// Symbols that were split off: in a file of debugging information, found by build id, and as a
// compressed section.
func TestSymbolsApart(t *testing.T) {
	bpftest.Require(t)
	program, folder := compile(t, "-Wl,--build-id"), t.TempDir()
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	id := readImage(f, &budget{left: 1 << 20}).buildID
	f.Close()
	old := debugFolder
	debugFolder = folder + "/"
	defer func() { debugFolder = old }()

	debug, stripped := filepath.Join(folder, "debug"), filepath.Join(folder, "sleeper")
	run(t, "objcopy", "--only-keep-debug", program, debug)
	run(t, "strip", "-o", stripped, program)
	t.Run("compressed", func(t *testing.T) {
		packed := filepath.Join(folder, "packed")
		run(t, "xz", "-k", "--block-size=4096", "-T2", debug)
		run(t, "objcopy", "--add-section", ".gnu_debugdata="+debug+".xz", stripped, packed)
		s := start(t, nil, packed)
		wantNames(t, watch(t, s.pid()), s, "packed", "local_one", "global_one", "main")
	})
	t.Run("by build id", func(t *testing.T) {
		s := start(t, nil, stripped)
		wantReason(t, watch(t, s.pid()), s.addresses["main"], Stripped)
		if err := os.Mkdir(filepath.Join(folder, id[:2]), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(debug, fmt.Sprintf("%s/%s/%s.debug", folder, id[:2], id[2:])); err != nil {
			t.Fatal(err)
		}
		wantNames(t, watch(t, s.pid()), s, "sleeper", "local_one", "global_one", "main")
	})
}

// An xz file can ask for a dictionary of 4 GiB, and unpack to anything.
func TestHostileXZ(t *testing.T) {
	for _, options := range [][]string{{"-6"}, {"--check=sha256"}, {"--check=none"}, {"--block-size=4096"}} {
		path := filepath.Join(t.TempDir(), "zeros")
		if err := os.WriteFile(path, make([]byte, 100000), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "xz", append(options, path)...)
		packed, err := os.ReadFile(path + ".xz")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpackXZ(packed); err != nil || len(got) != 100000 {
			t.Fatalf("%s: %d bytes, %v", options, len(got), err)
		}
		for _, at := range []int{0, 5, 12, 13, 20, 30, len(packed) / 2} {
			if _, err := unpackXZ(packed[:at]); err == nil {
				t.Errorf("%s: cut at %d of %d is no error", options, at, len(packed))
			}
		}
	}
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, mostUnpacked+1); err != nil {
		t.Fatal(err)
	}
	run(t, "xz", "-0", big)
	packed, err := os.ReadFile(big + ".xz")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unpackXZ(packed); err != TooLarge {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	i := bytes.Index(packed[:40], []byte{0x21, 1})
	packed[i+2] = 40
	var got []byte
	if used := allocated(func() { got, err = unpackXZ(packed) }); err != TooLarge || used > 1<<20 {
		t.Errorf("dictionary of 4 GiB: %d bytes, %v; %d allocated", len(got), err, used)
	}
}
