package explain

import (
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// Machine is what is known of the reader's own machine. The zero value is nothing.
type Machine struct {
	// Report has findings, and Name is what the reader calls it. It is nil for none.
	Report *report.Report
	Name   string
	// Picture is a claim's picture, nil for none.
	Picture *view.Lanes
	// Notes say why something is missing.
	Notes []string
}

// Summary prepares a topic to be shown.
func (t Topic) Summary(m Machine) *view.Summary {
	if t.Word != nil {
		return t.Word.summary(m)
	}
	return t.Lesson.summary(m)
}

func (l *Lesson) summary(m Machine) *view.Summary {
	s := &view.Summary{Header: []string{l.ID, l.Title}}
	s.Sections = append(s.Sections,
		view.Section{Title: l.Statement, Caption: l.About},
		view.Section{Title: "How it is measured", Caption: l.Measured},
	)
	here := view.Section{Title: "On this machine", Notes: m.Notes, Lanes: m.Picture}
	if m.Report != nil {
		here.Caption = "From " + m.Name + "."
		if f := m.finding(l.ID); f != nil {
			one := view.FindingSection(*f)
			here.Items, here.Columns, here.Groups = one.Items, one.Columns, one.Groups
		}
	}
	if len(here.Items)+len(here.Notes) > 0 || here.Lanes != nil {
		s.Sections = append(s.Sections, here)
	}
	s.Sections = append(s.Sections, listed("Try", l.Try), listed("Read", l.Read))
	return s
}

func (w *Word) summary(m Machine) *view.Summary {
	s := &view.Summary{Header: w.Names}
	s.Sections = append(s.Sections, view.Section{Title: "Meaning", Caption: w.Meaning})
	here := view.Section{Title: "On this machine", Notes: m.Notes}
	if m.Report != nil {
		here.Caption = "From " + m.Name + "."
		for _, id := range w.claims() {
			if f := m.finding(id); f != nil {
				here.Items = append(here.Items, view.FindingSection(*f).Items...)
			}
		}
	}
	if len(here.Items)+len(here.Notes) > 0 {
		s.Sections = append(s.Sections, here)
	}
	if len(w.See) > 0 {
		s.Sections = append(s.Sections, view.Section{Title: "See also", Caption: strings.Join(w.See, ", ")})
	}
	return s
}

// finding returns the report's finding of a claim, nil if it has none.
func (m Machine) finding(claim string) *report.Finding {
	for i := range m.Report.Findings {
		if m.Report.Findings[i].Claim == claim {
			return &m.Report.Findings[i]
		}
	}
	return nil
}

func listed(title string, entries []string) view.Section {
	s := view.Section{Title: title}
	for _, e := range entries {
		s.Items = append(s.Items, view.Item{Mark: "-", Text: e})
	}
	return s
}

// Contents lists all topics.
func Contents() *view.Summary {
	claims := view.Section{Title: "Claims"}
	for _, l := range Lessons() {
		claims.Items = append(claims.Items, view.Item{Mark: " ", Name: l.ID, Text: l.Statement})
	}
	var names []string
	for _, w := range Words() {
		names = append(names, w.Names[0])
	}
	return &view.Summary{
		Header:   []string{"slicetrace explain TOPIC"},
		Sections: []view.Section{claims, {Title: "Words", Caption: strings.Join(names, " · ")}},
	}
}
