package render

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// flameData is view.FlameGraphs for the page's script.
type flameData struct {
	Labels    []flameLabel `json:"labels"`
	Graphs    []flameGraph `json:"graphs"`
	Estimated bool         `json:"estimated"`
}

type flameLabel struct {
	Kind   view.FlameKind `json:"kind"`
	Name   string         `json:"name"`
	Module string         `json:"module,omitempty"`
	File   string         `json:"file,omitempty"`
}

type flameGraph struct {
	Name string `json:"name"`
	// Nodes are rows of parent, label, line, time, returns and longest absence.
	Nodes [][6]int64 `json:"nodes"`
}

// flameChoices is what a reader can choose from.
type flameChoices struct {
	Graphs  []flameChoice
	Caption string
}

type flameChoice struct {
	Name, Total   string
	Chosen, Empty bool
}

// addFlames adds the flame graphs. The first that is not empty is shown at first.
func (v *pageModel) addFlames(f *view.FlameGraphs) {
	if f == nil {
		return
	}
	data := &flameData{Estimated: f.Estimated}
	for _, l := range f.Labels {
		data.Labels = append(data.Labels, flameLabel{l.Kind, Printable(l.Name), Printable(l.Module), Printable(l.File)})
	}
	v.Flames.Caption = f.Caption
	chosen := false
	for _, g := range []struct {
		name  string
		nodes []view.FlameNode
	}{{"blocked", f.Blocked.Nodes}, {"runnable", f.Runnable.Nodes}} {
		graph := flameGraph{Name: g.name, Nodes: [][6]int64{}}
		choice := flameChoice{Name: g.name, Empty: len(g.nodes) == 0, Chosen: len(g.nodes) > 0 && !chosen}
		chosen = chosen || choice.Chosen
		total := int64(0)
		for i := range g.nodes {
			n := &g.nodes[i]
			// Only numbers below 2^53 are exact in a script.
			times := int64(math.Round(min(n.Times, 1<<53)))
			graph.Nodes = append(graph.Nodes,
				[6]int64{int64(n.Parent), int64(n.Label), int64(n.Line), n.NS, times, n.LongestNS})
		}
		if !choice.Empty {
			total = g.nodes[0].NS
		}
		choice.Total = report.Of(float64(total), report.Nanoseconds).String()
		data.Graphs, v.Flames.Graphs = append(data.Graphs, graph), append(v.Flames.Graphs, choice)
	}
	v.Data.Flames = data
}
