package words

import (
	"slices"
	"strings"
)

// Nearest returns the name that is within two edits of s. If there is none it returns a name that
// begins with s or is its beginning, otherwise "".
func Nearest(s string, names []string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := editDistance(s, n); d < distance {
			best, distance = n, d
		}
	}
	if best == "" && s != "" {
		i := slices.IndexFunc(names, func(n string) bool {
			return strings.HasPrefix(n, s) || strings.HasPrefix(s, n)
		})
		if i >= 0 {
			best = names[i]
		}
	}
	return best
}

// editDistance is the Levenshtein distance of two short names, in bytes. A long s is far from every
// name.
func editDistance(s, name string) int {
	if len(s) > 32 {
		return len(s)
	}
	row := make([]int, len(name)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(s) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(name) {
			change := diagonal
			if s[i] != name[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(name)]
}
