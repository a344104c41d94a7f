package render

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

const (
	mostStrip    = 72 // columns of a lane
	workerSigns  = "0123456789abcdefghijklmnopqrstuvwxyz"
	manySign     = '*' // a worker with a greater number
	otherSign    = '+'
	idleSign     = '·'
	lanesMeaning = "0 to 9, a to z: workers; + other tasks; · idle."
)

// lanes draws lanes as lines of signs.
func (p *page) lanes(l *view.Lanes) {
	for i, g := range l.Groups {
		if i > 0 {
			p.WriteByte('\n')
		}
		label := 0
		for _, lane := range g.Lanes {
			label = max(label, twwidth.Width(Printable(lane.Label)))
		}
		columns := max(1, min(mostStrip, p.opts.Width-label-4))
		each := report.Of(g.Span.Value/float64(columns), g.Span.Unit)
		p.wrap(fmt.Sprintf("%s: %s, a sign is %s", g.Name, g.Span, each), "  ")
		for _, lane := range g.Lanes {
			name := Printable(lane.Label)
			fmt.Fprintf(p, "  %s%s  %s\n", name, strings.Repeat(" ", label-twwidth.Width(name)), strip(lane, columns))
		}
	}
	p.wrap(lanesMeaning, "")
}

// strip draws a lane by who had the core for most of the time of each column.
func strip(lane view.Lane, columns int) string {
	out := make([]rune, columns)
	had := make(map[int]float64)
	first := 0
	for i := range out {
		from, to := float64(i)/float64(columns), float64(i+1)/float64(columns)
		clear(had)
		idle := to - from
		for ; first < len(lane.Bars) && lane.Bars[first].To <= from; first++ {
		}
		for _, b := range lane.Bars[first:] {
			if b.From >= to {
				break
			}
			time := max(0, min(b.To, to)-max(b.From, from))
			had[b.Worker] += time
			idle -= time
		}
		out[i] = idleSign
		most := idle
		for worker := -1; worker <= maxWorker(lane); worker++ {
			if had[worker] > most {
				most, out[i] = had[worker], sign(worker)
			}
		}
	}
	return string(out)
}

func maxWorker(lane view.Lane) (most int) {
	for _, b := range lane.Bars {
		most = max(most, b.Worker)
	}
	return most
}

func sign(worker int) rune {
	switch {
	case worker < 0:
		return otherSign
	case worker < len(workerSigns):
		return rune(workerSigns[worker])
	}
	return manySign
}
