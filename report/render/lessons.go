package render

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report/view"
)

// Lessons writes explanations as a single page that needs no other file and no network, and runs no script. Text
// between backticks is code.
func Lessons(w io.Writer, title string, lessons []*view.Summary) error {
	files := make(map[string]string)
	for _, name := range []string{"page.html", "lessons.html", "page.css", "lessons.css"} {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return fmt.Errorf("write page: %w", err)
		}
		files[name] = string(text)
	}
	t, err := template.New("page").Funcs(template.FuncMap{"prose": prose}).Parse(files["page.html"])
	if err == nil {
		t, err = t.New("lessons").Parse(files["lessons.html"])
	}
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	style := files["page.css"] + files["lessons.css"]
	model := lessonPage{
		Title: title, Style: template.CSS(style),
		Policy: fmt.Sprintf("default-src 'none'; style-src %s; base-uri 'none'; form-action 'none'", digest(style)),
	}
	for i, s := range lessons {
		model.Lessons = append(model.Lessons, newHTMLLesson(i, s))
	}
	if err := t.Execute(w, model); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

type lessonPage struct {
	Title, Policy string
	Style         template.CSS
	Lessons       []htmlLesson
}

// htmlLesson is an explanation as a page shows it. Every text in it is printable.
type htmlLesson struct {
	ID, Name, Title string
	Sections        []lessonSection
}

type lessonSection struct {
	htmlSection
	// Listed says that the items are a plain list.
	Listed bool
	Lanes  []htmlLanes
}

// htmlLanes are the cores of one picture.
type htmlLanes struct {
	Name, Span string
	Lanes      []htmlLane
}

type htmlLane struct {
	Label string
	Bars  []htmlBar
}

// htmlBar is a slice, in a lane of 1000 units. Class is its colour.
type htmlBar struct {
	X, Width    string
	Class, Text string
}

func newHTMLLesson(number int, s *view.Summary) htmlLesson {
	l := htmlLesson{ID: fmt.Sprintf("topic-%d", number+1), Name: Printable(s.Header[0])}
	l.Title = Printable(strings.Join(s.Header, " · "))
	for i, section := range s.Sections {
		out := lessonSection{htmlSection: newHTMLSection(fmt.Sprintf("%s-%d", l.ID, i+1), section, nil)}
		out.Listed = len(out.Items) > 0 && out.Items[0].Meaning == ""
		if section.Lanes != nil {
			for _, g := range section.Lanes.Groups {
				out.Lanes = append(out.Lanes, newHTMLLanes(g))
			}
		}
		l.Sections = append(l.Sections, out)
	}
	return l
}

func newHTMLLanes(g view.LaneGroup) htmlLanes {
	out := htmlLanes{Name: Printable(g.Name), Span: g.Span.String()}
	for _, lane := range g.Lanes {
		l := htmlLane{Label: Printable(lane.Label)}
		for _, b := range lane.Bars {
			bar := htmlBar{
				X: fmt.Sprintf("%.2f", 1000*b.From), Width: fmt.Sprintf("%.2f", max(0.5, 1000*(b.To-b.From))),
				Class: "others", Text: "another task",
			}
			if b.Worker >= 0 {
				bar.Class, bar.Text = fmt.Sprintf("w%d", b.Worker%workerColours), fmt.Sprintf("worker %d", b.Worker)
			}
			l.Bars = append(l.Bars, bar)
		}
		out.Lanes = append(out.Lanes, l)
	}
	return out
}

// prosePart is a piece of a text.
type prosePart struct {
	Text   string
	IsCode bool
}

// prose divides a text at its backticks: every other piece is code.
func prose(text string) (parts []prosePart) {
	for i, piece := range strings.Split(text, "`") {
		parts = append(parts, prosePart{piece, i%2 == 1})
	}
	return parts
}
