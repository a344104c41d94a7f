package collector

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/sched"
)

func TestParseSteal(t *testing.T) {
	file, err := os.Open("testdata/stat-two-cores.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := parseSteal(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[sched.CPU]stolenTimes{
		0: {steal: 120 * time.Millisecond, interrupts: 890 * time.Millisecond},
		3: {steal: 430 * time.Millisecond, interrupts: 1130 * time.Millisecond},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stolenTimes{})); diff != "" {
		t.Errorf("steal (-want +got):\n%s", diff)
	}
}

func TestParseStealOfALongIntrLine(t *testing.T) {
	stat := "intr" + strings.Repeat(" 0", 1<<17) + "\ncpu0 1 2 3 4 5 6 7 8\n"
	got, err := parseSteal(strings.NewReader(stat))
	if want := (stolenTimes{80 * time.Millisecond, 130 * time.Millisecond}); err != nil || got[0] != want {
		t.Errorf("steal of core 0 is %v (%v), want 80ms stolen, 130ms of interrupts", got[0], err)
	}
}

func TestParseStealRefuses(t *testing.T) {
	for name, stat := range map[string]string{
		"empty":         "",
		"sums only":     "cpu  1 2 3 4 5 6 7 8\n",
		"short line":    "cpu0 1 2 3 4 5 6 7\n",
		"no core":       "cpux 1 2 3 4 5 6 7 8\n",
		"no interrupts": "cpu0 1 2 3 4 5 x 7 8\n",
		"not a number":  "cpu0 1 2 3 4 5 6 7 many\n",
		"truncated cpu": "cpu0 1 2 3 4 5 6 7 8\ncpu1",
	} {
		if got, err := parseSteal(strings.NewReader(stat)); err == nil {
			t.Errorf("%s: no error, got %v", name, got)
		}
	}
}
