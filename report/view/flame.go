package view

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// FlameGraphs are the stacks of a report as flame graphs. Time asleep and time runnable have different
// remedies, so each has a graph of its own, and they are never added up.
type FlameGraphs struct {
	Blocked, Runnable FlameGraph
	// Labels are what the nodes of both graphs stand for.
	Labels []FlameLabel
	// Estimated is true if the stacks also stand for returns of which none was taken.
	Estimated bool
	Caption   string
}

// FlameGraph is a tree: all tasks, each of them by name, and the functions in which they were off their
// cores, the outermost first, as metric.OwnFrames leaves them.
type FlameGraph struct {
	// Nodes has each node before its children, and these by descending NS. The first is all tasks. It is
	// empty if there was no such time.
	Nodes []FlameNode
}

// FlameNode is one function with all that called it, or a task.
type FlameNode struct {
	// Parent is an index of Nodes, -1 for the first, and Label one of FlameGraphs.Labels.
	Parent, Label int
	// Line is in the label's file; 0 if it is unknown, or not the same in all stacks.
	Line int
	// NS is the node's time, with that of its children, and Times how many returns it stands for.
	NS    int64
	Times float64
	// LongestNS is the longest absence of these, whatever the task did in it.
	LongestNS int64
}

// FlameKind is what a node stands for.
type FlameKind string

// The kinds.
const (
	FlameAll     FlameKind = "all"
	FlameTask    FlameKind = "task"
	FlameProgram FlameKind = "program"
	FlameInlined FlameKind = "inlined"
	FlameKernel  FlameKind = "kernel"
	FlameRest    FlameKind = "rest" // the siblings that are too small to be shown
)

// FlameLabel is what nodes stand for. Its texts are hostile.
type FlameLabel struct {
	Kind               FlameKind
	Name, Module, File string
}

const (
	// flameParts is how many times the smallest node that is shown fits into all of the time.
	flameParts = 2000
	// maxFlameNodes bounds the nodes that are shown of one graph. Each can have one more, for the rest
	// of its children.
	maxFlameNodes = 1 << 12
	// maxFlameText bounds all names together, in characters.
	maxFlameText = 1 << 18
)

// flameGraphs adds up the stacks of all trials. It is nil without any time.
func flameGraphs(r *report.Report) *FlameGraphs {
	f := newFlames(r)
	var blocked, runnable flameItems
	out := &FlameGraphs{}
	throttled, known := false, true
	for i := range r.Trials {
		why := r.Trials[i].Why
		if why == nil {
			continue
		}
		out.Estimated = out.Estimated || why.Skipped > 0
		for j := range why.Waits {
			w := &why.Waits[j]
			task := f.task(w)
			known = blocked.add(w, task, w.BlockedNS) && runnable.add(w, task, w.WaitNS) && known
			throttled = throttled || w.ThrottledNS > 0
		}
	}
	// Times that are no times (centuries of them) are not drawn, so no sum overflows.
	if !known || blocked.total+runnable.total == 0 {
		return nil
	}
	labels := &flameLabels{known: map[FlameLabel]int{}}
	out.Blocked.Nodes = f.graph(&blocked, labels)
	out.Runnable.Nodes = f.graph(&runnable, labels)
	out.Labels = labels.shortened()
	out.Caption = fmt.Sprintf("The width of a frame is time, either asleep (blocked) or without a core (runnable): of "+
		"all tasks, then of each task, of the functions that it was in, and of those that these called. What is "+
		"narrower than 1 in %d is added up.", flameParts)
	if throttled {
		out.Caption += " Time in which a quota stopped tasks is in neither graph."
	}
	return out
}

// flameItem is the time of one task name at one stack.
type flameItem struct {
	task, stack int
	ns          int64
	times       float64
	longest     int64
}

type flameItems struct {
	all   []*flameItem
	known map[[2]int]*flameItem
	total int64
}

// add adds time to that of the same task and stack. It returns false if there is too much of it.
func (s *flameItems) add(w *report.StackWait, task int, ns int64) bool {
	if ns > math.MaxInt64/2-s.total { // half, so that the two graphs can be added up
		return false
	}
	if ns <= 0 {
		return true
	}
	key := [2]int{task, w.Stack}
	item := s.known[key]
	if item == nil {
		if s.known == nil {
			s.known = map[[2]int]*flameItem{}
		}
		item = &flameItem{task: task, stack: w.Stack}
		s.known[key], s.all = item, append(s.all, item)
	}
	item.ns += ns
	item.times = min(item.times+w.Times, math.MaxFloat64)
	item.longest = max(item.longest, w.LongestNS)
	s.total += ns
	return true
}

// flames has what the graphs of a report have in common. Tasks and functions are numbered.
type flames struct {
	report *report.Report
	labels []FlameLabel // by number
	number map[FlameLabel]int
	frames map[int]int // numbers, by the index of Report.Frames
	tasks  map[[2]string]int
	own    map[int][]int // by the index of Report.Stacks: indices of Report.Frames
}

func newFlames(r *report.Report) *flames {
	return &flames{
		report: r, number: map[FlameLabel]int{}, frames: map[int]int{},
		tasks: map[[2]string]int{}, own: map[int][]int{},
	}
}

// task numbers a task's name and that of its process.
func (f *flames) task(w *report.StackWait) int {
	key := [2]string{w.Process, w.Comm}
	n, ok := f.tasks[key]
	if !ok {
		name := w.Comm
		if w.Process != "" && w.Process != w.Comm {
			name = w.Process + " / " + w.Comm
		}
		n = len(f.labels)
		f.labels = append(f.labels, FlameLabel{Kind: FlameTask, Name: cmp.Or(name, "(no name)")})
		f.tasks[key] = n
	}
	return n
}

// frame numbers a function.
func (f *flames) frame(i int) int {
	n, ok := f.frames[i]
	if !ok {
		n = f.function(&f.report.Frames[i])
		f.frames[i] = n
	}
	return n
}

func (f *flames) function(frame *report.Frame) int {
	label := FlameLabel{Kind: FlameProgram, Name: frame.Name(), Module: frame.Module}
	switch {
	case frame.Kernel:
		label.Kind = FlameKernel
	case frame.Inlined:
		label.Kind = FlameInlined
	}
	if frame.File != "" {
		label.File = path.Base(frame.File)
	}
	n, ok := f.number[label]
	if !ok {
		n = len(f.labels)
		f.labels, f.number[label] = append(f.labels, label), n
	}
	return n
}

// at returns the number of what an item has at a depth, 0 being its task, and the line in its file. It
// returns -1 if the stack ends before.
func (f *flames) at(item *flameItem, depth int) (number, line int) {
	if depth == 0 {
		return item.task, 0
	}
	own, ok := f.own[item.stack]
	if !ok {
		own = metric.OwnFrames(f.report, f.report.Stacks[item.stack])
		f.own[item.stack] = own
	}
	if depth > len(own) {
		return -1, 0
	}
	frame := own[len(own)-depth]
	return f.frame(frame), f.report.Frames[frame].Line
}

// flamePart is a node of a graph under construction.
type flamePart struct {
	FlameNode
	label    FlameLabel
	depth    int // of its children
	items    []*flameItem
	children []*flamePart
}

func (p *flamePart) add(item *flameItem) {
	p.NS += item.ns
	p.Times = min(p.Times+item.times, math.MaxFloat64)
	p.LongestNS = max(p.LongestNS, item.longest)
	p.items = append(p.items, item)
}

// graph builds the tree of some items. The parts with the most time get their children first, so that what
// there is no room for is small.
func (f *flames) graph(items *flameItems, labels *flameLabels) []FlameNode {
	if items.total == 0 {
		return nil
	}
	whole := &flamePart{label: FlameLabel{Kind: FlameAll, Name: "all tasks"}}
	for _, item := range items.all {
		whole.add(item)
	}
	room := maxFlameNodes - 1
	queue := partQueue{whole}
	for len(queue) > 0 {
		p := heap.Pop(&queue).(*flamePart)
		for _, child := range f.expand(p, items.total/flameParts, room) {
			room--
			heap.Push(&queue, child)
		}
	}
	return flattened(whole, labels)
}

// expand gives a part its children: those with at least so much time, at most as many as there is room for,
// and one for the rest of them. It returns the former.
func (f *flames) expand(p *flamePart, least int64, room int) []*flamePart {
	byNumber := map[int]*flamePart{}
	var all []*flamePart
	for _, item := range p.items {
		number, line := f.at(item, p.depth)
		if number < 0 {
			continue
		}
		child := byNumber[number]
		if child == nil {
			child = &flamePart{label: f.labels[number], depth: p.depth + 1}
			child.Line = line
			byNumber[number], all = child, append(all, child)
		}
		if child.Line != line {
			child.Line = 0
		}
		child.add(item)
	}
	p.items = nil
	slices.SortStableFunc(all, func(a, b *flamePart) int { return cmp.Compare(b.NS, a.NS) })
	kept := min(room, len(all))
	for kept > 0 && all[kept-1].NS < least {
		kept--
	}
	p.children = all[:kept:kept]
	if small := all[kept:]; len(small) > 0 {
		what := words.Choose(p.depth == 0, "task", "function")
		rest := &flamePart{label: FlameLabel{Kind: FlameRest, Name: words.Plural(len(small), "smaller "+what)}}
		for _, s := range small {
			rest.NS += s.NS
			rest.Times = min(rest.Times+s.Times, math.MaxFloat64)
			rest.LongestNS = max(rest.LongestNS, s.LongestNS)
		}
		p.children = append(p.children, rest)
	}
	return all[:kept]
}

// partQueue is a heap with the largest part first.
type partQueue []*flamePart

func (q partQueue) Len() int           { return len(q) }
func (q partQueue) Less(i, j int) bool { return q[i].NS > q[j].NS }
func (q partQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *partQueue) Push(x any)        { *q = append(*q, x.(*flamePart)) }
func (q *partQueue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}

// flattened lists a part and all below it. A stack can have thousands of functions, so it does not recurse.
func flattened(whole *flamePart, labels *flameLabels) (nodes []FlameNode) {
	whole.Parent = -1
	next := []*flamePart{whole}
	for len(next) > 0 {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		p.Label = labels.of(p.label)
		for _, child := range slices.Backward(p.children) {
			child.Parent = len(nodes)
			next = append(next, child)
		}
		nodes = append(nodes, p.FlameNode)
	}
	return nodes
}

// flameLabels numbers the labels of nodes that are shown.
type flameLabels struct {
	all   []FlameLabel
	known map[FlameLabel]int
}

func (l *flameLabels) of(label FlameLabel) int {
	n, ok := l.known[label]
	if !ok {
		n = len(l.all)
		l.all, l.known[label] = append(l.all, label), n
	}
	return n
}

// shortened returns the labels with texts that are short enough for a page.
func (l *flameLabels) shortened() []FlameLabel {
	limit := max(shortFrame, min(longFrame, maxFlameText/max(1, len(l.all))))
	for i := range l.all {
		label := &l.all[i]
		label.Name = shortened(label.Name, limit)
		label.Module, label.File = shortened(label.Module, shortFrame), shortened(label.File, shortFrame)
	}
	return l.all
}
