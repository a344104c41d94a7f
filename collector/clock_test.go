package collector

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A time namespace's clock is ahead by what the kernel tells, and by nothing where there is no
// such namespace.
func TestClockAhead(t *testing.T) {
	const other = "time:[4026532201]"
	offsets := "monotonic      100000         5\nboottime            -7         0\n"
	for name, test := range map[string]struct {
		own, children, offsets string
		want                   time.Duration
		err                    bool
	}{
		"no time namespaces": {},
		"the first":          {own: initialTimeNamespace, children: initialTimeNamespace, offsets: offsets},
		"another":            {own: other, children: other, offsets: offsets, want: 100_000*time.Second + 5},
		"behind": {
			own: other, children: other, offsets: "boottime 3 3\nmonotonic -2 999999999\n",
			want: -2*time.Second + 999_999_999,
		},
		"children in another":        {own: initialTimeNamespace, children: other, offsets: offsets, err: true},
		"offsets that cannot be had": {own: other, children: other, err: true},
		"no offset of the clock":     {own: other, children: other, offsets: "boottime 3 3\n", err: true},
		"no number":                  {own: other, children: other, offsets: "monotonic x 3\n", err: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := os.Mkdir(filepath.Join(dir, "ns"), 0o755)
			if test.own != "" {
				err = errors.Join(err, os.Symlink(test.own, filepath.Join(dir, "ns", "time")),
					os.Symlink(test.children, filepath.Join(dir, "ns", "time_for_children")))
			}
			if test.offsets != "" {
				err = errors.Join(err, os.WriteFile(filepath.Join(dir, "timens_offsets"), []byte(test.offsets), 0o644))
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := clockAheadIn(dir)
			if got != test.want || (err != nil) != test.err {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
			if inside := test.children != test.own; errors.Is(err, ErrTimeNamespace) != inside {
				t.Errorf("got %v", err)
			}
		})
	}
}
