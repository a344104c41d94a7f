package render_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// Each width has every line within it, and whatever a function is called, nothing of it controls a terminal.
func TestTextOfStacks(t *testing.T) {
	long := render.TextOptions{Detail: view.Long}
	golden(t, "long-stacks.txt", text(t, reporttest.Stacks(), long))
	golden(t, "full-stacks.txt", text(t, reporttest.Stacks(), render.TextOptions{Detail: view.Full}))
	golden(t, "long-stacks-hostile-names.txt", text(t, reporttest.HostileStacks(), long))
	golden(t, "stacks.csv", csvOf(t, reporttest.Stacks(), "stacks"))
	golden(t, "stacks-hostile-names.csv", csvOf(t, reporttest.HostileStacks(), "stacks"))
	golden(t, "pairs.csv", csvOf(t, reporttest.Stacks(), "pairs"))
	golden(t, "pairs-hostile-names.csv", csvOf(t, reporttest.HostileStacks(), "pairs"))
	for detail := range view.Full + 1 {
		checkPrintable(t, text(t, reporttest.HostileStacks(), render.TextOptions{Detail: detail}))
		for _, width := range []int{100, 160} {
			got := text(t, reporttest.Stacks(), render.TextOptions{Width: width, Detail: detail})
			for line := range strings.Lines(string(got)) {
				if w := twwidth.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%d columns of %d: %s", w, width, line)
				}
			}
		}
	}
}

// At no width is a number at the end of a line and its unit on the next one, nor is "… 3 more" broken.
func TestNumbersAreNotPartedFromTheirUnits(t *testing.T) {
	parted := regexp.MustCompile(`[0-9]\n +(%|×|ppm|[nµm]?s|B|[KMG]iB|more)\b| …\n +[0-9]+ more`)
	for width := 60; width <= 130; width++ {
		for detail := range view.Full + 1 {
			got := text(t, reporttest.Stacks(), render.TextOptions{Width: width, Detail: detail})
			if broken := parted.Find(got); broken != nil {
				t.Errorf("%d columns: %q", width, broken)
			}
		}
	}
}
