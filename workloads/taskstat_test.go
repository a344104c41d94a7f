//go:build linux

package workloads

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// taskDir writes files as a task's directory in /proc would hold them.
func taskDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir() + "/"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadCounters(t *testing.T) {
	const status = "Name:\tx voluntary_ctxt_switches:\t9\n" +
		"voluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t345\n"
	got, err := readCounters(taskDir(t, map[string]string{"status": status, "schedstat": "1500000 2500 357\n"}))
	if err != nil {
		t.Fatal(err)
	}
	want := Counters{
		Voluntary: 12, Involuntary: 345,
		Runtime: 1500 * time.Microsecond, RunDelay: 2500 * time.Nanosecond, Slices: 357,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

func TestReadCountersRefusesNonsense(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no status":        {"schedstat": "1 2 3"},
		"no schedstat":     {"status": "voluntary_ctxt_switches: 1\n"},
		"no number":        {"status": "voluntary_ctxt_switches: many\n", "schedstat": "1 2 3"},
		"schedstat is cut": {"status": "voluntary_ctxt_switches: 1\n", "schedstat": "1 2"},
	} {
		if _, err := readCounters(taskDir(t, files)); err == nil || !strings.HasPrefix(err.Error(), "read counters: ") {
			t.Errorf("%s: got error %v, want one", name, err)
		}
	}
}

func TestReadProcReadsAll(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 20000} {
		want := strings.Repeat("0123456789", size/10+1)[:size]
		got, err := readProc(filepath.Join(taskDir(t, map[string]string{"status": want}), "status"))
		if err != nil || got != want {
			t.Errorf("read %d of %d bytes, %v", len(got), size, err)
		}
	}
}

func TestOffCPU(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"blocked in a call":             {map[string]string{"syscall": "202 0x7f 0x0 0x0\n"}, true},
		"running":                       {map[string]string{"syscall": "running\n"}, false},
		"call unreadable, asleep":       {map[string]string{"stat": "7 (st-pipe-0) S 1 7"}, true},
		"call unreadable, runnable":     {map[string]string{"stat": "7 (st-pipe-0) R 1 7"}, false},
		"call unreadable, hostile name": {map[string]string{"stat": "7 (x) S 1) R 1 7"}, false},
	} {
		got, err := offCPU(taskDir(t, c.files))
		if err != nil || got != c.want {
			t.Errorf("%s: off the CPU is %v, %v, want %v", name, got, err, c.want)
		}
	}
	if _, err := offCPU(taskDir(t, nil)); err == nil {
		t.Error("a task that has ended gave no error")
	}
}
