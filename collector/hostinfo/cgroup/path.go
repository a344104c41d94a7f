package cgroup

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what a group's path stands for.
type Kind uint8

// The kinds of groups. Plain is a group whose path follows no convention known here.
const (
	Unknown   Kind = iota // its path is not known
	Plain                 // "/mygroup"
	Root                  // the topmost group that is visible here
	Slice                 // a systemd slice that is not in a unit
	Service               // a systemd service, or a socket, mount or swap unit
	Scope                 // a systemd scope that is no container
	Pod                   // a Kubernetes pod, outside of its containers
	Container             // a container of any runtime
	Machine               // a container that runs a whole system, or a virtual machine
)

var kindNames = [...]string{
	"unknown", "plain", "root", "slice", "service", "scope", "pod", "container", "machine",
}

// String returns the name of the kind in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// identity is what a path tells about a group.
type identity struct {
	kind Kind
	// depth is how many components of the path lead to the unit, pod or container that the group
	// belongs to.
	depth int
	// unit is the name of a systemd unit, with escapes, and user the id in user-1000.slice.
	unit, user string
	// runtime is what runs a container; container is its id and machine its name.
	runtime, container, machine string
	pod                         string // its uid with "-", not "_"
}

// identify interprets a path in the hierarchy. The outermost container decides, since what a
// container does below its own group is its own affair; so does the outermost unit, except that
// a user's service manager has units of its own, and that a service can hold containers.
func identify(path string) identity {
	var found identity
	parts := components(path)
	if len(parts) == 0 {
		return identity{kind: Root}
	}
	found.kind, found.depth = Plain, len(parts)
	for i, part := range parts {
		found.addUser(part)
		inner := found.isContainer(parts[:i], part) || found.kind != Pod && found.isMachine(parts[:i], part)
		if inner || found.isPod(parts[:i], part) {
			found.depth = i + 1
			if unitKind(part) != Plain {
				found.unit = part
			}
		}
		switch {
		case inner:
			return found
		case found.kind != Pod && found.isUnit(part):
			found.depth = i + 1
		}
	}
	return found
}

func components(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// addUser takes the user's id from user-1000.slice or user@1000.service. Below that, the user may
// have made groups of any name.
func (n *identity) addUser(part string) {
	if n.user != "" || n.pod != "" {
		return
	}
	for _, form := range [][2]string{{"user-", ".slice"}, {"user@", ".service"}} {
		rest, ok := strings.CutPrefix(part, form[0])
		id, ok2 := strings.CutSuffix(rest, form[1])
		if _, err := strconv.ParseUint(id, 10, 32); ok && ok2 && err == nil {
			n.user = id
		}
	}
}

// isUnit reports whether the group belongs to a unit of this name, and not to one above it.
func (n *identity) isUnit(part string) bool {
	kind := unitKind(part)
	manager := strings.HasPrefix(n.unit, "user@")
	switch {
	case kind == Plain:
		return false
	case manager && (kind == Slice || part == "init.scope"): // the manager's own parts
		return false
	case n.kind != Plain && n.kind != Slice && !manager: // it is inside another unit
		return false
	}
	n.kind, n.unit = kind, part
	return true
}

func unitKind(part string) Kind {
	dot := strings.LastIndexByte(part, '.')
	if dot <= 0 {
		return Plain
	}
	switch part[dot:] {
	case ".slice":
		return Slice
	case ".service", ".socket", ".mount", ".swap":
		return Service
	case ".scope":
		return Scope
	}
	return Plain
}

var (
	// The id of a container is 64 hexadecimal digits, or, in Amazon's Fargate, those of its task
	// and a decimal number.
	fullID    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	fargateID = regexp.MustCompile(`^[0-9a-f]{32}-[0-9]{1,20}$`)
	podUID    = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$`)
)

// runtimes are the names of runtimes whose groups are named otherwise.
var runtimes = map[string]string{
	"cri-containerd": "containerd", "crio": "cri-o", "libpod": "podman", "libpod-payload": "podman",
}

// isContainer knows <id>, docker-<id>.scope, and <slice>:cri-containerd:<id>, which containerd
// makes if it is told another kind of path than Kubernetes uses.
func (n *identity) isContainer(above []string, part string) bool {
	if part, slice, runtime := splitColons(part); runtime != "" && fullID.MatchString(part) {
		n.isPod(above, slice)
		return n.setContainer(part, runtime)
	}
	if fullID.MatchString(part) || fargateID.MatchString(part) {
		return n.setContainer(part, runtimeAbove(above))
	}
	name := strings.TrimSuffix(part, ".scope")
	dash := strings.LastIndexByte(name, '-')
	if dash <= 0 || !fullID.MatchString(name[dash+1:]) {
		return false
	}
	runtime := name[:dash]
	if strings.HasSuffix(runtime, "conmon") { // the container's monitor, outside of it
		return false
	}
	return n.setContainer(name[dash+1:], runtime)
}

func splitColons(part string) (last, slice, runtime string) {
	fields := strings.Split(part, ":")
	if len(fields) != 3 {
		return part, "", ""
	}
	return fields[2], fields[0], fields[1]
}

func (n *identity) setContainer(id, runtime string) bool {
	if known := runtimes[runtime]; known != "" {
		runtime = known
	}
	n.kind, n.container, n.runtime = Container, id, runtime
	return true
}

// runtimeAbove looks for the runtime in the group that holds a container's.
func runtimeAbove(above []string) string {
	for _, part := range above {
		switch part {
		case "docker", "ecs", "garden":
			return part
		case "libpod_parent":
			return "podman"
		}
	}
	return ""
}

// isPod knows kubepods/burstable/pod<uid>, and kubepods-burstable-pod<uid>.slice with "_" in
// the uid, also below groups that a cluster inside a container names kubelet-kubepods.
func (n *identity) isPod(above []string, part string) bool {
	uid, ok := strings.CutPrefix(part, "pod")
	if ok {
		ok = strings.Contains(strings.Join(above, "/"), "kubepods")
	} else if name, slice := strings.CutSuffix(part, ".slice"); slice && strings.Contains(name, "kubepods") {
		if at := strings.LastIndex(name, "-pod"); at >= 0 {
			uid, ok = name[at+len("-pod"):], true
		}
	}
	if !ok || !podUID.MatchString(uid) || n.pod != "" {
		return false
	}
	n.kind, n.pod = Pod, strings.ReplaceAll(uid, "_", "-")
	return true
}

// isMachine knows the groups of LXC, of systemd-nspawn and of what is registered with
// systemd-machined.
func (n *identity) isMachine(above []string, part string) bool {
	name, runtime := "", ""
	parent := ""
	if len(above) > 0 {
		parent = above[len(above)-1]
	}
	switch {
	case strings.HasPrefix(part, "lxc.payload."):
		name, runtime = strings.TrimPrefix(part, "lxc.payload."), "lxc"
	case len(above) == 1 && (parent == "lxc" || parent == "lxc.payload"):
		name, runtime = part, "lxc"
	case strings.HasPrefix(part, "systemd-nspawn@") && strings.HasSuffix(part, ".service"):
		name, runtime = unescape(part[len("systemd-nspawn@"):len(part)-len(".service")]), "systemd-nspawn"
	case strings.HasPrefix(part, "machine-") && strings.HasSuffix(part, ".scope"):
		name = unescape(part[len("machine-") : len(part)-len(".scope")])
	}
	if name == "" {
		return false
	}
	n.kind, n.machine, n.runtime = Machine, name, runtime
	return true
}

// unescape undoes the escapes of systemd, such as \x2d for "-". A name that would then have
// characters that cannot be printed stays as it is.
func unescape(name string) string {
	if !strings.Contains(name, `\x`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if code, err := strconv.ParseUint(hexAt(name, i), 16, 8); err == nil {
			b.WriteByte(byte(code))
			i += 3
			continue
		}
		b.WriteByte(name[i])
	}
	plain := b.String()
	if !utf8.ValidString(plain) || strings.ContainsFunc(plain, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return name
	}
	return plain
}

// hexAt returns the two characters after \x, "" if there is no escape at i.
func hexAt(name string, i int) string {
	if strings.HasPrefix(name[i:], `\x`) && len(name) >= i+4 {
		return name[i+2 : i+4]
	}
	return ""
}

// bounded returns text as valid UTF-8 of at most so many bytes. A cut is shown by "…".
func bounded(text string, most int) string {
	const cut = "…"
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	end := most - len(cut)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cut
}
