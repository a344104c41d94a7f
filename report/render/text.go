package render

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// DefaultWidth is the greatest width of a text report, in columns of a terminal.
const DefaultWidth = 100

// minWidth is the least width for which a report is laid out.
const minWidth = 60

// TextOptions are how a text report looks. The zero value suits a pipe.
type TextOptions struct {
	// Width is the greatest width of a line, DefaultWidth if it is 0, and at least 60. A table
	// whose figures need more is wider.
	Width int
	// Bold sets headings in bold, for a terminal.
	Bold bool
	// Detail is how much of the report is shown. A comparison does not depend on it.
	Detail view.Detail
	// Prices are those at which the switches of a command or a watched system are shown, nil to leave
	// that out.
	Prices *view.Prices
}

// Text writes the report for a reader.
func Text(w io.Writer, r *report.Report, opts TextOptions) error {
	s := opts.Detail.Of(r)
	if opts.Prices != nil {
		view.AddPrices(s, r, *opts.Prices)
	}
	return SummaryText(w, s, opts)
}

// SummaryText writes a summary, of a report or a comparison, for a reader.
func SummaryText(w io.Writer, s *view.Summary, opts TextOptions) error {
	if opts.Width <= 0 {
		opts.Width = DefaultWidth
	}
	opts.Width = max(opts.Width, minWidth)
	p := &page{opts: opts}
	if s.Alert != "" {
		p.heading(s.Alert)
	}
	p.list(s.Header)
	if len(s.Subject) > 0 {
		parts := make([]string, len(s.Subject))
		for i, q := range s.Subject {
			parts[i] = part(q)
		}
		p.list(parts)
	}
	for _, warning := range s.Warnings {
		p.wrap("Note: "+warning, "      ")
	}
	for _, section := range s.Sections {
		if err := p.section(section); err != nil {
			return fmt.Errorf("draw table %s: %w", section.Title, err)
		}
	}
	if _, err := w.Write(p.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// page holds the lines of a report.
type page struct {
	bytes.Buffer
	opts TextOptions
}

func (p *page) section(s view.Section) error {
	p.WriteByte('\n')
	p.heading(s.Title)
	if s.Caption != "" {
		p.wrap(s.Caption, "")
	}
	for _, i := range s.Items {
		p.item(i, s.Items)
	}
	if len(s.Groups) > 0 {
		if err := p.table(s); err != nil {
			return err
		}
	}
	if s.Lanes != nil {
		if len(s.Items)+len(s.Groups) > 0 {
			p.WriteByte('\n')
		}
		p.lanes(s.Lanes)
	}
	for _, note := range s.Notes {
		p.wrap(note, "  ")
	}
	return nil
}

func (p *page) heading(s string) {
	if !p.opts.Bold {
		p.wrap(s, "")
		return
	}
	p.WriteString("\x1b[1m")
	p.wrap(s, "")
	p.Truncate(p.Len() - 1)
	p.WriteString("\x1b[0m\n")
}

// wrap writes a text on as many lines as it needs, all but the first one indented.
func (p *page) wrap(s, indent string) { p.hang("", s, indent) }

// longPart is the width from which on a part of a list may be broken over lines.
const longPart = 40

// list writes short texts, separated by dots and each of them on one line.
func (p *page) list(parts []string) {
	var all []string
	for i, text := range parts {
		text = Printable(text)
		if i < len(parts)-1 {
			text += " ·"
		}
		if twwidth.Width(text) > longPart {
			all = append(all, words(text)...)
		} else {
			all = append(all, strings.Join(strings.Fields(text), " "))
		}
	}
	p.flow("", all, "  ")
}

// hang writes a text after a lead that is not wider than indent.
func (p *page) hang(lead, s, indent string) { p.flow(lead, words(Printable(s)), indent) }

// flow writes words on as many lines as they need, after a lead.
func (p *page) flow(lead string, list []string, indent string) {
	line, gap := lead, ""
	for _, word := range list {
		for twwidth.Width(word) > p.opts.Width-len(indent) {
			cut := twwidth.Truncate(word, p.opts.Width-len(indent)-1)
			if line != "" {
				fmt.Fprintln(p, line)
			}
			line, word = indent+cut, strings.TrimPrefix(word, cut)
			gap = " "
		}
		if line != "" && twwidth.Width(line)+len(gap)+twwidth.Width(word) > p.opts.Width {
			fmt.Fprintln(p, line)
			line, gap = indent, ""
		}
		line += gap + word
		gap = " "
	}
	fmt.Fprintln(p, line)
}

// item writes one entry of a list, with its sentence in a column of its own.
func (p *page) item(i view.Item, all []view.Item) {
	width := 0
	for _, other := range all {
		width = max(width, twwidth.Width(Printable(other.Name)))
	}
	name := Printable(i.Name)
	lead := i.Mark + " "
	if width > 0 {
		lead += name + strings.Repeat(" ", width-twwidth.Width(name)) + "  "
	}
	p.hang(lead, i.Text, strings.Repeat(" ", twwidth.Width(lead)))
}

// table draws a section's table, with the widest gap between columns that fits.
func (p *page) table(s view.Section) error {
	header, rows, text := layout(s)
	width := 0
	for i := range header {
		widest := 0
		for line := range strings.SplitSeq(header[i], "\n") {
			widest = max(widest, twwidth.Width(line))
		}
		for _, row := range rows {
			widest = max(widest, twwidth.Width(row[i]))
		}
		width += widest
	}
	gap := 2
	if width+gap*(len(header)-1) > p.opts.Width {
		gap = 1
	}
	over := width + gap*(len(header)-1) - p.opts.Width
	if over > 0 {
		shorten(header, rows, text, over)
	}
	out, err := draw(header, rows, text, gap)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	groups := groupsApart(s, len(lines)-len(rows))
	for i, line := range lines {
		if g, ok := groups[i]; ok {
			p.nameApart(g)
		}
		fmt.Fprintln(p, strings.TrimRight(line, " "))
	}
	return nil
}

// groupsApart returns the groups whose names are on a line of their own, by the line of the table that
// they precede. A row is one line.
func groupsApart(s view.Section, line int) map[int]view.Group {
	if !s.Apart {
		return nil
	}
	out := map[int]view.Group{}
	for _, g := range s.Groups {
		out[line] = g
		line += len(g.Rows)
	}
	return out
}

// nameApart writes a group's name and details, the first of them on the same line if there is room.
func (p *page) nameApart(g view.Group) {
	name, details := groupName(g), g.Details
	if len(details) > 0 {
		one := name + ": " + details[0]
		if twwidth.Width(Printable(one)) <= p.opts.Width {
			name, details = one, details[1:]
		}
	}
	p.wrap(name, "  ")
	for _, d := range details {
		p.hang("    ", d, "      ")
	}
}

// groupName joins a group's name and variant.
func groupName(g view.Group) string { return report.WorkloadTitle(g.Name, g.Variant) }

// layout converts a section to strings. A section with groups gets a leading column that names each
// group once, with its variant on the line below.
func layout(s view.Section) (header []string, rows [][]string, text []bool) {
	grouped := !s.Apart && slices.ContainsFunc(s.Groups, func(g view.Group) bool { return g.Name != "" })
	if grouped {
		header, text = append(header, ""), append(text, true)
	}
	tall := slices.ContainsFunc(s.Columns, func(c view.Column) bool { return strings.Contains(c.Name, "\n") })
	for _, c := range s.Columns {
		first, second, two := strings.Cut(c.Name, "\n")
		name := Printable(first)
		if two {
			name += "\n" + Printable(second)
		}
		if tall && !strings.Contains(name, "\n") {
			name = "\n" + name // on the second line
		}
		header, text = append(header, name), append(text, c.Text)
	}
	for _, g := range s.Groups {
		names := []string{g.Name, g.Variant}
		if len(g.Rows) == 1 {
			names = []string{groupName(g)}
		}
		for i, r := range g.Rows {
			row := make([]string, 0, len(header))
			if grouped {
				name := ""
				if i < len(names) {
					name = Printable(names[i])
				}
				row = append(row, name)
			}
			for i, c := range r {
				text := cell(c)
				if s.Apart && i == 0 {
					text = "  " + text // below the group's name
				}
				row = append(row, text)
			}
			rows = append(rows, row)
		}
	}
	return header, rows, text
}

// shorten cuts the widest text columns so that the table becomes narrower by over columns. It cuts
// them to a width that can be read before it cuts any further.
func shorten(header []string, rows [][]string, text []bool, over int) {
	for _, least := range []int{10, 4} {
		for over > 0 {
			widest, at := least, -1
			for i := range header {
				if w := columnWidth(rows, i); text[i] && w > widest {
					widest, at = w, i
				}
			}
			if at < 0 {
				break
			}
			limit := max(widest-over, least)
			for _, row := range rows {
				if twwidth.Width(row[at]) > limit {
					row[at] = twwidth.Truncate(row[at], limit-1) + "…"
				}
			}
			over -= widest - limit
		}
	}
}

// columnWidth is the width of a column without its header.
func columnWidth(rows [][]string, column int) (width int) {
	for _, row := range rows {
		width = max(width, twwidth.Width(row[column]))
	}
	return width
}

// draw lays out a table without lines or borders.
func draw(header []string, rows [][]string, text []bool, gap int) (string, error) {
	align := make([]tw.Align, len(text))
	for i, isText := range text {
		align[i] = tw.AlignRight
		if isText {
			align[i] = tw.AlignLeft
		}
	}
	part := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}},
		Alignment:  tw.CellAlignment{PerColumn: align},
	}
	var out bytes.Buffer
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.SeparatorsNone,
				Lines:      tw.LinesNone,
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: part, Row: part}),
		tablewriter.WithTrimSpace(tw.Off),
	)
	if strings.Join(header, "") != "" {
		t.Header(header)
	}
	if err := t.Bulk(rows); err != nil {
		return "", err
	}
	if err := t.Render(); err != nil {
		return "", err
	}
	return out.String(), nil
}

// fullName is a group's name with its details.
func fullName(g view.Group) string {
	return strings.Join(append([]string{groupName(g)}, g.Details...), ": ")
}
