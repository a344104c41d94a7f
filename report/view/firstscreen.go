package view

import (
	"fmt"
	"unicode/utf8"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// FirstScreen computes what a reader wants to know first, in at most 24 lines of 80 columns: of bundled
// workloads what processes and threads cost here, and how far that can be trusted. Of anything else it
// is the same as Overview.
func FirstScreen(r *report.Report) *Summary {
	if len(metric.BundledModes(r)) == 0 {
		return Overview(r)
	}
	s := summaryOf(r, subject(r), []Section{answerSection(r)})
	s.condense(r)
	return s
}

// How much of texts of unknown length the first screen shows, in characters.
const (
	briefLine = 48
	briefHead = 150
	briefNote = 130
)

// fitting returns as many texts as are not too long together.
func fitting(texts []string) []string {
	out, all := []string(nil), 0
	for _, text := range texts {
		text = shortened(text, briefLine)
		if all += utf8.RuneCountInString(text + " · "); all > briefHead {
			break
		}
		out = append(out, text)
	}
	return out
}

// condense says in one word whether the figures can be used, and shortens what can be long.
func (s *Summary) condense(r *report.Report) {
	s.Header = fitting(s.Header)
	if len(r.Setup.Workloads) > 0 {
		s.Subject[0].Label = shortened(s.Subject[0].Label, briefNote)
	}
	clean, reasons := r.Clean()
	s.Subject = append(s.Subject, Part{Label: words.Choose(clean, "clean", "not clean")})
	more := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(" (and %d more: -v)", n)
	}
	notes := len(s.Warnings)
	switch {
	case !clean:
		others := len(reasons) - 1 + notes
		s.Alert, s.Warnings = "Not clean: "+shortened(reasons[0], briefNote)+more(others), nil
	case notes > 0:
		s.Warnings = []string{shortened(s.Warnings[0], briefNote) + more(notes-1)}
	}
}

// HiddenNotes returns what the first screen of a report of bundled work says in part or not at all of what went wrong
// in the run.
func HiddenNotes(r *report.Report) []string {
	if len(metric.BundledModes(r)) == 0 {
		return nil
	}
	clean, _ := r.Clean()
	var hidden []string
	for i, w := range r.Warnings {
		if i > 0 || !clean || shortened(w, briefNote) != w {
			hidden = append(hidden, w)
		}
	}
	return hidden
}
