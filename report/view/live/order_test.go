package live_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// A table can be sorted by every column, in both directions. Absent figures are last in both.
func TestSortByEveryColumn(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 12, Tasks: 200, Groups: 5, Intervals: 1})
	m := shown(&r.Trials[0])
	check := func(table *live.Table, first int, name string, ascending bool) {
		t.Helper()
		at := column(table, name)
		if table.Sort != at || table.Ascending != ascending {
			t.Errorf("%s: sorted by column %d, ascending: %v", name, table.Sort, table.Ascending)
		}
		for i := first + 1; i < table.Rows(); i++ {
			a, b := table.Cell(i-1, at), table.Cell(i, at)
			order := strings.Compare(a.Text, b.Text)
			if a.Value.Known || b.Value.Known {
				if order = 0; a.Value.Value != b.Value.Value {
					order = int(math.Copysign(1, a.Value.Value-b.Value.Value))
				}
			}
			if absent := func(c live.Cell) bool { return c.Text == "" && !c.Value.Known }; absent(a) || absent(b) {
				order = 0
				if absent(a) && !absent(b) {
					t.Errorf("%s: an absent figure is before %v", name, b)
				}
			}
			if ascending && order > 0 || !ascending && order < 0 {
				t.Errorf("%s, ascending: %v: %v is before %v", name, ascending, a, b)
			}
		}
	}
	for _, ascending := range []bool{false, true} {
		for _, by := range live.Groupings() {
			for _, c := range m.Tasks(live.TaskOptions{By: by}).Columns {
				check(m.Tasks(live.TaskOptions{By: by, Sort: c.Name, Ascending: ascending}), 0, c.Name, ascending)
			}
		}
		for _, c := range m.Cores(live.CoreOptions{}).Columns {
			table := m.Cores(live.CoreOptions{Sort: c.Name, Ascending: ascending})
			if check(table, 1, c.Name, ascending); table.Cell(0, 0).Text != "all" {
				t.Errorf("by %s the sum is not first", c.Name)
			}
		}
	}
}

func TestFilterAndSearch(t *testing.T) {
	m := shown(small())
	names := func(o live.TaskOptions) (names []string) {
		table := m.Tasks(o)
		for i := range table.Rows() {
			names = append(names, table.Cell(i, 0).Text)
		}
		return names
	}
	for filter, want := range map[string][]string{
		"WRITER": {"writer"}, "postgres": {"writer", "reader"}, "db.serv": {"writer", "reader", "sh (ended)"},
		"21": {"reader"}, "spin|reader": {"spin", "reader"}, "|": nil, "nobody": nil,
		"system.slice": {"writer", "reader", "sh (ended)"},
	} {
		if got := names(live.TaskOptions{Filter: filter}); !slices.Equal(got, want) {
			t.Errorf("filter %q leaves %v, want %v", filter, got, want)
		}
	}
	table := m.Tasks(live.TaskOptions{Sort: "task", Ascending: true}) // reader, sh, spin, writer
	for _, c := range []struct {
		text string
		from int
		back bool
		want int
	}{
		{"der|ter", -1, false, 0}, {"der|ter", 0, false, 3}, {"der|ter", 3, false, 0},
		{"der|ter", 3, true, 0}, {"der|ter", 0, true, 3},
		{"spin", 2, false, 2}, {"nobody", 0, false, -1}, {"", 0, false, -1},
	} {
		if got := table.Search(c.text, c.from, c.back); got != c.want {
			t.Errorf("%q from %d, back: %v: row %d, want %d", c.text, c.from, c.back, got, c.want)
		}
	}
	if n := m.Tasks(live.TaskOptions{Filter: "spin"}).Hidden; n != 3 {
		t.Errorf("a filter hides %d rows", n)
	}
}
