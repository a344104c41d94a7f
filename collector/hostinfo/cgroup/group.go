package cgroup

import (
	"fmt"
	"path"
	"strings"
)

// Group is a control group as it was last seen.
type Group struct {
	// ID is the kernel's id of the group in its hierarchy. It is not used again until the machine
	// starts anew.
	ID uint64
	// State says whether the group exists, and whether it can be seen here.
	State State
	// Path leads from the topmost group that is visible here, "/", to this one. That of an
	// Outside group is as in /proc/PID/cgroup: it begins at the root of this process's cgroup
	// namespace, and with "/.." if it leads out of that. It is "" if it is not known, and has at
	// most 4096 bytes.
	Path string
	// Owner is the path of the unit, pod or container that the group belongs to: a part of Path,
	// or all of it. Groups of one owner are shown as one.
	Owner string
	// Kind is what the owner is.
	Kind Kind
	// Name is for people, at most 1024 bytes and never "": "nginx.service", "firefox.scope (alice)",
	// "web" for a container, "default/web-0/nginx" for that of a pod, "docker 0123456789ab" for a
	// container whose name is not known, "cgroup 1234 (gone)" for a group without a path.
	Name string
	// Unit is the systemd unit's name as systemctl shows it, with escapes, "" if there is none.
	Unit string
	// User is the name, or else the number, of the user whose slice the group is in. The group's
	// own name is then the user's choice.
	User string
	// Runtime is what made a container or machine: "docker", "containerd", "cri-o", "podman",
	// "lxc", "systemd-nspawn" or another word of the path. It may be "" if the path does not tell.
	Runtime string
	// ContainerID has 64 hexadecimal digits in most runtimes, and PodUID is as Kubernetes writes
	// it, with "-". Either is "" if the group is in none.
	ContainerID, PodUID string
	// Namespace, Pod and Container are names in Kubernetes, "" if they are not known. Container is
	// also the name of a container or machine elsewhere. They are not known of a user's containers.
	Namespace, Pod, Container string
}

// State says what became of a group.
type State uint8

const (
	// Pending means that the id will be looked for at a later call: the last search was less than
	// a second ago.
	Pending State = iota
	// Present means that the group existed when it was last looked at.
	Present
	// Outside is a present group outside of what is visible here, as in a container.
	Outside
	// Gone means that the group was removed.
	Gone
	// Hidden means that the group was removed or is outside of what is visible here.
	Hidden
)

var stateNames = [...]string{"pending", "present", "outside", "gone", "hidden"}

// String returns the name of the state in lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// label names a group whose path is not known.
func label(id uint64, state State) string {
	switch state {
	case Gone:
		return fmt.Sprintf("cgroup %d (gone)", id)
	case Outside:
		return fmt.Sprintf("cgroup %d (not visible here)", id)
	case Hidden:
		return fmt.Sprintf("cgroup %d (gone, or not visible here)", id)
	}
	return fmt.Sprintf("cgroup %d", id)
}

// describe fills in what the path tells. above is the visible part of the hierarchy, as in Mount.Root.
func (g *Group) describe(raw, above string, n *names) {
	visible := len(components(raw))
	full := raw
	if above != "" && !strings.HasPrefix(above, "/..") {
		full = path.Join("/", above, raw)
	}
	found := identify(full)
	g.Path, g.Kind = bounded(raw, mostPath), found.kind
	g.Owner = ownerOf(g.Path, found.depth-(len(components(full))-visible))
	g.Unit, g.Runtime = bounded(found.unit, mostNameBytes), bounded(found.runtime, 64)
	g.ContainerID, g.PodUID = found.container, found.pod
	if found.user != "" {
		if g.User = n.users[found.user]; g.User == "" {
			g.User = found.user
		}
	}
	g.Container = bounded(found.machine, mostNameBytes)
	g.nameParts(n)
	g.Name = bounded(g.displayName(), 1024)
}

// ownerOf returns the first components of a path; "/" is above all of them.
func ownerOf(name string, depth int) string {
	parts := components(name)
	return "/" + strings.Join(parts[:max(0, min(depth, len(parts)))], "/")
}

// nameParts looks for the names of a container and its pod. The files that have them tell of
// containers of the whole machine. A user could make a group with the id of one of those.
func (g *Group) nameParts(n *names) {
	if g.User != "" {
		return
	}
	var k kubeName
	if g.ContainerID != "" {
		var name string
		if name, k = n.container(g.ContainerID); name != "" {
			g.Container = name
		}
	}
	if k.pod == "" && g.PodUID != "" {
		k = n.pods[g.PodUID]
	}
	g.Namespace, g.Pod = bounded(k.namespace, mostNameBytes), bounded(k.pod, mostNameBytes)
	if k.container != "" {
		g.Container = bounded(k.container, mostNameBytes)
	}
}

// named reports whether all that may have a name has one.
func (g *Group) named() bool {
	return g.User != "" || (g.ContainerID == "" || g.Container != "") && (g.PodUID == "" || g.Pod != "")
}

func (g *Group) displayName() string {
	name := g.Path
	switch g.Kind {
	case Slice, Service, Scope:
		name = unescape(g.Unit)
	case Pod:
		name = g.podName()
	case Container:
		name = g.containerName()
	case Machine:
		name = g.Container
	}
	if g.User != "" {
		name = bounded(name, mostNameBytes) + " (" + g.User + ")"
	}
	return name
}

func (g *Group) podName() string {
	if g.Pod == "" {
		return "pod " + short(g.PodUID)
	}
	return g.Namespace + "/" + g.Pod
}

func (g *Group) containerName() string {
	inPod := g.PodUID != "" || g.Pod != ""
	name, id := g.Container, short(g.ContainerID)
	switch {
	case name == "" && inPod:
		name = id
	case name == "" && g.Runtime == "":
		name = "container " + id
	case name == "":
		name = g.Runtime + " " + id
	}
	if inPod {
		return g.podName() + "/" + name
	}
	return name
}

// short returns as much of an id as Docker shows.
func short(id string) string { return id[:min(len(id), 12)] }
