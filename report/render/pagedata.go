package render

import (
	"fmt"
	"math"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/timeline"
	"github.com/slicetrace/slicetrace/report/view"
)

// pageData is what the page's script draws, as JSON in the page.
type pageData struct {
	BinsPerOctave int          `json:"binsPerOctave"`
	Loads         []loadData   `json:"loads"`
	Windows       []windowData `json:"windows"`
}

type loadData struct {
	Name  string     `json:"name"`
	Kinds []kindData `json:"kinds"`
}

type kindData struct {
	Name  string     `json:"name"`
	Modes []modeData `json:"modes"`
}

type modeData struct {
	Mode  string `json:"mode"`
	First int    `json:"first"`
	// Percent has four digits: more cannot be seen.
	Percent []float64 `json:"percent"`
}

// windowData has times in nanoseconds since the window's start.
type windowData struct {
	Name   string   `json:"name"`
	Length int64    `json:"length"`
	CPUs   []int    `json:"cpus"`
	Tasks  []string `json:"tasks"`
	// Role is what the tasks with a number are: workers, or a command's tasks.
	Role string `json:"role"`
	// Workers are the tasks' numbers in the trial, -1 for others.
	Workers []int    `json:"workers"`
	Causes  []string `json:"causes"`
	// Slices are rows of start, length, task, cause, pick and switch for each of CPUs.
	Slices [][][6]int64 `json:"slices"`
}

// distributionSheet is the table that says in figures what a load's plots show.
type distributionSheet struct {
	Name string
	Rows []distributionRow
}

type distributionRow struct {
	Kind, Mode string
	Figures    []string
}

func (v *pageModel) addDistributions(all []view.LoadDistributions) {
	v.Data = pageData{BinsPerOctave: view.BinsPerOctave, Loads: []loadData{}, Windows: []windowData{}}
	for _, l := range all {
		s := distributionSheet{Name: printable(l.Load)}
		load := loadData{Name: s.Name}
		for _, d := range l.Distributions {
			kind := kindData{Name: d.Name, Modes: []modeData{}}
			for _, m := range d.Modes {
				mode := printable(string(m.Mode))
				s.Rows = append(s.Rows, distributionRow{d.Name, mode, []string{
					m.Count.String(), m.P50.String(), m.P90.String(), m.P99.String(), m.Max.String(),
				}})
				kind.Modes = append(kind.Modes, modeData{mode, m.Shape.First, rounded(m.Shape.Percent)})
			}
			load.Kinds = append(load.Kinds, kind)
		}
		v.Distributions = append(v.Distributions, s)
		v.Data.Loads = append(v.Data.Loads, load)
	}
}

func rounded(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, x := range values {
		out[i] = math.Round(x*1e4) / 1e4
	}
	return out
}

// windowSheet is the table that says in figures what a window shows.
type windowSheet struct {
	Name, Caption string
	Rows          []windowRow
}

type windowRow struct {
	Name, Role string
	// Colour is the number of the worker's colour, "" for a task that is no worker.
	Colour  string
	Figures []string
}

// workerColours is how many the page's script has.
const workerColours = 8

func (v *pageModel) addWindows(windows []timeline.Window) {
	ns := func(n int64) string { return report.Of(float64(n), report.Nanoseconds).String() }
	for _, w := range windows {
		name := strings.Join(strings.Fields(w.Mark.Workload+" "+w.Mark.Variant), " ")
		switch {
		case w.Mark.Mode == "":
			name = "the recording"
		case w.Mark.Mode != string(report.Command):
			name += " as " + w.Mark.Mode
		}
		s := windowSheet{Name: printable(name), Caption: fmt.Sprintf("%s, from %s after the recording's start; %s slices.",
			ns(w.EndNS-w.StartNS), ns(w.StartNS-w.OriginNS), report.Of(float64(len(w.Slices)), report.Count))}
		if w.Lost > 0 {
			s.Caption += fmt.Sprintf(" %s events are missing from the recording here.", report.Of(float64(w.Lost), report.Count))
		}
		data := windowData{Name: s.Name, Role: "worker", Length: w.EndNS - w.StartNS, CPUs: w.CPUs, Slices: make([][][6]int64, len(w.CPUs))}
		if w.Mark.Mode == string(report.Command) {
			data.Role = "task"
		}
		for _, c := range report.Causes() {
			data.Causes = append(data.Causes, string(c))
		}
		index := map[int32]int64{}
		for i, t := range w.Tasks {
			index[t.TID] = int64(i)
			row := windowRow{Name: fmt.Sprintf("%s %d", printable(t.Comm), t.TID), Role: "other", Figures: []string{
				report.Of(float64(t.Slices), report.Count).String(), ns(t.OnCPUNS), ns(t.LongestNS),
			}}
			if t.Worker >= 0 {
				row.Role, row.Colour = fmt.Sprintf("%s %d", data.Role, t.Worker), fmt.Sprint(t.Worker%workerColours)
			}
			s.Rows = append(s.Rows, row)
			data.Tasks = append(data.Tasks, row.Name)
			data.Workers = append(data.Workers, t.Worker)
		}
		for _, slice := range w.Slices {
			for i, cpu := range w.CPUs {
				if cpu == slice.CPU {
					data.Slices[i] = append(data.Slices[i], [6]int64{
						slice.StartNS - w.StartNS, slice.EndNS - slice.StartNS, index[slice.TID], int64(slice.EndedBy), slice.PickNS, slice.SwitchNS,
					})
				}
			}
		}
		v.Windows = append(v.Windows, s)
		v.Data.Windows = append(v.Data.Windows, data)
	}
}
