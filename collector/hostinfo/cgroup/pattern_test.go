package cgroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatterns(t *testing.T) {
	known := &names{
		users:  map[string]string{"1000": "alice"},
		podman: map[string]string{id2: "web"},
		pods:   map[string]kubeName{uid: {namespace: "shop", pod: "web-0"}},
	}
	paths := []string{
		"/", "/system.slice", "/system.slice/nginx.service", "/system.slice/nginx.service/sub",
		`/system.slice/a\x2db.service`, "/system.slice/docker-ID.scope", "/machine.slice/libpod-INNER.scope/container",
		"/kubepods.slice/kubepods-podU_I_D.slice/cri-containerd-ID.scope",
		"/user.slice/user-1000.slice/session-3.scope", "/nginx.service.d",
	}
	nginx := []string{"/system.slice/nginx.service", "/system.slice/nginx.service/sub"}
	pod, docker, web := paths[7:8], paths[5:6], paths[6:7]
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"/", paths},
		{"nginx.service", nginx},
		{"nginx", nginx},
		{"NGINX", nil},
		{"/system.slice/nginx.service", nginx},
		{"/system.slice/nginx.service/", nginx},
		{"system.slice/nginx.service", nginx},
		{"/system.slice/nginx", nil},
		{"/nginx.service", nil},
		{"/*/nginx.service", nginx},
		{"/*", paths[1:]},
		{"*/sub", nil},
		{"sub", paths[3:4]},
		{"nginx*", append(append([]string{}, nginx...), "/nginx.service.d")},
		{"system.slice", paths[1:6]},
		{`a\x2db.service`, paths[4:5]},
		{"a-b.service", paths[4:5]},
		{`a\*.service`, paths[4:5]},
		{"012345", []string{paths[5], paths[7]}},
		{"01234", nil},
		{"0123456789AB", []string{paths[5], paths[7]}},
		{"docker-*", docker},
		{"docker 0123456789ab", docker},
		{"web", web},
		{"libpod-*", web},
		{"kubepods*", pod},
		{"5759a1ae", pod},
		{uid, pod},
		{inUnderscores, pod},
		{"shop/web-0", pod},
		{"shop/*", pod},
		{"web-?", pod},
		{"web-[0-9]", pod},
		{"web-[!0]", nil},
		{"session-3.scope", paths[8:9]},
		{"*(alice)", paths[8:9]},
		{"user-1000.slice", paths[8:9]},
	} {
		p, err := ParsePattern(spell(c.pattern))
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		var got []string
		for _, path := range paths {
			var g Group
			if g.describe(spell(path), "/", known); p.Match(g) {
				got = append(got, path)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.pattern, diff)
		}
	}
	p, err := ParsePattern("*")
	if err != nil {
		t.Fatal(err)
	}
	if p.Match(Group{ID: 7, Name: "cgroup 7 (gone)"}) {
		t.Error("a group without a path is matched")
	}
}

func TestPatternOfADirectory(t *testing.T) {
	root, c := fakeTree(t, "kubernetes"), newClock()
	r := fakeResolver(t, root, Options{}, c)
	for pattern, want := range map[string]int{
		"/sys/fs/cgroup/system.slice/nginx.service": 1, "/sys/fs/cgroup/system.slice/": 3, "/sys/fs/cgroup": 11,
		"sys/fs/cgroup": 0, "nothing": 0,
	} {
		p, err := ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := r.Match(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) != want {
			t.Errorf("%s: %+v", pattern, groups)
		}
		for _, g := range groups {
			if !r.Matches(p, g.ID) {
				t.Errorf("%s does not match %+v", pattern, g)
			}
		}
		if r.Matches(p, 1<<60) {
			t.Errorf("%s matches a group that is not there", pattern)
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "a pattern for control groups is empty: give a unit, a container or a path",
		"a[b": `control group "a[b": a [ is not closed, or what is in [] is malformed: ` +
			"write [[] for the character itself",
		"/a[b/c]":                 `control group "/a[b/c]": a [ is not closed`,
		"[z-a":                    `control group "[z-a": a [ is not closed`,
		"a\x1b":                   `control group "a\x1b": there are control characters or broken UTF-8 in it`,
		"a\xff":                   `control group "a\xff": there are control characters or broken UTF-8 in it`,
		"a\x00":                   `control group "a\x00": there are control characters`,
		strings.Repeat("a", 5000): "a pattern for control groups has 5000 bytes, but may have 4096",
	} {
		p, err := ParsePattern(pattern)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.50q: %v", pattern, err)
		}
		if p.Match(Group{Path: "/a", Name: "/a"}) {
			t.Errorf("%.50q matches", pattern)
		}
	}
}
