package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report/findings"
)

// listClaims writes the claims that a run decides, each with the workloads whose figures
// decide it.
func listClaims(w io.Writer) error {
	var text strings.Builder
	for _, c := range findings.Claims() {
		fmt.Fprintf(&text, "%-4s %s\n     decided by %s\n", c.ID, c.Statement, strings.Join(c.Workloads, ", "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}
