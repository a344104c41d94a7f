package cgroup

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzGroup makes up a path and names. Whatever they are, a group has a name, and its texts are
// valid and bounded.
func FuzzGroup(f *testing.F) {
	for _, c := range pathCases {
		f.Add(spell(c.path), "/", "alice", "web")
	}
	f.Add("/docker/"+id1, "/..", "\xff", "k8s_a_b_c_d_0")
	f.Add("/x\x00\n\x1b.slice//../.", "relative", "", strings.Repeat("\xff", 9999))
	f.Add("/user.slice/user-1000.slice/"+strings.Repeat("a", 999), "/docker", strings.Repeat("é", 99), "")
	f.Fuzz(func(t *testing.T, path, above, user, name string) {
		n := &names{
			users:  parseUsers([]byte(user + ":x:1000:\n")),
			podman: map[string]string{id1: bounded(name, mostNameBytes)},
			pods:   map[string]kubeName{uid: {namespace: user, pod: name}},
		}
		var g Group
		g.describe(path, above, n)
		for _, text := range []struct {
			text string
			most int
		}{
			{g.Path, mostPath}, {g.Owner, mostPath + 1}, {g.Name, 1024}, {g.Unit, mostNameBytes}, {g.User, 64},
			{g.Runtime, 64}, {g.ContainerID, 64}, {g.PodUID, 64}, {g.Namespace, mostNameBytes},
			{g.Pod, mostNameBytes}, {g.Container, mostNameBytes},
		} {
			if len(text.text) > text.most || !utf8.ValidString(text.text) {
				t.Errorf("%d bytes, of at most %d: %.300q", len(text.text), text.most, text.text)
			}
		}
		if g.Kind == Unknown || g.Name == "" && path != "" {
			t.Errorf("no name or kind: %+v", g)
		}
		if !strings.HasPrefix(strings.Join(components(g.Path), "/"), strings.Join(components(g.Owner), "/")) {
			t.Errorf("path %q has the owner %q", g.Path, g.Owner)
		}
		plain := strings.HasPrefix(path, "/") && !strings.ContainsAny(path, "[*?") &&
			!strings.Contains(path, "//") && !strings.Contains(path, "/.")
		if p, err := ParsePattern(g.Path); err == nil && plain && !p.Match(g) {
			t.Errorf("%q does not match itself", g.Path)
		}
	})
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{
		"", "/", "nginx", "kubepods*", "[a-z]/[", `a\x2d`, "[!a]", "[]", "012345", "a//../b",
	} {
		for _, c := range pathCases {
			f.Add(pattern, spell(c.path))
		}
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			if text := err.Error(); !utf8.ValidString(text) || len(text) > 5*mostPath {
				t.Errorf("%q", text)
			}
			return
		}
		var g Group
		g.describe(path, "/", &names{})
		p.Match(g)
		p.below("/sys/fs/cgroup").Match(g)
	})
}

// FuzzFiles gives any text to the parsers of the files of the kernel and of runtimes.
func FuzzFiles(f *testing.F) {
	f.Add("usage_usec 5\nnr_throttled 1\nthrottled_time 9007199254740991\nsome avg10=0.00 total=5\n")
	f.Add("1 2 0:4 /docker/x /c/cpu rw - cgroup cgroup rw,cpu\n4:cpu:/a\n0::/b\n")
	f.Add(`[{"id":"` + id1 + `","names":["a"]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		s := ParseStat(text)
		some, full := ParsePressure(text)
		for _, d := range []*time.Duration{s.Usage, s.ThrottledTime, some, full, parseNS(text)} {
			if d != nil && *d < 0 {
				t.Errorf("a negative time: %v", *d)
			}
		}
		for _, v2 := range []bool{false, true} {
			quota, period := ReadLimit(v2, func(string) string { return text })
			if quota < 0 || (quota > 0) != (period > 0) {
				t.Errorf("quota %v of each %v", quota, period)
			}
		}
		ParseMounts(text)
		PathIn(text, 1)
		parseContainerLog(text)
		parseKubeName(text)
		parseUsers([]byte(text))
	})
}
