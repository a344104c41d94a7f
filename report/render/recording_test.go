package render_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

func csvTo(w io.Writer) render.TableWriter     { return render.NewCSV(w) }
func parquetTo(w io.Writer) render.TableWriter { return render.NewParquet(w) }

// smallRecording has rows without each of the optional fields, names that change, lost events and
// hostile names.
func smallRecording(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{CPUs: []sched.CPU{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Tasks([]recording.Task{
		{TID: 7, TGID: 7, Comm: "sh"}, {TimeNS: 2000, TID: 7, TGID: 7, Comm: "=1+1"},
		{TID: 8, TGID: 7, Parent: 7, Comm: "bad\xff\x1b[1m"},
	})
	err = errors.Join(err, w.Block(recording.Block{CPU: 0, Lost: 3, Events: []recording.Event{
		{TimeNS: 900, Kind: recording.Wakeup, Next: 7, CPU: 1},
		{TimeNS: 1000, Prev: 0, Next: 7, SliceNS: -1, PickNS: -1, SwitchNS: -1, Class: 4, EndedBy: 5, State: 'R'},
		{TimeNS: 2500, Prev: 7, Next: 8, SliceNS: 1500, PickNS: 0, SwitchNS: 250, Class: 0, EndedBy: 2, State: 'R'},
		{
			TimeNS: 2600, Prev: 8, Next: 9, SliceNS: 100, PickNS: 400, SwitchNS: 260, Class: recording.NoClass,
			EndedBy: 7, State: 'Z',
		},
	}}))
	err = errors.Join(err, w.Mark(recording.Mark{
		Workload: "pipe", Mode: "threads", Round: 2, StartNS: 5, EndNS: 3000, Workers: []sched.TID{7, 8},
	}))
	err = errors.Join(err, w.Block(recording.Block{CPU: 1, Lost: 2, Events: []recording.Event{
		{TimeNS: 50, Kind: recording.Wakeup, Next: 8, CPU: 1},
	}}))
	err = errors.Join(err, w.Block(recording.Block{CPU: 1, Lost: 1, Events: []recording.Event{
		{TimeNS: 70, Prev: 8, Next: 0, SliceNS: 0, PickNS: 1, SwitchNS: -1, Class: 3, EndedBy: 0, State: 'S'},
	}}))
	if err := errors.Join(err, w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func tryRecordingTable(open func(io.Writer) render.TableWriter, w io.Writer, file []byte, name string) error {
	r, err := recording.NewReader(bytes.NewReader(file))
	if err != nil {
		return err
	}
	defer r.Close()
	out := open(w)
	return errors.Join(render.RecordingTable(out, r, name), out.Close())
}

func recordingTable(t *testing.T, open func(io.Writer) render.TableWriter, file []byte, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tryRecordingTable(open, &out, file, name); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRecordingGoldens(t *testing.T) {
	for _, name := range render.RecordingTableNames() {
		golden(t, "recording-"+name+".csv", recordingTable(t, csvTo, smallRecording(t), name))
	}
}

func TestParquetOfARecordingHoldsWhatItsCSVHolds(t *testing.T) {
	for _, name := range render.RecordingTableNames() {
		want, err := csv.NewReader(bytes.NewReader(recordingTable(t, csvTo, smallRecording(t), name))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		got := texts(t, openParquet(t, recordingTable(t, parquetTo, smallRecording(t), name)))
		for i := range got {
			for j := range got[i] {
				got[i][j] = strings.NewReplacer("=1+1", "'=1+1", "\x1b", `\x1b`, "\uFFFD", `\xff`).Replace(got[i][j])
			}
		}
		if diff := cmp.Diff(want[1:], got); diff != "" {
			t.Errorf("table %s (-csv +parquet):\n%s", name, diff)
		}
	}
}

// Many chunks and row groups lose nothing and preserve the order.
func TestLongRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("700 000 rows, for more than one row group")
	}
	const blocks, events = 7, 100_003
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{})
	for block := range blocks {
		b := recording.Block{CPU: sched.CPU(block % 2)}
		for i := range events {
			b.Events = append(b.Events, recording.Event{
				TimeNS: int64(block*events + i), Prev: 1, Next: 1, SliceNS: int64(i % 3), PickNS: -1, SwitchNS: -1,
				State: 'S',
			})
		}
		err = errors.Join(err, w.Block(b))
	}
	if err := errors.Join(err, w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(recordingTable(t, csvTo, file.Bytes(), "switches")), "\r\n")
	want = want[1 : len(want)-1] // neither the header nor what follows the last line's end
	f := openParquet(t, recordingTable(t, parquetTo, file.Bytes(), "switches"))
	if n := len(f.RowGroups()); n != 2 {
		t.Errorf("%d row groups", n)
	}
	got := texts(t, f)
	if len(want) != blocks*events || len(got) != len(want) {
		t.Fatalf("%d rows of CSV and %d of Parquet, want %d", len(want), len(got), blocks*events)
	}
	for i := range want {
		if line := strings.Join(got[i], ","); line != want[i] {
			t.Fatalf("row %d is %q in Parquet and %q in CSV", i, line, want[i])
		}
	}
}

func TestCutRecordingGivesWhatIsWhole(t *testing.T) {
	file := smallRecording(t)
	var out bytes.Buffer
	err := tryRecordingTable(csvTo, &out, file[:len(file)-1], "switches")
	if !errors.Is(err, recording.ErrCut) {
		t.Errorf("error is %v", err)
	}
	if want := recordingTable(t, csvTo, file, "switches"); !bytes.Equal(out.Bytes(), want) {
		t.Errorf("it gives %s", out.Bytes())
	}
	// Whatever the length, there are only complete rows, and no panic.
	for n := range file {
		out.Reset()
		err := tryRecordingTable(parquetTo, &out, file[:n], "switches")
		if errors.Is(err, recording.ErrNotRecording) || out.Len() == 0 {
			continue
		}
		if texts(t, openParquet(t, out.Bytes())); !errors.Is(err, recording.ErrCut) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestRecordingTableReturnsErrors(t *testing.T) {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{})
	for range 20 { // more than fits in the pipeline
		err = errors.Join(err, w.Block(recording.Block{Events: make([]recording.Event, 8192)}))
	}
	if err := errors.Join(err, w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	if err := tryRecordingTable(csvTo, full{}, file.Bytes(), "switches"); !errors.Is(err, errFull) {
		t.Errorf("CSV: %v", err)
	}
	if err := tryRecordingTable(parquetTo, full{}, file.Bytes(), "switches"); !errors.Is(err, errFull) {
		t.Errorf("Parquet: %v", err)
	}
	damaged := bytes.Clone(file.Bytes())
	damaged[len(damaged)/2] ^= 0xff
	err = tryRecordingTable(csvTo, io.Discard, damaged, "switches")
	if err == nil || errors.Is(err, recording.ErrCut) {
		t.Errorf("a damaged recording: %v", err)
	}
	err = tryRecordingTable(csvTo, io.Discard, smallRecording(t), "cores")
	if err == nil || !strings.Contains(err.Error(), "switches, wakeups, tasks, marks") {
		t.Errorf("an unknown table: %v", err)
	}
}

func TestHostileNamesOfARecordingAreSafe(t *testing.T) {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{})
	var tasks []recording.Task
	for i, name := range reporttest.HostileNames() {
		tasks = append(tasks, recording.Task{TID: sched.TID(i), Comm: name[:min(len(name), 15)]})
	}
	if err := errors.Join(err, w.Tasks(tasks), w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	for _, r := range string(recordingTable(t, csvTo, file.Bytes(), "tasks")) {
		if r == 0x1b || r == '\u202e' || r == '\uFFFD' || r == '\t' {
			t.Errorf("%q is in the CSV", r)
		}
	}
}
