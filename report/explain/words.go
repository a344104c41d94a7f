package explain

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// Word is an entry of the glossary.
type Word struct {
	// Names has the word itself first, and then others for it.
	Names   []string
	Meaning string
	// See names claims and other words.
	See []string
}

// wordTable is a table: names, meaning, and what to see.
//
//go:embed words.md
var wordTable string

var (
	// The links of the table lead to other documents.
	markdownLink = regexp.MustCompile(` \(\[[^\]]*\]\([^)]*\)\)`)
	firstClaim   = regexp.MustCompile(`^C\d+$`)
)

// Words returns the glossary.
var Words = sync.OnceValue(func() (words []Word) {
	for line := range strings.Lines(wordTable) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || strings.HasPrefix(line, "| word |") || strings.HasPrefix(line, "| ---") {
			continue
		}
		words = append(words, Word{
			Names:   commas(strings.TrimPrefix(cells[0], "| ")),
			Meaning: markdownLink.ReplaceAllString(cells[1], ""),
			See:     commas(strings.TrimSuffix(strings.TrimSpace(cells[2]), "|")),
		})
	}
	return words
})

// commas splits a list at its commas.
func commas(text string) (parts []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// claims returns the names of the claims that a word leads to, by itself or by the words that it names.
func (w *Word) claims() (ids []string) {
	for _, see := range w.See {
		if firstClaim.MatchString(see) {
			ids = append(ids, see)
		}
	}
	for _, see := range w.See {
		if other := word(see); len(ids) == 0 && other != nil {
			for _, next := range other.See {
				if firstClaim.MatchString(next) {
					ids = append(ids, next)
				}
			}
		}
	}
	return ids
}

// word returns the entry of a name, nil if there is none.
func word(name string) *Word {
	words := Words()
	for i := range words {
		for _, known := range words[i].Names {
			if strings.EqualFold(known, name) {
				return &words[i]
			}
		}
	}
	return nil
}
