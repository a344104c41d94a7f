package report

// list returns an empty list either as an empty slice, which is how it is written, or as nil.
// Earlier versions wrote null, and a report's ID is computed from that. Other lists are returned as
// they are.
func list[T any](entries []T, empty bool) []T {
	switch {
	case len(entries) > 0:
		return entries
	case empty:
		return []T{}
	}
	return nil
}

// withLists returns the report with its empty lists as empty slices or as nil. It does not change
// the lists of its trials.
func (r Report) withLists(empty bool) Report {
	r.Setup.Modes = list(r.Setup.Modes, empty)
	r.Setup.CPUs = list(r.Setup.CPUs, empty)
	// Earlier versions did not write null for these two.
	r.Trials = list(r.Trials, true)
	r.Host.Mitigations = list(r.Host.Mitigations, true)
	untraced := make([]Trial, len(r.Untraced))
	for i, t := range r.Untraced {
		untraced[i] = t.withLists(empty)
	}
	r.Untraced = list(untraced, false)
	stacks := make([]Stack, len(r.Stacks))
	for i, stack := range r.Stacks {
		stacks[i] = list(stack, true)
	}
	r.Stacks = list(stacks, false)
	return r
}

// withLists returns the trial with its empty lists as empty slices or as nil.
func (t Trial) withLists(empty bool) Trial {
	t.Workers = list(t.Workers, empty)
	cores := make([]Core, len(t.Cores))
	for i, c := range t.Cores {
		c.Classes = list(c.Classes, empty)
		c.Slices = list(c.Slices, empty)
		cores[i] = c
	}
	t.Cores = list(cores, empty)
	if s := t.System; s != nil { // no version wrote null here
		lists := *s
		lists.Groups, lists.Tasks, lists.Queues = list(s.Groups, true), list(s.Tasks, true), list(s.Queues, true)
		t.System = &lists
	}
	if t.Why != nil {
		why := *t.Why
		why.Waits = list(t.Why.Waits, true)
		t.Why = &why
	}
	return t
}
