package live

import (
	"cmp"
	"math"
	"math/bits"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Detail is all that is known of one task or sum.
type Detail struct {
	// Title names it. It may be hostile, as the texts of facts may.
	Title string
	// Present is false if it did nothing in the interval: then there are neither figures nor
	// distributions.
	Present bool
	Facts   []Fact
	// Figures are those of the table's row.
	Figures []Fact
	// Waits and Slices are the distributions of the interval.
	Waits, Slices Distribution
	// History are figures of the last intervals, of which there are Intervals.
	History   []Series
	Intervals int
	// Reasons say why it was off its cores, as far as Model.Explain was asked for.
	Reasons []Reason
}

// Fact is a figure or a text with its name.
type Fact struct {
	Name string
	Cell
	// Help says what a figure means, Absent why it can be missing.
	Help, Absent string
}

// Distribution is a distribution in steps of an octave.
type Distribution struct {
	Name                 string
	Count, P50, P99, Max report.Quantity
	// Steps has all steps from the first to the last one that holds values.
	Steps []Step
}

// Step is one step of a Distribution: from Low up to High.
type Step struct {
	Low, High, Count, Share report.Quantity
	// Height is the count as a part of the greatest one, 0 to 1.
	Height float64
}

// Detail returns what is known of a task or sum.
func (m *Model) Detail(k Key) Detail {
	d := Detail{Title: titleOf(k)}
	if m.shown == nil {
		return d
	}
	iv := m.shown.interval
	if k.By == ByGroup {
		d.Title = "group " + iv.sumName(ByGroup, "", k.Group)
	}
	d.History, d.Intervals = m.history(k)
	r := iv.find(k)
	if r == nil {
		return d
	}
	d.Present = true
	a := r.fill()
	d.Title = k.By.String() + " " + r.name()
	d.Facts = iv.facts(r, k)
	for _, c := range taskColumns(k.By) {
		if cell := c.of(iv, r); cell.Text == "" && !c.Text {
			d.Figures = append(d.Figures, Fact{c.Name, cell, c.Help, c.Absent})
		}
	}
	d.Waits = distributionOf("waits for a core", a.Waits)
	d.Slices = distributionOf("slices", a.Slices)
	d.Reasons = iv.reasons(k, r)
	return d
}

// titleOf names what a key is of, as far as the key tells.
func titleOf(k Key) string {
	switch {
	case k.Name != "":
		return k.By.String() + " " + k.Name
	case k.TID != 0:
		return "task " + strconv.Itoa(int(k.TID))
	case k.PID != 0:
		return "process " + strconv.Itoa(int(k.PID))
	}
	return "group " + strconv.FormatUint(k.Group, 10)
}

// find returns the row of a key in an interval, nil if there is none.
func (iv *interval) find(k Key) *row {
	within := k
	if k.By == ByTask || k.Ended {
		within = Key{}
	}
	rows := iv.rowsOf(k.By, within)
	for i := range rows {
		if rows[i].key() == k {
			return &rows[i]
		}
	}
	return nil
}

// facts are what is known besides figures.
func (iv *interval) facts(r *row, k Key) (facts []Fact) {
	add := func(name, text string) { facts = append(facts, Fact{Name: name, Cell: ofText(text)}) }
	if t := r.task; t != nil {
		add("task", strconv.Itoa(int(t.TID)))
		add("process", strconv.Itoa(int(t.PID))+" "+t.Process)
		add("user", strconv.FormatUint(uint64(t.UID), 10))
		switch {
		case t.Kernel:
			add("kind", "thread of the kernel")
		case t.Born && t.Exited:
			add("life", "born and ended in this interval")
		case t.Born:
			add("life", "born in this interval")
		case t.Exited:
			add("life", "ended in this interval")
		}
	}
	if k.By == ByProcess && k.PID != 0 {
		add("process", strconv.Itoa(int(k.PID)))
	}
	if k.By != ByProgram {
		if g := iv.groups[r.group()]; g != nil {
			add("group", g.Name+" ("+cmp.Or(g.Kind, "group")+")")
			add("path", cmp.Or(g.Path, "not found"))
			if q := g.Throttling; q != nil && k.By == ByGroup {
				add("quota", strconv.FormatUint(q.Times, 10)+" times stopped by its own CPU quota")
			}
		}
	}
	return facts
}

// distributionOf adds up the buckets of each octave.
func distributionOf(name string, h histogram.Histogram) Distribution {
	d := Distribution{
		Name: name, Count: report.Of(float64(h.Count), report.Count),
		P50: metric.Quantile(h, 0.5), P99: metric.Quantile(h, 0.99),
		Max: report.Maybe(float64(h.MaxNS), h.Count > 0, report.Nanoseconds),
	}
	var counts [65]uint64
	first, end := len(counts), 0
	var most uint64
	for b, n := range h.Buckets() {
		low, _ := histogram.BucketBounds(b)
		octave := bits.Len64(low)
		counts[octave] += n
		first, end, most = min(first, octave), max(end, octave+1), max(most, counts[octave])
	}
	for octave := first; octave < end; octave++ {
		n := counts[octave]
		s := Step{
			Low: report.Of(0, report.Nanoseconds), High: report.Of(math.Ldexp(1, octave), report.Nanoseconds),
			Count: report.Of(float64(n), report.Count), Share: report.Of(100*float64(n)/float64(h.Count), report.Share),
			Height: float64(n) / float64(most),
		}
		if octave > 0 {
			s.Low.Value = math.Ldexp(1, octave-1)
		}
		d.Steps = append(d.Steps, s)
	}
	return d
}
