package report

import (
	"fmt"
	"slices"
)

// Drift is what became of one setting, or of a part of the host, after the beginning of a run.
type Drift struct {
	// Name is the setting's, and Began its value when the run began, "" where that was not read.
	Name, Began string
	// Values are the other ones that it had, in the order in which they came.
	Values []string
	// Trials name those that met one of the values, such as "spin in threads, round 1".
	Trials []string
	// Inside is the first change within a trial, where no value is known of the beginning;
	// Inside.Name is then that trial's, else "".
	Inside SettingChange
}

// Drifts returns the settings that did not stay, in the order in which they changed.
func (r *Report) Drifts() []*Drift {
	var list []*Drift
	find := func(name string) *Drift {
		for _, d := range list {
			if d.Name == name {
				return d
			}
		}
		d := &Drift{Name: name}
		if value, ok := r.Settings[name]; ok {
			d.Began = value
		} else {
			host := r.Host.Properties()
			if i := slices.IndexFunc(host, func(p Property) bool { return p.Name == name }); i >= 0 {
				d.Began = host[i].Value
			}
		}
		list = append(list, d)
		return d
	}
	for i := range r.Trials {
		for _, c := range r.Trials[i].Settings {
			d := find(c.Name)
			d.add(c.Start, c.End)
			d.Trials = append(d.Trials, r.Trials[i].label())
			if d.Began == "" && d.Inside.Name == "" {
				d.Inside = SettingChange{Name: r.Trials[i].label(), Start: c.Start, End: c.End}
			}
		}
	}
	for _, c := range r.SettingsAtEnd {
		find(c.Name).add(c.End)
	}
	return list
}

func (d *Drift) add(values ...string) {
	for _, v := range values {
		if v != d.Began && !slices.Contains(d.Values, v) {
			d.Values = append(d.Values, v)
		}
	}
}

// label names a trial in a sentence.
func (t *Trial) label() string {
	name := WorkloadTitle(t.Workload, t.Variant)
	if t.Mode == Command {
		return name
	}
	return fmt.Sprintf("%s in %s, round %d", name, t.Mode, t.Round)
}
