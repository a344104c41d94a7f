package cgroup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Stat
	}{
		{"nothing", "", Stat{}},
		{"version 1", "nr_periods 5\nnr_throttled 2\nthrottled_time 1001\nnr_bursts 0\nburst_time 0\n",
			Stat{Periods: new(uint64(5)), Throttled: new(uint64(2)), ThrottledTime: new(1001 * time.Nanosecond)}},
		{"version 2 without the controller", "usage_usec 95651502623\nuser_usec 1\n",
			Stat{Usage: new(95651502623 * time.Microsecond)}},
		{"cpu.stat.local", "throttled_usec 7\n", Stat{ThrottledTime: micros(7)}},
		{"malformed", "usage_usec\nusage_usec -1\nusage_usec 9007199254740992\nnr_periods 1 2\nnr_throttled x\n",
			Stat{}},
		{"zero is no absence", "nr_throttled 0", Stat{Throttled: new(uint64(0))}},
	} {
		if diff := cmp.Diff(c.want, ParseStat(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestParsePressure(t *testing.T) {
	const some = "some avg10=71.53 avg60=67.38 avg300=49.35 total=31817560751\n"
	for _, c := range []struct {
		text       string
		some, full *time.Duration
	}{
		{"", nil, nil},
		{some, micros(31817560751), nil},
		{some + "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", micros(31817560751), micros(0)},
		{"some total=x\nfull total\nfull\nother total=3\nsome total=-1", nil, nil},
	} {
		some, full := ParsePressure(c.text)
		if diff := cmp.Diff([]*time.Duration{c.some, c.full}, []*time.Duration{some, full}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseMounts(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Mounts
	}{
		{"nothing", "", Mounts{}},
		{"version 2, twice", "35 24 0:30 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n" +
			"36 24 0:30 / /mnt rw - cgroup2 cgroup2 rw\n", Mounts{V2: Mount{"/sys/fs/cgroup", "/"}}},
		{"hybrid", "1 2 0:3 / /c/cpuset rw - cgroup cgroup rw,cpuset\n" +
			"1 2 0:4 /docker/x /c/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n" +
			"1 2 0:5 /../.. /c/u rw - cgroup2 none rw\n",
			Mounts{V1: Mount{"/c/cpu,cpuacct", "/docker/x"}, V2: Mount{"/c/u", "/../.."}, Accounted: true}},
		{"escapes", `1 2 0:4 /a\134x2d /with\040space\011 rw - cgroup2 cgroup2 rw`,
			Mounts{V2: Mount{"/with space\t", `/a\x2d`}}},
		{"malformed", "1 2 0:4 / - cgroup2 a rw\n1 2 0:4 / /x rw - cgroup2\n - \n", Mounts{}},
	} {
		if diff := cmp.Diff(c.want, ParseMounts(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestPathIn(t *testing.T) {
	const text = "9:name=systemd:/a\n4:cpuacct,cpu:/b:c\n3:cpuset:/x\n0::/d\n"
	for version, want := range map[int]string{1: "/b:c", 2: "/d", 3: ""} {
		if got := PathIn(text, version); got != want {
			t.Errorf("version %d: %q", version, got)
		}
	}
}
