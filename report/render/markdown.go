package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report/view"
)

// Markdown writes a summary in GitHub's Markdown, for pull requests.
func Markdown(w io.Writer, s *view.Summary) error {
	var b bytes.Buffer
	if s.Alert != "" {
		fmt.Fprintf(&b, "**%s**\n\n", markdown(s.Alert))
	}
	fmt.Fprintf(&b, "%s\n", markdown(strings.Join(s.Header, " · ")))
	if len(s.Subject) > 0 {
		parts := make([]string, len(s.Subject))
		for i, p := range s.Subject {
			parts[i] = part(p)
		}
		fmt.Fprintf(&b, "\n%s\n", markdown(strings.Join(parts, " · ")))
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(&b, "\nNote: %s\n", markdown(warning))
	}
	for _, section := range s.Sections {
		markdownSection(&b, section)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

func markdownSection(b *bytes.Buffer, s view.Section) {
	fmt.Fprintf(b, "\n### %s\n", markdown(s.Title))
	if s.Caption != "" {
		fmt.Fprintf(b, "\n%s\n", markdown(s.Caption))
	}
	if len(s.Items) > 0 {
		b.WriteByte('\n')
	}
	for _, i := range s.Items {
		mark := ""
		if i.Mark != " " {
			mark = markdown(i.Mark) + " "
		}
		fmt.Fprintf(b, "- %s**%s** %s\n", mark, markdown(i.Name), markdown(i.Text))
	}
	if len(s.Groups) > 0 {
		markdownTable(b, s)
	}
	for _, note := range s.Notes {
		fmt.Fprintf(b, "\n%s\n", markdown(note))
	}
}

// markdownTable writes a section's table, with a leading column for the names of groups.
func markdownTable(b *bytes.Buffer, s view.Section) {
	b.WriteString("\n| |")
	for _, c := range s.Columns {
		fmt.Fprintf(b, " %s |", markdown(strings.ReplaceAll(c.Name, "\n", " ")))
	}
	b.WriteString("\n| --- |")
	for _, c := range s.Columns {
		if c.Text {
			b.WriteString(" --- |")
		} else {
			b.WriteString(" ---: |")
		}
	}
	b.WriteByte('\n')
	for _, g := range s.Groups {
		name := fullName(g)
		for _, r := range g.Rows {
			fmt.Fprintf(b, "| %s |", markdown(name))
			name = "" // only in the first row
			for _, c := range r {
				fmt.Fprintf(b, " %s |", markdown(strings.Join(strings.Fields(cell(c)), " ")))
			}
			b.WriteByte('\n')
		}
	}
}

// markdown escapes a text so that it is shown literally: no markup, no HTML, no end of a table
// cell, no formula, and nothing that GitHub would turn into a link or a notification.
func markdown(s string) string {
	s = Printable(strings.Trim(s, " ")) // four leading spaces would be code
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]~|", r), i == 0 && strings.ContainsRune("-+=", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("<>&$", r):
			fmt.Fprintf(&b, "&#%d;", r) // a backslash does not prevent HTML and formulas everywhere
		case strings.ContainsRune("@#", r), r == ':' && strings.HasPrefix(s[i:], "://"),
			r == '.' && hasSuffixFold(s[:i], "www"):
			// GitHub creates links and notifications from the text without its markup, so only a
			// zero-width character prevents them.
			fmt.Fprintf(&b, "&#%d;&#8203;", r)
		case (r == '.' || r == ')') && numbersList(s[:i], s[i+1:]):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// numbersList reports whether a point or bracket between the two texts would begin a numbered list.
func numbersList(before, after string) bool {
	return before != "" && strings.Trim(before, "0123456789") == "" && (after == "" || after[0] == ' ')
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
