package render

import (
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report/view"
)

// htmlSection is a section as a page shows it. Every text in it is printable.
type htmlSection struct {
	ID, Title, Caption string
	Plot               *plot
	Columns            []htmlColumn
	// Headed is true if a column has a name.
	Headed, Grouped bool
	Groups          []htmlGroup
	Items           []view.Item
	Notes           []string
	// Other is what a section shows besides tables: "distributions", "timeline" or "flames".
	Other string
}

type htmlColumn struct {
	// Top is the first line of a heading of two lines. Hidden is the Top of an earlier column that
	// also applies to this one; it is only read by screen readers.
	Top, Hidden, Name string
	Text              bool
}

type htmlGroup struct {
	Name string
	Rows [][]htmlCell
}

type htmlCell struct {
	Figure string
	// Text cells are aligned to the left.
	Text bool
}

func newHTMLSection(id string, s view.Section, c *view.Chart) htmlSection {
	out := htmlSection{
		ID: id, Title: Printable(s.Title), Caption: Printable(s.Caption), Plot: newPlot(c),
		Grouped: slices.ContainsFunc(s.Groups, func(g view.Group) bool { return g.Name != "" }),
	}
	out.Headed = slices.ContainsFunc(s.Columns, func(c view.Column) bool { return c.Name != "" })
	over := ""
	for _, c := range s.Columns {
		top, name, two := strings.Cut(c.Name, "\n")
		switch {
		case two:
			over = top
		case c.Text:
			over = ""
			fallthrough
		default:
			top, name = "", c.Name
		}
		column := htmlColumn{Top: Printable(top), Name: Printable(name), Text: c.Text}
		if !two {
			column.Hidden = Printable(over)
		}
		out.Columns = append(out.Columns, column)
	}
	for _, g := range s.Groups {
		group := htmlGroup{Name: Printable(fullName(g))}
		for _, r := range g.Rows {
			row := make([]htmlCell, len(r))
			for i, c := range r {
				row[i] = htmlCell{figure(c), i < len(s.Columns) && s.Columns[i].Text}
			}
			group.Rows = append(group.Rows, row)
		}
		out.Groups = append(out.Groups, group)
	}
	for _, i := range s.Items {
		out.Items = append(out.Items, view.Item{
			Mark: i.Mark, Name: Printable(i.Name), Text: Printable(i.Text), Meaning: Printable(i.Meaning),
		})
	}
	for _, n := range s.Notes {
		out.Notes = append(out.Notes, Printable(n))
	}
	return out
}

// figure is cell for a page, where a space is narrower than a digit.
func figure(c view.Cell) string { return strings.ReplaceAll(cell(c), "±  ", "± \u2007") }
