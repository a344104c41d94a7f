package report

// SideBySide shows the medians of the main metrics of two reports beside each
// other, without a judgement: which of them differ is a question for a test.
func SideBySide(old, new *Report) Section {
	s := Section{
		Title:   "Before and after",
		Caption: "Medians over rounds, ± the wider side of the 95 % confidence interval. What differs by less than the intervals may be alike.",
		Columns: []Column{textColumn("metric"), textColumn("mode"), {Name: "before"}, {Name: "after"}},
	}
	notes := map[string]bool{}
	for _, l := range new.loads() {
		g := Group{Name: l.name, Variant: l.variant}
		for _, m := range []metric{throughput(), switchP50(), costP50(), sliceP50(), waitP99()} {
			for _, mode := range l.modes {
				before, after := sampleRounds(old.trialsOf(l, mode), m), sampleRounds(new.trialsOf(l, mode), m)
				if len(before.values)+len(after.values) > 0 {
					g.Rows = append(g.Rows, Row{textCell(m.name), textCell(string(mode)), before.cell(notes), after.cell(notes)})
				}
			}
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	if !s.empty() {
		s.Notes = roundNotes(notes)
	}
	return s
}
