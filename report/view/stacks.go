package view

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

const (
	// fewStacks is how many stacks are shown at first.
	fewStacks = 10
	// fewFrames is how many functions of a stack are shown at first, and fewOfKernel how many of these are
	// the kernel's, if the program's are known too.
	fewFrames, fewOfKernel = 6, 3
	// shortFrame is the length to which a function's name is shortened, and longFrame that with every figure:
	// names of templates have thousands of characters.
	shortFrame, longFrame = 60, 500
	// fewReasons is how many reasons are given why functions have no names.
	fewReasons = 5
)

const stackCaption = "The share is of all time off cores. Asleep is until something woke the task; " +
	"runnable is without a core after that, or since it was preempted. In a stack, a ← b means that b called a. " +
	"Functions of the scheduler and of the entry into the kernel, which most stacks have, are left out."

// stacks are where tasks were when they were off their cores.
type stacks struct {
	*metric.OffCPU
	report *report.Report
	groups map[uint64]string
	full   bool
}

// stackSection shows at which stacks tasks were off their cores for the longest time, or all of them and all
// their functions if full is true. It is empty without stacks.
func stackSection(r *report.Report, full bool) Section {
	s := stacks{OffCPU: metric.GatherOffCPU(r), report: r, groups: groupNamesOf(r), full: full}
	if s.OffCPU == nil {
		return Section{}
	}
	throttled := s.All.ThrottledNS > 0
	out := Section{
		Title: "Where tasks were off their cores", Apart: true, Notes: s.notes(), Caption: s.caption(),
		Columns: columns("share", "off cores", "times", "mean", "longest", "asleep", "runnable"),
	}
	if throttled {
		out.Columns = append(out.Columns, columns("throttled")...)
	}
	shown := s.Waits
	if !full {
		shown = shown[:min(fewStacks, len(shown))]
	}
	for i := range shown {
		out.Groups = append(out.Groups, s.group(&shown[i], throttled))
	}
	out.Notes = append(moreNote(len(s.Waits)-len(shown), "stacks", "stacks"), out.Notes...)
	return out
}

func (s *stacks) caption() string {
	block := report.Of(float64(s.BlockNS), report.Nanoseconds)
	if len(s.Waits) == 0 {
		return fmt.Sprintf("No task came back to a core after at least %s, so there are no stacks.", block)
	}
	taken := "Each time, a stack was taken."
	if s.Skipped > 0 {
		taken = fmt.Sprintf("Stacks were taken of %s of these, which also stand for the others.", ofCount(s.Taken))
	}
	return fmt.Sprintf("Tasks came back to a core %s times after they had been off it for at least %s. %s %s",
		ofCount(s.Taken+s.Skipped), block, taken, stackCaption)
}

// notes say what is missing, what taking stacks took, and why functions have no names.
func (s *stacks) notes() (notes []string) {
	if s.Skipped > 0 {
		notes = append(notes, fmt.Sprintf("No stack was taken of %s returns, to limit the cost: "+
			"times and sums are estimates.", ofCount(s.Skipped)))
	}
	if s.Lost > 0 {
		notes = append(notes, fmt.Sprintf("%s stacks were taken but lost, since there was no room for them: "+
			"their time is in no sum.", ofCount(s.Lost)))
	}
	if s.Taken > 0 {
		notes = append(notes, fmt.Sprintf("Taking stacks took %s, %s of core time; it is the tool's own time, and in"+
			" no slice.",
			report.Of(float64(s.WalkNS), report.Nanoseconds), metric.TimeShare(s.WalkNS, s.WallNS)))
	}
	return append(notes, s.unnamed()...)
}

// unnamed says why functions have no names.
func (s *stacks) unnamed() []string {
	counts, total := map[string]int{}, 0
	for i := range s.report.Frames {
		if f := &s.report.Frames[i]; f.Function == "" {
			counts[cmp.Or(f.Unnamed, "the reason is not known")]++
			total++
		}
	}
	if total == 0 {
		return nil
	}
	var reasons []string
	for reason := range counts {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d: %s", counts[reason], shortened(reason, longFrame))
	}
	more := ""
	if n := len(reasons) - fewReasons; n > 0 {
		reasons, more = reasons[:fewReasons], fmt.Sprintf("; %d more reasons", n)
	}
	return []string{fmt.Sprintf("%d of %s on stacks have no name, and are shown by address (%s%s).", total,
		words.Plural(len(s.report.Frames), "function"), strings.Join(reasons, "; "), more)}
}

func (s *stacks) group(w *metric.OffWait, throttled bool) Group {
	mean := report.Quantity{Unit: report.Nanoseconds}
	if w.Times > 0 {
		mean = report.Of(float64(w.OffNS())/w.Times, report.Nanoseconds)
	}
	time := func(ns int64) Cell { return valueCell(report.Of(float64(ns), report.Nanoseconds)) }
	row := Row{
		valueCell(percent(float64(w.OffNS()), float64(s.All.OffNS()))), time(w.OffNS()),
		valueCell(report.Of(w.Times, report.Count)), valueCell(mean), time(w.LongestNS), time(w.BlockedNS),
		time(w.WaitNS),
	}
	if throttled {
		row = append(row, time(w.ThrottledNS))
	}
	g := Group{Name: s.who(w), Rows: []Row{row}, Details: []string{s.stack(w.Frames)}}
	if s.full && w.Waker != nil && w.Waker.Stack >= 0 {
		woken := s.stack(metric.OwnFrames(s.report, s.report.Stacks[w.Waker.Stack]))
		g.Details = append(g.Details, "woken from: "+woken)
	}
	return g
}

// who says which task was off its core, in what state, and who woke it.
func (s *stacks) who(w *metric.OffWait) string {
	who := w.Comm
	if len(w.PIDs) > 1 {
		who += fmt.Sprintf(" (%d processes", len(w.PIDs))
	} else {
		who += " (pid " + strconv.Itoa(int(w.PIDs[0]))
	}
	if w.Process != "" && w.Process != w.Comm {
		who += " " + w.Process
	}
	switch name := s.groups[w.Groups[0]]; {
	case len(w.Groups) > 1:
		who += fmt.Sprintf(", %d groups", len(w.Groups))
	case name != "":
		who += ", " + name
	}
	return who + ") " + stateInWords(&w.StackWait) + wokenBy(w.Waker)
}

func stateInWords(w *report.StackWait) string {
	switch {
	case w.State == report.Runnable && w.ThrottledNS > 0:
		return "preempted, or stopped by a quota"
	case w.State == report.Runnable:
		return "preempted"
	case w.IOWait:
		return "waiting for input or output"
	case w.State == report.Uninterruptible:
		return "in an uninterruptible sleep"
	}
	return "asleep"
}

func wokenBy(w *report.Waker) string {
	switch {
	case w == nil:
		return ""
	case w.Interrupt:
		return ", woken by an interrupt"
	}
	return ", woken by " + cmp.Or(w.Comm, "pid "+strconv.Itoa(int(w.PID)))
}

// stack writes a stack in one line, the innermost function first.
func (s *stacks) stack(frames []int) string {
	if len(frames) == 0 {
		return "(no stack)"
	}
	var parts []string
	next := 0
	for _, i := range s.telling(frames) {
		if i > next {
			parts = append(parts, fmt.Sprintf("… %d more", i-next))
		}
		parts, next = append(parts, s.frame(frames[i])), i+1
	}
	return strings.Join(parts, " ← ")
}

// telling chooses the functions of a stack that are shown: the innermost ones of the kernel and of the
// program, and the outermost one. It returns their places on the stack.
func (s *stacks) telling(frames []int) (places []int) {
	ofKernel := 0
	for ofKernel < len(frames) && s.report.Frames[frames[ofKernel]].Kernel {
		ofKernel++
	}
	few := fewFrames
	if ofKernel < len(frames) { // the program's are known
		few = fewOfKernel
	}
	inner := min(ofKernel, few)
	for i := range frames {
		ofProgram := i >= ofKernel && i < ofKernel+fewFrames-1-inner
		if s.full || len(frames) <= fewFrames || i < min(inner, fewFrames-1) || ofProgram || i == len(frames)-1 {
			places = append(places, i)
		}
	}
	return places
}

func (s *stacks) frame(i int) string {
	f := &s.report.Frames[i]
	if !s.full {
		return shortened(f.Name(), shortFrame)
	}
	name := shortened(f.Name(), longFrame)
	if f.File != "" {
		name += " (" + shortened(path.Base(f.File), longFrame)
		if f.Line > 0 {
			name += ":" + strconv.Itoa(f.Line)
		}
		name += ")"
	}
	return name
}

// shortened cuts a text to so many characters. What is left of it is as it was, even if it is not UTF-8.
func shortened(text string, limit int) string {
	n, end := 0, 0
	for i := range text {
		if n++; n == limit {
			end = i
		}
	}
	if n <= limit {
		return text
	}
	return text[:end] + "…"
}
