package hostinfo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/sched"
)

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]sched.CPU{
		"0\n":     {0},
		"0-3,8\n": {0, 1, 2, 3, 8},
		"5,2-3":   {5, 2, 3},
		"":        nil,
		"\n":      nil,
	} {
		got, err := ParseCPUs(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "3-1", "-1", "0,", ",", "0-", "1-2-3", "0-99999999", "8192", "0 1"} {
		if got, err := ParseCPUs(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}
