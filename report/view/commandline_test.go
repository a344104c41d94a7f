package view_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// Different commands have different headings, and a long one leaves room for the report.
func TestHeadingOfACommand(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	for name, c := range map[string]struct {
		argv []string
		want string
	}{
		"words":               {[]string{"make", "-j2", "a=b"}, "make -j2 a=b"},
		"a space":             {[]string{"a", "b c", ""}, "a 'b c' ''"},
		"no space":            {[]string{"a", "b", "c"}, "a b c"},
		"a quote":             {[]string{"echo", "it's"}, `echo 'it'"'"'s'`},
		"a shell's own signs": {[]string{"sh", "-c", "while :; do :; done"}, "sh -c 'while :; do :; done'"},
		"a long one": {[]string{"sh", "-c", long},
			"sh -c '" + strings.Repeat("ä", 893) + " … (100008 characters) … " + strings.Repeat("ä", 99) + "'"},
	} {
		r := &report.Report{Setup: report.Setup{Command: c.argv}}
		sheet := view.Overview(r)
		if got := sheet.Subject[0].Label; got != c.want {
			t.Errorf("%s: the heading is %q, want %q", name, got, c.want)
		}
	}
}
