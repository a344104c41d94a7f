package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

const (
	// fewPairs is how many pairs are shown at first, manyPairs with every figure, and matrixSide how many rows
	// and columns a matrix has.
	fewPairs, manyPairs, matrixSide = 10, 50, 12
	// fewPingPongs is how many of them are named.
	fewPingPongs = 5
)

const (
	takenTitle = "Who took the core"
	wokenTitle = "Who woke whom"

	takenCaption = "By the wait that followed. A task that would have gone on lost its core to another one: at a" +
		" tick, since the other was woken, or otherwise; not by a yield or a quota. "
	wokenCaption = "By the wait for a core that followed. A task slept, and was woken by another or by an interrupt." +
		" Packets that a machine sends to itself arrive as if by an interrupt. "
	pairCaption = "Tasks of one name and process count as one. Mean is the wait of one time."
)

// pairs are who took cores and who woke whom.
type pairs struct {
	*metric.Pairs
	groups map[uint64]string
	full   bool
}

// newPairs returns nil if the report has no pairs.
func newPairs(r *report.Report, full bool) *pairs {
	gathered := metric.GatherPairs(r)
	if gathered == nil {
		return nil
	}
	return &pairs{Pairs: gathered, groups: groupNamesOf(r), full: full}
}

// groupNamesOf are the names of all control groups.
func groupNamesOf(r *report.Report) map[uint64]string {
	names := map[uint64]string{}
	for i := range r.Trials {
		if system := r.Trials[i].System; system != nil {
			for _, g := range system.Groups {
				names[g.ID] = cmp.Or(g.Name, g.Path)
			}
		}
	}
	return names
}

// takenSection shows who took whose core, and is empty without pairs.
func (p *pairs) takenSection() Section {
	if p == nil {
		return Section{}
	}
	return p.section(takenTitle, takenCaption, "lost the core", "took it", p.Taken)
}

// exhibits are both sections, each with its matrix.
func (p *pairs) exhibits(on *Page) {
	taken, woken := p.matrices()
	on.show("taken", p.takenSection(), nil)
	on.show("taken-matrix", taken, nil)
	on.show("woken", p.wokenSection(), nil)
	on.show("woken-matrix", woken, nil)
}

// wokenSection shows who woke whom, and names the ping-pongs.
func (p *pairs) wokenSection() Section {
	if p == nil {
		return Section{}
	}
	s := p.section(wokenTitle, wokenCaption, "was woken", "by", p.Woken)
	s.Notes = append(p.pingPongs(), s.Notes...)
	return s
}

func (p *pairs) section(title, caption, task, by string, list []metric.PairSum) Section {
	s := Section{
		Title: title, Caption: caption + pairCaption,
		Columns: slices.Concat([]Column{textColumn(task), textColumn(by), textColumn("which is")},
			columns("times\na second", "wait", "share\nof waits", "mean")),
	}
	shown := list[:min(fewPairs, len(list))]
	if p.full {
		shown = list[:min(manyPairs, len(list))]
	}
	all := sumOf(list)
	var rows Group
	for i := range shown {
		pair := &shown[i]
		mean := report.Quantity{Unit: report.Nanoseconds}
		if pair.Count > 0 {
			mean = report.Of(float64(pair.WaitNS)/float64(pair.Count), report.Nanoseconds)
		}
		rows.Rows = append(rows.Rows, Row{
			textCell(p.name(pair.Task, pair.Tasks, p.full)), textCell(p.byName(pair, p.full)),
			textCell(relationInWords(&pair.Pair)), perSecond(metric.Rate(pair.Count, pair.PassedNS)),
			p.wait(pair.WaitNS),
			valueCell(percent(float64(pair.WaitNS), float64(all.WaitNS))), valueCell(mean),
		})
	}
	if len(rows.Rows) > 0 {
		s.Groups = []Group{rows}
	}
	s.Notes = moreNote(len(list)-len(shown), "pairs", "pairs")
	return s
}

func sumOf(list []metric.PairSum) (all report.Pair) {
	for i := range list {
		all.Count += list[i].Count
		all.WaitNS += list[i].WaitNS
	}
	return all
}

func (p *pairs) wait(ns int64) Cell { return valueCell(report.Of(float64(ns), report.Nanoseconds)) }

// name is of one side of a pair, of so many processes, with its control group or without.
func (p *pairs) name(t *report.PairTask, processes int, withGroup bool) string {
	if t == nil {
		return "others"
	}
	name := t.Comm + " [" + strconv.Itoa(int(t.PID))
	if processes > 1 {
		name = t.Comm + " [" + strconv.Itoa(processes) + " processes"
		if t.Process != "" && t.Process != t.Comm {
			name += " of"
		}
	}
	if t.Process != "" && t.Process != t.Comm {
		name += " " + t.Process
	}
	if group := p.groups[t.Group]; withGroup && group != "" && group != "/" && !t.Kernel {
		name += ", " + shortened(group, shortFrame)
	}
	return name + "]"
}

func (p *pairs) byName(pair *metric.PairSum, withGroup bool) string {
	if pair.Interrupt {
		return "an interrupt"
	}
	return p.name(pair.By, pair.Bys, withGroup)
}

func relationInWords(p *report.Pair) string {
	switch p.Relation() {
	case report.ByKernel:
		return "the kernel"
	case report.BySelf:
		return "the same process"
	case report.BySameGroup:
		return "in the same group"
	case report.ByOther:
		return "in another group"
	}
	return ""
}

// pingPongs names the tasks that wake each other.
func (p *pairs) pingPongs() (notes []string) {
	for i, pair := range p.PingPongs {
		if i == fewPingPongs && !p.full {
			return append(notes, words.Plural(len(p.PingPongs)-i, "more ping-pong")+".")
		}
		rate := pair.Rate.String()
		if pair.Trials > 1 {
			rate += ", in " + words.Plural(pair.Trials, "trial")
		}
		if pair.A == pair.B {
			notes = append(notes, fmt.Sprintf("Ping-pong: the two tasks %s wake each other %s.",
				p.name(&pair.A, pair.Trials, false), rate))
			continue
		}
		notes = append(notes, fmt.Sprintf("Ping-pong: %s and %s wake each other %s.",
			p.name(&pair.A, pair.Trials, false), p.name(&pair.B, pair.Trials, false), rate))
	}
	return notes
}

// matrices are the same two sections as matrices: who waited in rows, because of whom in columns.
func (p *pairs) matrices() (taken, woken Section) {
	if p == nil {
		return Section{}, Section{}
	}
	taken = p.matrix("lost the core ↓ taken by →", p.Taken)
	taken.Title, taken.Caption = takenTitle+", as a matrix", "The wait that followed. "+matrixCaption
	woken = p.matrix("was woken ↓ by →", p.Woken)
	woken.Title, woken.Caption = wokenTitle+", as a matrix", "The wait for a core that followed. "+matrixCaption
	return taken, woken
}

const matrixCaption = "The tasks with the longest waits, and those that the longest waits are due to; all others are" +
	" added up. A dash is no wait."

// matrixOthers is the row or column of all that have none of their own.
const matrixOthers = "all others"

func (p *pairs) matrix(corner string, list []metric.PairSum) Section {
	if len(list) == 0 {
		return Section{}
	}
	rowOf := func(pair *metric.PairSum) string { return p.name(pair.Task, pair.Tasks, false) }
	columnOf := func(pair *metric.PairSum) string { return p.byName(pair, false) }
	rows, row := matrixNames(list, rowOf)
	names, column := matrixNames(list, columnOf)
	sums := make([][]int64, len(rows))
	for i := range sums {
		sums[i] = make([]int64, len(names))
	}
	for i := range list {
		sums[row(&list[i])][column(&list[i])] += list[i].WaitNS
	}
	s := Section{Columns: append([]Column{textColumn(corner)}, columns(names...)...)}
	var g Group
	for i, name := range rows {
		r := Row{textCell(name)}
		for _, ns := range sums[i] {
			if ns == 0 {
				r = append(r, textCell(""))
			} else {
				r = append(r, p.wait(ns))
			}
		}
		g.Rows = append(g.Rows, r)
	}
	s.Groups = []Group{g}
	return s
}

// matrixNames returns the names of a matrix's rows, or columns, and which of them is a pair's.
func matrixNames(
	list []metric.PairSum, nameOf func(*metric.PairSum) string,
) (names []string, of func(*metric.PairSum) int) {
	waits := map[string]int64{}
	for i := range list {
		name := nameOf(&list[i])
		if _, known := waits[name]; !known {
			names = append(names, name)
		}
		waits[name] += list[i].WaitNS
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(waits[b], waits[a]) })
	if len(names) > matrixSide {
		names = append(names[:matrixSide], matrixOthers)
	}
	index := map[string]int{}
	for i, name := range names {
		index[name] = i
	}
	return names, func(p *metric.PairSum) int {
		if i, ok := index[nameOf(p)]; ok {
			return i
		}
		return len(names) - 1
	}
}
