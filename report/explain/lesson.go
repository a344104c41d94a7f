package explain

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/slicetrace/slicetrace/report/findings"
)

// Lesson explains one claim.
type Lesson struct {
	findings.Claim
	// About says what the claim is about, and Measured how it is decided, in a paragraph each.
	About, Measured string
	// Try are things to do, and Read is further reading.
	Try, Read []string
}

// lessonText has a part for each claim, which begins with "# " and the claim's name: a paragraph, and sections with a
// paragraph or a list.
//
//go:embed lessons.md
var lessonText string

// Lessons returns the lessons of all claims, in order.
var Lessons = sync.OnceValue(func() []Lesson {
	parts := make(map[string]string)
	for part := range strings.SplitSeq("\n"+lessonText, "\n# ") {
		name, text, _ := strings.Cut(part, "\n")
		parts[name] = text
	}
	var lessons []Lesson
	for _, c := range findings.Claims() {
		l := Lesson{Claim: c}
		for i, section := range strings.Split(parts[c.ID], "\n## ") {
			heading, text, _ := strings.Cut(section, "\n")
			switch {
			case i == 0:
				l.About = paragraph(section)
			case heading == "How it is measured":
				l.Measured = paragraph(text)
			case heading == "Try":
				l.Try = list(text)
			case heading == "Read":
				l.Read = list(text)
			}
		}
		lessons = append(lessons, l)
	}
	return lessons
})

// paragraph joins the lines of a paragraph.
func paragraph(text string) string { return strings.Join(strings.Fields(text), " ") }

// list returns the entries of a list, each a paragraph.
func list(text string) (entries []string) {
	for entry := range strings.SplitSeq("\n"+text, "\n- ") {
		if entry = paragraph(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}
