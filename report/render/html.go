package render

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/timeline"
	"github.com/slicetrace/slicetrace/report/view"
)

//go:embed page
var pageFiles embed.FS

// PageOptions are what an HTML page shows besides its report. The zero value is nothing.
type PageOptions struct {
	// Comparison is a comparison with earlier reports, nil for none.
	Comparison *compare.Comparison
	// Windows are parts of the run's recording, drawn slice by slice.
	Windows []timeline.Window
}

// HTML writes the report as a single page that needs no other file and no network. Its
// Content-Security-Policy lets it load nothing and run no script but its own.
func HTML(w io.Writer, r *report.Report, opts PageOptions) error {
	files := make(map[string]string)
	for _, name := range []string{
		"page.html", "page.css", "uplot/uPlot.min.css", "uplot/uPlot.iife.min.js", "uplot/LICENSE",
		"format.js", "distributions.js", "timeline.js", "flame.js", "page.js",
	} {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return fmt.Errorf("write page: %w", err)
		}
		files[name] = string(text)
	}
	t, err := template.New("page").Parse(files["page.html"])
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	style := files["uplot/uPlot.min.css"] + "\n" + files["page.css"]
	script := strings.Join([]string{
		files["uplot/uPlot.iife.min.js"], files["format.js"],
		files["distributions.js"], files["timeline.js"], files["flame.js"], files["page.js"],
	}, "\n")
	v := newPageModel(r, opts)
	v.Style, v.Script, v.Licence = template.CSS(style), template.JS(script), files["uplot/LICENSE"]
	v.Policy = fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; base-uri 'none'; form-action 'none'",
		digest(script), digest(style))
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// digest identifies a script or style in the page's policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageModel is the data of the page's template. Every text in it is printable.
type pageModel struct {
	Policy, Licence, Tool   string
	Style                   template.CSS
	Script                  template.JS
	Headline, Alert         string
	Host, Subject, Warnings []string
	Highlights              []highlight
	Sections, More          []htmlSection
	Distributions           []distributionTable
	Windows                 []windowTable
	Flames                  flameChoices
	Data                    pageData
}

type highlight struct{ Label, Figure string }

func newPageModel(r *report.Report, opts PageOptions) *pageModel {
	p := view.PageOf(r)
	v := &pageModel{
		Tool:     Printable(r.Tool.Name + " " + r.Tool.Version),
		Headline: Printable(p.Headline),
		Alert:    Printable(p.Summary.Alert),
	}
	for i, part := range p.Summary.Header {
		if i > 0 { // the first part is the name of the program
			v.Host = append(v.Host, Printable(part))
		}
	}
	for _, q := range p.Summary.Subject {
		v.Subject = append(v.Subject, part(q))
	}
	for _, warning := range p.Summary.Warnings {
		v.Warnings = append(v.Warnings, Printable(warning))
	}
	for _, h := range p.Highlights {
		v.Highlights = append(v.Highlights, highlight{Printable(h.Label), h.Value.String()})
	}
	for i, e := range p.Exhibits {
		if i == len(p.Exhibits)-1 { // the last one is Trust
			v.Sections = append(v.Sections, timelineSection())
			v.addComparison(opts.Comparison)
		}
		s := newHTMLSection(e.Name, e.Section, e.Chart)
		switch {
		case e.Name == "distributions":
			s.Other = e.Name
		case e.Name == "stacks" && p.Flames != nil:
			s.Other = "flames"
		}
		v.Sections = append(v.Sections, s)
	}
	for i, s := range p.More {
		v.More = append(v.More, newHTMLSection(fmt.Sprintf("more-%d", i+1), s, nil))
	}
	v.addDistributions(p.Distributions)
	v.addWindows(opts.Windows)
	v.addFlames(p.Flames)
	return v
}

// addComparison adds a section for each section of a comparison, with every figure.
func (v *pageModel) addComparison(c *compare.Comparison) {
	if c == nil {
		return
	}
	for i, s := range view.SummarizeComparison(c, true).Sections {
		v.Sections = append(v.Sections, newHTMLSection(fmt.Sprintf("compare-%d", i+1), s, nil))
	}
}

func timelineSection() htmlSection {
	return htmlSection{ID: "timeline", Title: "Timeline", Other: "timeline"}
}
