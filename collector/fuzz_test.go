package collector

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

func FuzzParseSteal(f *testing.F) {
	f.Add("cpu  1 2 3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8 9\nintr 1 2\n")
	f.Add("cpu-1 1 2 3 4 5 6 7 8")
	f.Add("cpu0 1 2 3 4 5 6 7 -8")
	f.Add("cpu0 1 2 3 4 5 6 7 18446744073709551615")
	f.Fuzz(func(t *testing.T, stat string) {
		stolen, err := parseSteal(strings.NewReader(stat))
		if err != nil {
			return
		}
		for core, steal := range stolen {
			if core < 0 || min(steal.steal, steal.interrupts) < 0 {
				t.Errorf("core %d was stolen %v", core, steal)
			}
		}
	})
}

func FuzzValidComm(f *testing.F) {
	f.Add([]byte("make\x00rest"))
	f.Add([]byte("\xff\x1b[2J=1+1"))
	f.Fuzz(func(t *testing.T, comm []byte) {
		if got := validComm(comm); !utf8.ValidString(got) || strings.Contains(got, "\x00") {
			t.Errorf("name %q", got)
		}
	})
}

// FuzzRing gives the reader of the ring buffer samples that the kernel half
// never makes, two of them, so that the second meets what the first left.
func FuzzRing(f *testing.F) {
	sample := func(p unsafe.Pointer, n uintptr) []byte { return slices.Clone(unsafe.Slice((*byte)(p), n)) }
	events := bpf.Events{Record: bpf.RecordEvents, Count: 2, PendingPhases: 1}
	events.Event[0] = bpf.Event{Time: 9, SliceStart: 8, Flags: bpf.EventPickValid, Cause: 99}
	events.Event[1] = bpf.Event{Time: 9, Next: 7, Flags: bpf.EventWakeup}
	lost := bpf.Events{Record: bpf.RecordEvents, Count: ^uint32(0), Lost: 3}
	name := bpf.TaskName{Record: bpf.RecordTaskName, Tid: 7}
	death := bpf.TaskExit{Record: bpf.RecordTaskExit, Slot: 3}
	f.Add(sample(unsafe.Pointer(&events), unsafe.Sizeof(events)), sample(unsafe.Pointer(&lost), unsafe.Sizeof(lost)))
	f.Add(sample(unsafe.Pointer(&name), unsafe.Sizeof(name)), sample(unsafe.Pointer(&events), unsafe.Sizeof(events)))
	f.Add(sample(unsafe.Pointer(&death), unsafe.Sizeof(death)), []byte{1, 0, 0, 0})
	f.Add([]byte{}, []byte{2, 0, 0})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var file bytes.Buffer
		out, err := recording.NewWriter(&file, recording.Header{Tool: "test", CPUs: []sched.CPU{0}})
		if err != nil {
			t.Fatal(err)
		}
		r := &ring{writer: newEventWriter(out)}
		for _, s := range [][]byte{first, second} {
			// The ring's samples are aligned to 8 bytes.
			aligned := make([]uint64, len(s)/8+1)
			bytes := unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), 8*len(aligned))[:len(s)]
			copy(bytes, s)
			// What is no record is an error, never a panic.
			_ = r.takeRecord(bytes)
		}
		r.writer.finish()
		if err := r.writer.out.finish(); err != nil {
			t.Error(err)
		}
		for i := range r.tasks.rows {
			endedRow(&r.tasks.rows[i], &bpf.WatchedTask{}, Task{})
		}
	})
}
