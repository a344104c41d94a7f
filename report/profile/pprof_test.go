package profile_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/profile"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// encoded returns a report's profile.
func encoded(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := profile.Pprof(&file, r); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// parsed reads a report's profile with pprof's library.
func parsed(t testing.TB, r *report.Report) *pprof.Profile {
	t.Helper()
	p, err := pprof.ParseData(encoded(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	return p
}

// sums are what a report's stacks add up to, in the order of the profile's sample types.
func sums(r *report.Report) []int64 {
	out := make([]int64, 5)
	for i := range r.Trials {
		if r.Trials[i].Why == nil {
			continue
		}
		for _, w := range r.Trials[i].Why.Waits {
			for j, v := range []int64{
				w.BlockedNS + w.WaitNS + w.ThrottledNS, w.BlockedNS, w.WaitNS, w.ThrottledNS,
				int64(math.Round(w.Times)),
			} {
				out[j] += v
			}
		}
	}
	return out
}

func TestProfileHasWhatTheReportHas(t *testing.T) {
	r := reporttest.Blocked()
	p := parsed(t, r)
	got := make([]int64, len(p.SampleType))
	var types []string
	for i, st := range p.SampleType {
		types = append(types, st.Type+"/"+st.Unit)
		for _, s := range p.Sample {
			got[i] += s.Value[i]
		}
	}
	want := "off_cpu/nanoseconds blocked/nanoseconds runnable/nanoseconds throttled/nanoseconds returns/count"
	if strings.Join(types, " ") != want || p.DefaultSampleType != "off_cpu" {
		t.Errorf("sample types are %q, by default %s", types, p.DefaultSampleType)
	}
	if diff := cmp.Diff(sums(r), got); diff != "" {
		t.Errorf("sums (-report +profile):\n%s", diff)
	}
	if p.TimeNanos != r.Created.UnixNano() || p.DurationNanos != r.Trials[0].DurationNS {
		t.Errorf("it is of %d and lasts %d", p.TimeNanos, p.DurationNanos)
	}
	wantComments := []string{
		"slicetrace v0.1.0: where tasks were when they were off their cores for at least 1.00 ms",
		"Stacks were taken at 56 of 103 returns to a core. Each has a weight, so that sums stand for all",
		"2 stacks found no room: no sum stands for them",
	}
	if diff := cmp.Diff(wantComments, p.Comments); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	if p.PeriodType == nil || p.Period == 0 {
		t.Error("it has no period")
	}
}

func TestLabelsOfSamples(t *testing.T) {
	r := reporttest.Blocked()
	r.Trials = append([]report.Trial{{Mode: report.Command}}, r.Trials...) // one without stacks
	r.Trials[1].System = &report.System{Groups: []report.Group{{ID: 4711, Path: "/system.slice/web.service"}}}
	p := parsed(t, r)
	text := map[string][]string{
		"process": {"make"}, "thread": {"jobs"}, "state": {"uninterruptible"}, "waker": {"interrupt"},
		"group": {"/system.slice/web.service"}, "mode": {"command"}, "load": {r.Trials[1].Workload},
	}
	if diff := cmp.Diff(text, p.Sample[1].Label); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	numbers := map[string][]int64{"pid": {int64(r.Trials[1].Workers[0].PID)}, "trial": {2}, "iowait": {1}}
	if diff := cmp.Diff(numbers, p.Sample[1].NumLabel); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	var states, wakers, groups []string
	for _, s := range p.Sample {
		states, wakers = append(states, s.Label["state"]...), append(wakers, s.Label["waker"]...)
		groups = append(groups, s.Label["group"]...)
	}
	if diff := cmp.Diff([]string{"sleeping", "uninterruptible", "runnable", "sleeping"}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if !slices.Equal(wakers, []string{"jobs", "interrupt"}) || groups[3] != "1" {
		t.Errorf("wakers %q, groups %q", wakers, groups)
	}
	if unnamed := p.Sample[3].Label["process"]; !strings.HasPrefix(unnamed[0], "[pid ") {
		t.Errorf("a process without a name is %q", unnamed)
	}
}

// What is inlined shares a location with the function that it was put into, the innermost first.
func TestLocationsOfStacks(t *testing.T) {
	r := reporttest.Blocked()
	p := parsed(t, r)
	var got []string
	for _, s := range p.Sample {
		var stack []string
		for _, l := range s.Location {
			var lines []string
			for _, line := range l.Line {
				lines = append(lines, line.Function.Name)
			}
			module := "-"
			if l.Mapping != nil {
				module = l.Mapping.File
			}
			stack = append(stack, module+":"+strings.Join(lines, " in "))
		}
		got = append(got, strings.Join(stack, "; "))
	}
	want := []string{
		"[kernel.kallsyms]:schedule; [kernel.kallsyms]:futex_wait_queue; libc.so.6:__lll_lock_wait; " +
			"make:std::mutex::lock() in Queue<Job, 16>::pop(Job&); make:main",
		"[kernel.kallsyms]:schedule; [kernel.kallsyms]:io_schedule; [ext4]:ext4_file_read_iter; " +
			"libjobs.so:[libjobs.so]; libjobs.so:[libjobs.so]; make:main",
		"[kernel.kallsyms]:schedule; [kernel.kallsyms]:preempt_schedule_irq; -:[unknown]; " +
			"make:main.step in main.(*pool).run",
		"-:[no stack]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
	if first := p.Mapping[0].File; first != "make" {
		t.Errorf("the first mapping, which pprof calls the program, is %s", first)
	}
	unnamed, goes := p.Sample[1].Location[3], p.Sample[2].Location[3]
	if unnamed.Address != r.Frames[8].Address || unnamed.ID == p.Sample[1].Location[4].ID {
		t.Errorf("functions without names: %+v, %+v", unnamed, p.Sample[1].Location[4])
	}
	if l := goes.Line[1]; l.Line != 41 || l.Function.Filename != "pool.go" {
		t.Errorf("line %d of %s", l.Line, l.Function.Filename)
	}
	if p.Sample[0].Location[0] != p.Sample[1].Location[0] {
		t.Error("the same function is two locations")
	}
}

// A report without any return to a core makes a valid profile.
func TestProfileWithoutSamples(t *testing.T) {
	r := reporttest.Command()
	if profile.In(r) {
		t.Error("it has stacks")
	}
	r.Trials[0].Why = &report.Why{BlockNS: 1000}
	if p := parsed(t, r); len(p.Sample) > 0 || !profile.In(r) {
		t.Errorf("%d samples", len(p.Sample))
	}
}
