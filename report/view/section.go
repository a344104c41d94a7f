package view

import "github.com/slicetrace/slicetrace/report"

// Section is a table with its title and explanations.
type Section struct {
	Title string
	// Caption explains the figures.
	Caption string
	Columns []Column
	Groups  []Group
	// Apart is true if each group's name is on a line of its own.
	Apart bool
	// Items are a list, shown above the table.
	Items []Item
	// Lanes are shown below the table, nil for none.
	Lanes *Lanes
	// Notes are sentences below the table.
	Notes []string
}

// empty reports whether the section has nothing to show.
func (s Section) empty() bool { return len(s.Groups)+len(s.Items)+len(s.Notes) == 0 && s.Lanes == nil }

// Item is one entry of a section's list: a mark, a name and a sentence.
type Item struct {
	Mark, Name, Text string
	// Meaning is the meaning of the mark in words.
	Meaning string
}

// Column is one column of a section.
type Column struct {
	// Name may have two lines.
	Name string
	// Text columns are aligned to the left, others to the right.
	Text bool
}

// Group is a number of consecutive rows with a common name, "" if the section is not grouped, and
// the variant of what is named, "" if there is only one.
type Group struct {
	Name    string
	Variant string
	// Details are texts between the group's name and its rows.
	Details []string
	Rows    []Row
}

// Row holds a cell for each of the section's columns.
type Row []Cell

// Cell is one entry of a table: a text, a quantity, or several of either. A cell with none of them
// is an absent quantity.
type Cell struct {
	// Text is free text, and may be hostile: renderers must make it safe.
	Text string
	// Value is the figure, and Spread how far its 95 % confidence interval reaches, in percent of
	// the figure; absent if it is not known.
	Value  report.Quantity
	Spread report.Quantity
	// Low and High are the ends of that interval. They replace Spread.
	Low, High report.Quantity
	// Parts is a list of labelled figures, shown instead of Text and Value.
	Parts []Part
}

// Part is a label, a figure or a labelled figure. A Value without a unit is not shown.
type Part struct {
	Label string
	Value report.Quantity
}

func textCell(s string) Cell { return Cell{Text: s} }

func valueCell(q report.Quantity) Cell { return Cell{Value: q} }

func textColumn(name string) Column { return Column{Name: name, Text: true} }

func columns(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}
