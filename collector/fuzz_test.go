package collector

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

func FuzzParseCPUs(f *testing.F) {
	for _, seed := range []string{"0-3,8\n", "", "5,2-3", "0-8191", "8191,0-8190", "0-8191,0", "+1", "1-2-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cpus, err := ParseCPUs(text)
		if err != nil {
			return
		}
		if len(cpus) > mostCPUs {
			t.Fatalf("%d cores", len(cpus))
		}
		var again []string
		for _, cpu := range cpus {
			again = append(again, strconv.Itoa(cpu))
		}
		if same, err := ParseCPUs(strings.Join(again, ",")); err != nil || !slices.Equal(same, cpus) {
			t.Errorf("%v, written out, are %v, %v", cpus, same, err)
		}
	})
}

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

// FuzzFingerprint has the files of a machine, in the form of readHost's text
// twins: they reach the parsers of cpuinfo, of kernel configurations, of the
// scheduler's files and of the hypervisor's.
func FuzzFingerprint(f *testing.F) {
	twins, err := filepath.Glob("testdata/host/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, twin := range twins {
		text, err := os.ReadFile(twin)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("-- uname --\n6.\n#1 PREEMPT\nx86_64\n-- boot/config-6. --\nCONFIG_HZ=-1\n-- proc/meminfo --\nMemTotal: -7 kB\n")
	f.Add("-- sys/hypervisor/type --\n\xff\n-- " + schedDebugDir + "/base_slice_ns --\n-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := make(fstest.MapFS)
		for section := range strings.SplitSeq("\n"+text, "\n-- ") {
			if path, content, ok := strings.Cut(section, " --\n"); ok {
				files[path] = &fstest.MapFile{Data: []byte(content)}
			}
		}
		id := append(sysTree{files}.lines("uname"), "", "", "")
		host := fingerprint(sysTree{files}, kernelID{release: id[0], version: id[1], machine: id[2]})
		if host.CPUs < 0 || host.HZ < 0 || host.MemoryBytes < 0 || host.BaseSliceNS != nil && *host.BaseSliceNS < 0 {
			t.Errorf("less than nothing: %+v", host)
		}
		var file bytes.Buffer
		if err := report.Encode(&file, &report.Report{Schema: report.SchemaVersion, Host: host}); err != nil {
			t.Fatal(err)
		}
		saved, err := report.Decode(&file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(host, saved.Host); diff != "" {
			t.Errorf("saved, it differs (-want +got):\n%s", diff)
		}
	})
}

func FuzzReadKernelConfig(f *testing.F) {
	f.Add([]byte("CONFIG_HZ=250\n# CONFIG_X is not set\n"), false)
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), true)
	f.Fuzz(func(t *testing.T, text []byte, compressed bool) {
		name := "boot/config-6.1"
		if compressed {
			name = "proc/config.gz"
		}
		for option := range readKernelConfig(sysTree{fstest.MapFS{name: {Data: text}}}, "6.1") {
			if strings.ContainsAny(option, "=\n") {
				t.Errorf("option %q", option)
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
	events := bpf.Events{Record: bpf.RecordEvents, Count: 2, Stashed: 1}
	events.Event[0] = bpf.Event{Time: 9, Since: 8, Flags: bpf.EventPicked, Cause: 99}
	events.Event[1] = bpf.Event{Time: 9, Next: 7, Flags: bpf.EventWakeup}
	lost := bpf.Events{Record: bpf.RecordEvents, Count: ^uint32(0), Lost: 3}
	name := bpf.TaskName{Record: bpf.RecordTask, Tid: 7}
	death := bpf.Obituary{Record: bpf.RecordObituary, Slot: 3}
	f.Add(sample(unsafe.Pointer(&events), unsafe.Sizeof(events)), sample(unsafe.Pointer(&lost), unsafe.Sizeof(lost)))
	f.Add(sample(unsafe.Pointer(&name), unsafe.Sizeof(name)), sample(unsafe.Pointer(&events), unsafe.Sizeof(events)))
	f.Add(sample(unsafe.Pointer(&death), unsafe.Sizeof(death)), []byte{1, 0, 0, 0})
	f.Add([]byte{}, []byte{2, 0, 0})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var file bytes.Buffer
		out, err := recording.NewWriter(&file, recording.Header{Tool: "test", CPUs: []int{0}})
		if err != nil {
			t.Fatal(err)
		}
		r := &ring{recorder: newRecorder(out)}
		for _, s := range [][]byte{first, second} {
			// The ring's samples are aligned to 8 bytes.
			aligned := make([]uint64, len(s)/8+1)
			bytes := unsafe.Slice((*byte)(unsafe.Pointer(&aligned[0])), 8*len(aligned))[:len(s)]
			copy(bytes, s)
			// What is no record is an error, never a panic.
			_ = r.take(bytes)
		}
		r.recorder.finish()
		if err := r.recorder.out.finish(); err != nil {
			t.Error(err)
		}
		for i := range r.tasks.rows {
			endedRow(&r.tasks.rows[i], &bpf.Worker{}, Task{})
		}
	})
}
