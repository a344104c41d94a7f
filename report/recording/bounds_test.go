package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/slicetrace/slicetrace/report/recording"
)

// A file cannot make its reader use more memory than the bounds allow, however small it is.
func TestFramesBeyondTheBounds(t *testing.T) {
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer packer.Close()
	frame := func(kind byte, payload []byte) []byte {
		return append(binary.AppendUvarint([]byte{kind}, uint64(len(payload))), payload...)
	}
	tooMany := recording.Block{Events: make([]recording.Event, 1<<20+1)}
	zeros := packer.EncodeAll(make([]byte, 65<<20), nil)
	longName := packer.EncodeAll(append([]byte{0, 0, 0, 16}, make([]byte, 16)...), nil)
	for name, test := range map[string]struct {
		write func(*recording.Writer) error
		raw   []byte // appended to what is written
		want  string
	}{
		"a length of a TiB": {raw: []byte{'B', 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}, want: "a frame of"},
		"events beyond the bound": {
			write: func(w *recording.Writer) error { return w.Block(tooMany) }, want: "1048577 events",
		},
		"a block of very many zeros":      {raw: frame('B', zeros), want: "size"},
		"names of very many zeros":        {raw: frame('T', zeros), want: "size"},
		"a name longer than the kernel's": {raw: frame('T', longName), want: "damaged"},
	} {
		var file bytes.Buffer
		w, err := recording.NewWriter(&file, header())
		if err == nil && test.write != nil {
			err = test.write(w)
		}
		if err != nil {
			t.Fatal(err)
		}
		file.Write(test.raw)
		_, err = read(&file)
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, recording.ErrCut) ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, test.want)
		}
	}
	// As many names as fit into a frame are read in parts: 16 million of four bytes.
	var file bytes.Buffer
	if _, err := recording.NewWriter(&file, header()); err != nil {
		t.Fatal(err)
	}
	file.Write(frame('T', packer.EncodeAll(make([]byte, 63<<20), nil)))
	r, err := recording.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	names, parts := 0, 0
	for {
		f, err := r.Next()
		if errors.Is(err, recording.ErrCut) {
			break
		}
		some, ok := f.([]recording.Task)
		if err != nil || !ok || len(some) > 1<<15 {
			t.Fatalf("%d names at a time, %v", len(some), err)
		}
		names += len(some)
		parts++
	}
	if names != 63<<18 || parts != names>>15 {
		t.Errorf("%d names in %d parts", names, parts)
	}
}

// Every test that the package's list of bounds names exists.
func TestBoundsHaveTheirTests(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, dir := range []string{".", "../timeline", "../../bpf", "../../collector", "../../collector/flight"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	named := regexp.MustCompile(`Test[A-Z][A-Za-z]+`).FindAllString(string(doc), -1)
	if len(named) < 10 {
		t.Errorf("the list names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "func "+name+"(t *testing.T)") {
			t.Errorf("there is no %s", name)
		}
	}
}
