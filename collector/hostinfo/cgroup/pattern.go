package cgroup

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pattern is what a user writes to mean groups. A group is meant together with all below it.
//
//	/system.slice/nginx.service   a path; system.slice/nginx.service is the same, and for a
//	                              Resolver so is the directory in /sys/fs/cgroup
//	nginx.service, nginx          a systemd unit
//	web, 3f2a91                   a container: its name, or at least 6 digits of its id
//	web-0, default/web-0          a pod, also with its namespace, or at least 6 digits of its uid
//	'kubepods*', 'shop-?'         any of these, or a component of a path, with *, ?, [a-z], [!a-z]
//
// A backslash stands for itself, since units have it in their names.
type Pattern struct {
	whole wildcard
	// path are its components.
	path []wildcard
	// id is what an id begins with, "" if the pattern is none.
	id string
}

// wildcard is text as the user wrote it, and as path.Match takes it.
type wildcard struct{ text, glob string }

// newWildcard lets a backslash stand for itself, and [! be as in a shell.
func newWildcard(text string) wildcard {
	return wildcard{text, strings.NewReplacer(`\`, `\\`, "[!", "[^").Replace(text)}
}

func (w wildcard) match(name string) bool {
	ok, _ := path.Match(w.glob, name) // ParsePattern has checked it
	return ok || w.text == name
}

var idPrefix = regexp.MustCompile(`^[0-9a-f][0-9a-f_-]{5,63}$`)

// ParsePattern fails with a sentence for the user if the pattern is malformed.
func ParsePattern(text string) (Pattern, error) {
	isControl := func(r rune) bool { return unicode.IsControl(r) }
	switch {
	case text == "":
		return Pattern{}, fmt.Errorf("a pattern for control groups is empty: give a unit, a container or a path")
	case len(text) > mostPath:
		return Pattern{}, fmt.Errorf("a pattern for control groups has %d bytes, but may have %d", len(text), mostPath)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		return Pattern{}, fmt.Errorf("control group %q: there are control characters or broken UTF-8 in it", text)
	}
	p := Pattern{whole: newWildcard(text)}
	for _, part := range components(path.Clean("/" + text)) {
		p.path = append(p.path, newWildcard(part))
	}
	for _, w := range append(p.path, p.whole) {
		// path.Match checks the whole of a pattern, whatever it is compared with.
		if _, err := path.Match(w.glob, ""); err != nil {
			return Pattern{}, fmt.Errorf("control group %q: a [ is not closed, or what is in [] is malformed: "+
				"write [[] for the character itself", text)
		}
	}
	if lower := strings.ToLower(text); idPrefix.MatchString(lower) {
		p.id = strings.ReplaceAll(lower, "_", "-")
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.whole.text }

// Match reports whether the pattern means a group. It means no group without a path.
func (p Pattern) Match(g Group) bool {
	text := p.whole.text
	if g.Path == "" || text == "" {
		return false
	}
	if strings.Contains(text, "/") && p.matchPath(g.Path) {
		return true
	}
	shown := g.Name
	if g.Kind == Root || g.Kind == Plain { // it is the path
		shown = ""
	}
	for _, name := range []string{shown, g.Unit, unescape(g.Unit), g.Container, g.Pod, pair(g.Namespace, g.Pod)} {
		if name != "" && p.whole.match(name) {
			return true
		}
	}
	if p.id != "" && (strings.HasPrefix(g.ContainerID, p.id) || strings.HasPrefix(g.PodUID, p.id)) {
		return true
	}
	if strings.Contains(text, "/") {
		return false
	}
	for _, part := range components(g.Path) {
		if p.whole.match(part) || strings.TrimSuffix(part, ".service") == text {
			return true
		}
	}
	return false
}

// below returns the pattern for a path that begins with the directory where the hierarchy is
// mounted.
func (p Pattern) below(dir string) Pattern {
	top := components(dir)
	if !strings.HasPrefix(p.whole.text, "/") || len(p.path) < len(top) {
		return p
	}
	for i, part := range top {
		if p.path[i].text != part {
			return p
		}
	}
	p.path = p.path[len(top):]
	return p
}

// matchPath reports whether the pattern means a path, or one above it.
func (p Pattern) matchPath(name string) bool {
	parts := components(name)
	if len(parts) < len(p.path) {
		return false
	}
	for i, part := range p.path {
		if !part.match(parts[i]) {
			return false
		}
	}
	return true
}

func pair(namespace, pod string) string {
	if pod == "" {
		return ""
	}
	return namespace + "/" + pod
}
