package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// listClaims writes the claims that a run decides, and the workloads that
// answer each.
func listClaims(w io.Writer) error {
	bundled := workloadNames()
	lacking := false
	var text strings.Builder
	for _, c := range report.Claims() {
		var answers []string
		for _, name := range c.Workloads {
			if !slices.Contains(bundled, name) {
				name += "*"
				lacking = true
			}
			answers = append(answers, name)
		}
		fmt.Fprintf(&text, "%-4s %s\n     by %s\n", c.ID, c.Statement, strings.Join(answers, ", "))
	}
	if lacking {
		text.WriteString("* not in this slicetrace\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}
