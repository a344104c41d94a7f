package profile

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
)

// The values of each sample, with their units. The first is what pprof shows unless it is asked for another.
var sampleTypes = [][2]string{
	{"off_cpu", "nanoseconds"}, {"blocked", "nanoseconds"}, {"runnable", "nanoseconds"}, {"throttled", "nanoseconds"},
	{"returns", "count"},
}

// values are those of sampleTypes.
func values(w *report.StackWait) []int64 {
	return []int64{w.OffNS(), w.BlockedNS, w.WaitNS, w.ThrottledNS, int64(math.Round(w.Times))}
}

// Pprof writes the stacks of all trials as a compressed profile.proto. Each StackWait is a sample, with labels
// that say whose it is, of what state, and in which trial.
func Pprof(out io.Writer, r *report.Report) error {
	p := &pprof{
		report: r, strings: numbering[string]{}, mappings: numbering[string]{}, functions: numbering[function]{},
		locations: numbering[string]{}, stacks: map[int][]int64{},
	}
	p.body.bytes(profileStringTable, nil) // string 0 is empty
	p.header()
	p.allMappings()
	for i := range r.Trials {
		p.trial(i)
	}
	compressed := gzip.NewWriter(out)
	_, err := compressed.Write(p.body)
	return errors.Join(err, compressed.Close())
}

// pprof is a profile that is being encoded. Fields may be in any order, so each part is appended when it is
// first needed.
type pprof struct {
	report    *report.Report
	body      message
	strings   numbering[string]
	mappings  numbering[string]
	functions numbering[function]
	// locations are numbered by their frames' indices, and stacks has the locations of a report's stack.
	locations numbering[string]
	stacks    map[int][]int64
}

// function identifies a function.
type function struct{ name, file string }

// text returns the index of a string.
func (p *pprof) text(s string) int64 {
	if s == "" {
		return 0
	}
	number, isNew := p.strings.of(s)
	if isNew {
		p.body.bytes(profileStringTable, []byte(s))
	}
	return number
}

// header appends what the profile as a whole has.
func (p *pprof) header() {
	valueType := func(t [2]string) message {
		var m message
		m.number(valueTypeType, p.text(t[0]))
		m.number(valueTypeUnit, p.text(t[1]))
		return m
	}
	for _, t := range sampleTypes {
		p.body.bytes(profileSampleType, valueType(t))
	}
	p.body.number(profileDefaultSampleType, p.text(sampleTypes[0][0]))
	p.body.bytes(profilePeriodType, valueType(sampleTypes[0])) // some readers refuse a profile without
	p.body.number(profilePeriod, 1)
	if created := p.report.Created; !created.IsZero() {
		p.body.number(profileTimeNanos, created.UnixNano())
	}
	var duration int64
	for i := range p.report.Trials {
		if t := &p.report.Trials[i]; t.Why != nil {
			duration += t.DurationNS
		}
	}
	p.body.number(profileDurationNanos, duration)
	for _, c := range comments(p.report) {
		p.body.number(profileComment, p.text(c))
	}
}

// comments say what the figures are. The pprof tool prints them above its tables.
func comments(r *report.Report) []string {
	var taken, skipped, lost uint64
	var block int64
	for i := range r.Trials {
		if w := r.Trials[i].Why; w != nil {
			taken, skipped, lost, block = taken+w.Taken, skipped+w.Skipped, lost+w.Lost, w.BlockNS
		}
	}
	list := []string{
		fmt.Sprintf("%s: where tasks were when they were off their cores for at least %s",
			clean(r.Tool.Name+" "+r.Tool.Version), report.Of(float64(block), report.Nanoseconds)),
		fmt.Sprintf("Stacks were taken at %d of %d returns to a core. Each has a weight, so that sums stand for all",
			taken, taken+skipped),
	}
	if lost > 0 {
		list = append(list, fmt.Sprintf("%d stacks found no room: no sum stands for them", lost))
	}
	return list
}

// allMappings appends a mapping for each module. pprof calls the first of them the program: it is the module
// with the name of the process that was off its cores longest, and never one of the kernel if there are others.
func (p *pprof) allMappings() {
	var process string
	for i := range p.report.Trials {
		if w := p.report.Trials[i].Why; w != nil && len(w.Waits) > 0 {
			process = w.Waits[0].Process
			break
		}
	}
	rank := func(f report.Frame) int {
		switch {
		case f.Kernel:
			return 2
		case f.Module == process:
			return 0
		}
		return 1
	}
	inOrder := slices.Clone(p.report.Frames)
	slices.SortStableFunc(inOrder, func(a, b report.Frame) int { return cmp.Compare(rank(a), rank(b)) })
	for i := range inOrder {
		name := mappingName(&inOrder[i])
		if name == "" {
			continue
		}
		id, isNew := p.mappings.of(name)
		if !isNew {
			continue
		}
		var m message
		m.number(mappingID, id)
		m.number(mappingFilename, p.text(name))
		// Or pprof would look for files of that name on the machine on which the profile is read.
		m.number(mappingHasFunctions, 1)
		m.number(mappingHasFilenames, 1)
		m.number(mappingHasLineNumbers, 1)
		m.number(mappingHasInlineFrames, 1)
		p.body.bytes(profileMapping, m)
	}
}

// mappingName is the module's name; those of the kernel are in brackets, as in perf and /proc/kallsyms.
func mappingName(f *report.Frame) string {
	switch {
	case f.Kernel && (f.Module == "kernel" || f.Module == ""):
		return "[kernel.kallsyms]"
	case f.Kernel:
		return "[" + clean(f.Module) + "]"
	}
	return clean(f.Module)
}

// trial appends the samples of a trial.
func (p *pprof) trial(i int) {
	t := &p.report.Trials[i]
	if t.Why == nil {
		return
	}
	groups := groupNames(t)
	for j := range t.Why.Waits {
		w := &t.Why.Waits[j]
		var sample message
		sample.packed(sampleLocationID, p.stack(w.Stack))
		sample.packed(sampleValue, values(w))
		for _, l := range [][2]string{
			{"process", processName(w)}, {"thread", threadName(w)}, {"state", stateName(w.State)},
			{"group", groups(w.Group)}, {"waker", wakerName(w.Waker)},
			{"load", clean(report.WorkloadTitle(t.Workload, t.Variant))}, {"mode", clean(string(t.Mode))},
		} {
			if l[1] == "" {
				continue
			}
			var label message
			label.number(labelKey, p.text(l[0]))
			label.number(labelString, p.text(l[1]))
			sample.bytes(sampleLabel, label)
		}
		p.numberLabel(&sample, "pid", int64(w.PID))
		p.numberLabel(&sample, "trial", int64(i)+1)
		if w.IOWait {
			p.numberLabel(&sample, "iowait", 1)
		}
		p.body.bytes(profileSample, sample)
	}
}

func (p *pprof) numberLabel(sample *message, key string, value int64) {
	var label message
	label.number(labelKey, p.text(key))
	label.number(labelNumber, value)
	sample.bytes(sampleLabel, label)
}

// groupNames returns the function that names a trial's control groups: by path if it is known, otherwise by
// number.
func groupNames(t *report.Trial) func(id uint64) string {
	paths := map[uint64]string{}
	if t.System != nil {
		for _, g := range t.System.Groups {
			paths[g.ID] = clean(g.Path)
		}
	}
	return func(id uint64) string { return cmp.Or(paths[id], strconv.FormatUint(id, 10)) }
}

// stateName is what a state is called in labels.
func stateName(s report.State) string {
	switch s {
	case report.Sleeping:
		return "sleeping"
	case report.Uninterruptible:
		return "uninterruptible"
	case report.Runnable:
		return "runnable"
	}
	return clean(string(s))
}

// wakerName is "" if the waker is unknown.
func wakerName(w *report.Waker) string {
	switch {
	case w == nil:
		return ""
	case w.Interrupt:
		return "interrupt"
	case w.Comm == "":
		return unknown
	}
	return clean(w.Comm)
}
