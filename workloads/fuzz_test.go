//go:build linux

package workloads

import (
	"strings"
	"testing"
)

func FuzzParseCounters(f *testing.F) {
	f.Add("Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t345\n", "1500000 2500 357\n")
	f.Add("voluntary_ctxt_switches: -1\n", "1 2 3")
	f.Add("", "-1 -2 -3")
	f.Add("", "9223372036854775808 0 0")
	f.Fuzz(func(t *testing.T, status, sched string) {
		c, err := parseCounters(status, sched)
		if err == nil && (c.Runtime < 0 || c.RunDelay < 0) {
			t.Errorf("negative times: %+v", c)
		}
	})
}

func FuzzParseSizes(f *testing.F) {
	f.Add("55d0-7ffe ---p 00000000 00:00 0 [rollup]\nPss:    1532 kB\nPrivate_Clean:  0 kB\n")
	f.Add("VmPTE:\t-1 kB\n")
	f.Add("VmPTE:\t9223372036854775807 kB\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, size := range parseSizes(text) {
			if size < 0 || size%kib != 0 {
				t.Errorf("%q has %d bytes", name, size)
			}
		}
	})
}

func FuzzParseAsleep(f *testing.F) {
	f.Add("7 (st-pipe-0) S 1 7")
	f.Add("7 (x) S 1) R 1 7")
	f.Add("")
	f.Fuzz(func(t *testing.T, stat string) {
		if parseAsleep(stat) && !strings.Contains(stat, " S ") {
			t.Errorf("%q is read as asleep", stat)
		}
	})
}
