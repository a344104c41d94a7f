package render

import (
	"fmt"
	"math"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/timeline"
	"github.com/slicetrace/slicetrace/report/view"
)

// pageData is the data that the page's script draws, as JSON in the page.
type pageData struct {
	BinsPerOctave int          `json:"binsPerOctave"`
	Loads         []loadData   `json:"loads"`
	Windows       []windowData `json:"windows"`
	Flames        *flameData   `json:"flames,omitempty"`
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
	// Percent is rounded to four decimals; more cannot be seen.
	Percent []float64 `json:"percent"`
}

// windowData has times in nanoseconds from the start of the window.
type windowData struct {
	Name   string      `json:"name"`
	Length int64       `json:"length"`
	CPUs   []sched.CPU `json:"cpus"`
	Tasks  []string    `json:"tasks"`
	// Role is what tasks with a number are: workers, or tasks of a command or a watched system.
	Role string `json:"role"`
	// Workers are the numbers of the tasks in the trial, -1 for other tasks.
	Workers []int    `json:"workers"`
	Causes  []string `json:"causes"`
	// Slices are, for each of CPUs, rows of start, length, task, reason, pick and switch.
	Slices [][][6]int64 `json:"slices"`
}

// distributionTable has the figures of the plots of one load.
type distributionTable struct {
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
		s := distributionTable{Name: Printable(l.Load)}
		load := loadData{Name: s.Name}
		for _, d := range l.Distributions {
			kind := kindData{Name: d.Name, Modes: []modeData{}}
			for _, m := range d.Modes {
				mode := Printable(string(m.Mode))
				s.Rows = append(s.Rows, distributionRow{d.Name, mode, []string{
					m.Count.String(), m.P50.String(), m.P90.String(), m.P99.String(), m.Max.String(),
				}})
				kind.Modes = append(kind.Modes, modeData{mode, m.LogBins.First, rounded(m.LogBins.Percent)})
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

// windowTable has the figures of a window.
type windowTable struct {
	Name, Caption string
	Rows          []windowRow
}

type windowRow struct {
	Name, Role string
	// Colour is the number of the worker's colour, "" for a task that is not a worker.
	Colour  string
	Figures []string
}

// workerColours is the number of colours in the page's script.
const workerColours = 8

func (v *pageModel) addWindows(windows []timeline.Window) {
	ns := func(n int64) string { return report.Of(float64(n), report.Nanoseconds).String() }
	for _, w := range windows {
		name := strings.Join(strings.Fields(w.Mark.Workload+" "+w.Mark.Variant), " ")
		switch {
		case w.Mark.Mode == "":
			name = "the recording"
		case w.Mark.Mode == string(report.SystemMode):
			name = fmt.Sprintf("interval %d", w.Mark.Round)
		case w.Mark.Mode != string(report.Command):
			name += " as " + w.Mark.Mode
		}
		count := func(n uint64) report.Quantity { return report.Of(float64(n), report.Count) }
		s := windowTable{Name: Printable(name)}
		s.Caption = fmt.Sprintf("%s, from %s after the recording's start; %s slices.",
			ns(w.EndNS-w.StartNS), ns(w.StartNS-w.OriginNS), count(uint64(len(w.Slices))))
		if w.Lost > 0 {
			s.Caption += fmt.Sprintf(" %s events are missing from the recording here.", count(w.Lost))
		}
		data := windowData{
			Name: s.Name, Role: "worker", Length: w.EndNS - w.StartNS, CPUs: w.CPUs,
			Slices: make([][][6]int64, len(w.CPUs)),
		}
		if m := report.Mode(w.Mark.Mode); m == report.Command || m == report.SystemMode {
			data.Role = "task"
		}
		for _, c := range report.Causes() {
			data.Causes = append(data.Causes, string(c))
		}
		index := map[sched.TID]int64{}
		for i, t := range w.Tasks {
			index[t.TID] = int64(i)
			row := windowRow{Name: fmt.Sprintf("%s %d", Printable(t.Comm), t.TID), Role: "other", Figures: []string{
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
						slice.StartNS - w.StartNS, slice.EndNS - slice.StartNS, index[slice.TID],
						int64(slice.EndedBy), slice.PickNS, slice.SwitchNS,
					})
				}
			}
		}
		v.Windows = append(v.Windows, s)
		v.Data.Windows = append(v.Data.Windows, data)
	}
}
