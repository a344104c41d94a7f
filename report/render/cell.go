package render

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report/view"
)

// part writes a label, a figure, or both.
func part(p view.Part) string {
	switch {
	case p.Value.Unit == "":
		return Printable(p.Label)
	case p.Label == "":
		return p.Value.String()
	}
	return Printable(p.Label) + " " + p.Value.String()
}

// cell writes one entry of a table, safe for a terminal.
func cell(c view.Cell) string {
	switch {
	case len(c.Parts) > 0:
		parts := make([]string, len(c.Parts))
		for i, p := range c.Parts {
			parts[i] = part(p)
		}
		return strings.Join(parts, ", ")
	case c.Text != "":
		return Printable(c.Text)
	case c.Spread.Known:
		return fmt.Sprintf("%s ± %2.0f %%", c.Value.String(), c.Spread.Value)
	case c.Low.Known:
		return fmt.Sprintf("%s (%s–%s)", c.Value, c.Low, c.High)
	}
	return c.Value.String()
}
