package report

// list returns a list without entries as empty, as it is written, or as nil, which was
// written as null once and is what a report is known by (see ID). Else it is as it was.
func list[T any](entries []T, empty bool) []T {
	switch {
	case len(entries) > 0:
		return entries
	case empty:
		return []T{}
	}
	return nil
}

// withLists returns the report with all its lists empty or nil, but for the trials' own.
func (r Report) withLists(empty bool) Report {
	r.Setup.Modes = list(r.Setup.Modes, empty)
	r.Setup.CPUs = list(r.Setup.CPUs, empty)
	// These two were never written as null.
	r.Trials = list(r.Trials, true)
	r.Host.Mitigations = list(r.Host.Mitigations, true)
	return r
}

// withLists returns the trial with all its lists empty or nil.
func (t Trial) withLists(empty bool) Trial {
	t.Workers = list(t.Workers, empty)
	cores := make([]Core, len(t.Cores))
	for i, c := range t.Cores {
		c.Classes = list(c.Classes, empty)
		c.Slices = list(c.Slices, empty)
		cores[i] = c
	}
	t.Cores = list(cores, empty)
	return t
}
