package report

import (
	"fmt"
	"slices"
)

// Drift describes how one setting, or one property of the host, changed after a run began.
type Drift struct {
	// Name is the setting's name. Began is its value when the run began, "" if that was not read.
	Name, Began string
	// Values are the other values that it had, in the order in which they were seen.
	Values []string
	// Trials are the trials in which another value was seen, such as "spin in threads, round 1".
	Trials []string
	// Unchanged are the other trials.
	Unchanged []string
	// Inside is the first change within a trial, if the value at the beginning of the run is not
	// known. Inside.Name is then the name of that trial, otherwise "".
	Inside SettingChange
}

// Drifts returns the settings that changed, in the order in which they did.
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
	for _, d := range list {
		for i := range r.Trials {
			of := func(c SettingChange) bool { return c.Name == d.Name }
			if !slices.ContainsFunc(r.Trials[i].Settings, of) {
				d.Unchanged = append(d.Unchanged, r.Trials[i].label())
			}
		}
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

// label names a trial within a sentence.
func (t *Trial) label() string {
	name := WorkloadTitle(t.Workload, t.Variant)
	switch t.Mode {
	case Command:
		return name
	case SystemMode:
		return fmt.Sprintf("interval %d", t.Round)
	}
	return fmt.Sprintf("%s in %s, round %d", name, t.Mode, t.Round)
}
