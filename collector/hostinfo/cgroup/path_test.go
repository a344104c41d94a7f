package cgroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	id1 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	id2 = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
	uid = "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8"
)

// inUnderscores is a pod's uid in the name of a slice.
var inUnderscores = strings.ReplaceAll(uid, "-", "_")

// Paths as they are on hosts of these kinds. ID stands for id1, INNER for id2, UID for a pod's uid
// and U_I_D for the same in a slice's name.
var pathCases = []struct {
	path string
	// rest is how many components are below the owner.
	rest int
	want Group
}{
	{"/", 0, Group{Kind: Root, Name: "/"}},
	{"/mygroup/part", 0, Group{Kind: Plain, Name: "/mygroup/part"}},
	{"/.slice", 0, Group{Kind: Plain, Name: "/.slice"}},
	{"/kubepods/burstable", 0, Group{Kind: Plain, Name: "/kubepods/burstable"}},

	{"/init.scope", 0, Group{Kind: Scope, Name: "init.scope", Unit: "init.scope"}},
	{"/system.slice", 0, Group{Kind: Slice, Name: "system.slice", Unit: "system.slice"}},
	{"/system.slice/nginx.service", 0, Group{Kind: Service, Name: "nginx.service", Unit: "nginx.service"}},
	{"/system.slice/nginx.service/workers/1", 2,
		Group{Kind: Service, Name: "nginx.service", Unit: "nginx.service"}},
	{"/system.slice/systemd-udevd.service/udev", 1,
		Group{Kind: Service, Name: "systemd-udevd.service", Unit: "systemd-udevd.service"}},
	{"/system.slice/system-postgresql.slice/postgresql@16-main.service", 0,
		Group{Kind: Service, Name: "postgresql@16-main.service", Unit: "postgresql@16-main.service"}},
	{"/system.slice/system-getty.slice", 0,
		Group{Kind: Slice, Name: "system-getty.slice", Unit: "system-getty.slice"}},
	{"/system.slice/dev-disk-by\\x2duuid-12.swap", 0,
		Group{Kind: Service, Name: "dev-disk-by-uuid-12.swap", Unit: `dev-disk-by\x2duuid-12.swap`}},
	{`/system.slice/caf\xc3\xa9.service`, 0,
		Group{Kind: Service, Name: "café.service", Unit: `caf\xc3\xa9.service`}},
	{`/system.slice/a\x1b\x5b31m.service`, 0, // would colour a terminal
		Group{Kind: Service, Name: `a\x1b\x5b31m.service`, Unit: `a\x1b\x5b31m.service`}},
	{`/system.slice/a\xff\x2.service`, 0, // no UTF-8, and no whole escape
		Group{Kind: Service, Name: `a\xff\x2.service`, Unit: `a\xff\x2.service`}},
	{"/system.slice/-.mount", 0, Group{Kind: Service, Name: "-.mount", Unit: "-.mount"}},

	{"/user.slice/user-1000.slice", 0,
		Group{Kind: Slice, Name: "user-1000.slice (alice)", Unit: "user-1000.slice", User: "alice"}},
	{"/user.slice/user-1000.slice/session-3.scope", 0,
		Group{Kind: Scope, Name: "session-3.scope (alice)", Unit: "session-3.scope", User: "alice"}},
	{"/user.slice/user-1001.slice/session-4.scope", 0,
		Group{Kind: Scope, Name: "session-4.scope (1001)", Unit: "session-4.scope", User: "1001"}},
	{"/user.slice/user-1000.slice/user@1000.service/init.scope", 1,
		Group{Kind: Service, Name: "user@1000.service (alice)", Unit: "user@1000.service", User: "alice"}},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice", 1,
		Group{Kind: Service, Name: "user@1000.service (alice)", Unit: "user@1000.service", User: "alice"}},
	{`/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-foo\x2dbar-77.scope`, 0,
		Group{Kind: Scope, Name: "app-gnome-foo-bar-77.scope (alice)", Unit: `app-gnome-foo\x2dbar-77.scope`,
			User: "alice"}},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service/sub.service", 1,
		Group{Kind: Service, Name: "dbus.service (alice)", Unit: "dbus.service", User: "alice"}},
	{"/user.slice/user-1000.slice/user@1000.service/user-0.slice/user@0.service", 0, // made by alice
		Group{Kind: Service, Name: "user@0.service (alice)", Unit: "user@0.service", User: "alice"}},
	{"/user.slice/user-x.slice", 0, Group{Kind: Slice, Name: "user-x.slice", Unit: "user-x.slice"}},

	{"/docker/ID", 0, Group{Kind: Container, Name: "docker 0123456789ab", Runtime: "docker", ContainerID: id1}},
	{"/docker/ID/system.slice/sshd.service", 2,
		Group{Kind: Container, Name: "docker 0123456789ab", Runtime: "docker", ContainerID: id1}},
	{"/docker/ID/docker/INNER", 2,
		Group{Kind: Container, Name: "docker 0123456789ab", Runtime: "docker", ContainerID: id1}},
	{"/system.slice/docker-ID.scope", 0,
		Group{Kind: Container, Name: "docker 0123456789ab", Runtime: "docker", ContainerID: id1,
			Unit: "docker-ID.scope"}},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope/init", 1,
		Group{Kind: Container, Name: "docker 0123456789ab (alice)", Runtime: "docker", ContainerID: id1,
			Unit: "docker-ID.scope", User: "alice"}},
	{"/docker/buildkit/t4967jvf8rbufklrhkicskyes", 0,
		Group{Kind: Plain, Name: "/docker/buildkit/t4967jvf8rbufklrhkicskyes"}},
	{"/actions_job/ID", 0, Group{Kind: Container, Name: "container 0123456789ab", ContainerID: id1}},
	{"/docker/0123456789ABCDEF", 0, Group{Kind: Plain, Name: "/docker/0123456789ABCDEF"}},
	{"/system.slice/nerdctl-ID.scope", 0,
		Group{Kind: Container, Name: "nerdctl 0123456789ab", Runtime: "nerdctl", ContainerID: id1,
			Unit: "nerdctl-ID.scope"}},
	{"/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-2934712345", 0,
		Group{Kind: Container, Name: "ecs 0123456789ab", Runtime: "ecs",
			ContainerID: "0123456789abcdef0123456789abcdef-2934712345"}},

	{"/machine.slice/libpod-ID.scope/container", 1,
		Group{Kind: Container, Name: "podman 0123456789ab", Runtime: "podman", ContainerID: id1,
			Unit: "libpod-ID.scope"}},
	{"/machine.slice/libpod-conmon-ID.scope", 0,
		Group{Kind: Scope, Name: "libpod-conmon-" + id1 + ".scope", Unit: "libpod-conmon-" + id1 + ".scope"}},
	{"/libpod_parent/libpod-ID", 0,
		Group{Kind: Container, Name: "podman 0123456789ab", Runtime: "podman", ContainerID: id1}},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container", 1,
		Group{Kind: Container, Name: "podman 0123456789ab (alice)", Runtime: "podman", ContainerID: id1,
			Unit: "libpod-ID.scope", User: "alice"}},

	{"/kubepods.slice/kubepods-burstable.slice", 0,
		Group{Kind: Slice, Name: "kubepods-burstable.slice", Unit: "kubepods-burstable.slice"}},
	{"/kubepods/besteffort/podUID", 0, Group{Kind: Pod, Name: "pod 5759a1ae-36c", PodUID: uid}},
	{"/kubepods/podUID/ID", 0,
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1}},
	{"/kubepods/burstable/pod0123456789abcdef0123456789abcdef/ID", 0, // of a static pod
		Group{Kind: Container, Name: "pod 0123456789ab/0123456789ab", PodUID: id1[:32], ContainerID: id1}},
	{"/kubepods.slice/kubepods-podU_I_D.slice", 0,
		Group{Kind: Pod, Name: "pod 5759a1ae-36c", PodUID: uid, Unit: "kubepods-podU_I_D.slice"}},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_I_D.slice/cri-containerd-ID.scope", 0,
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "containerd", Unit: "cri-containerd-ID.scope"}},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_I_D.slice/crio-ID.scope/container", 1,
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "cri-o", Unit: "crio-ID.scope"}},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_I_D.slice/crio-conmon-ID.scope", 1,
		Group{Kind: Pod, Name: "pod 5759a1ae-36c", PodUID: uid,
			Unit: "kubepods-besteffort-podU_I_D.slice"}},
	{"/kubepods.slice/kubepods-podU_I_D.slice/docker-ID.scope/kubepods/podx/INNER", 3,
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "docker", Unit: "docker-ID.scope"}},
	{"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podU_I_D.slice/cri-containerd-ID.scope", 0, // kind
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "containerd", Unit: "cri-containerd-ID.scope"}},
	{"/system.slice/containerd.service/kubepods-burstable-podU_I_D.slice:cri-containerd:ID", 0,
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "containerd", Unit: "containerd.service"}},
	{"/../kubepods-podU_I_D.slice/cri-containerd-ID.scope", 0, // from a cgroup namespace
		Group{Kind: Container, Name: "pod 5759a1ae-36c/0123456789ab", PodUID: uid, ContainerID: id1,
			Runtime: "containerd", Unit: "cri-containerd-ID.scope"}},
	{"/../../system.slice/nginx.service", 0, Group{Kind: Service, Name: "nginx.service", Unit: "nginx.service"}},
	{"/podUID", 0, Group{Kind: Plain, Name: "/pod" + uid}},

	{"/lxc.payload.web/system.slice/nginx.service", 2,
		Group{Kind: Machine, Name: "web", Runtime: "lxc", Container: "web"}},
	{"/lxc.payload/web/init.scope", 1, Group{Kind: Machine, Name: "web", Runtime: "lxc", Container: "web"}},
	{"/lxc/web", 0, Group{Kind: Machine, Name: "web", Runtime: "lxc", Container: "web"}},
	{"/lxc.monitor.web", 0, Group{Kind: Plain, Name: "/lxc.monitor.web"}},
	{`/machine.slice/systemd-nspawn@deb\x2d12.service/payload/system.slice/cron.service`, 3,
		Group{Kind: Machine, Name: "deb-12", Runtime: "systemd-nspawn", Container: "deb-12",
			Unit: `systemd-nspawn@deb\x2d12.service`}},
	{`/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/vcpu0`, 2,
		Group{Kind: Machine, Name: "qemu-1-vm", Container: "qemu-1-vm", Unit: `machine-qemu\x2d1\x2dvm.scope`}},
}

func spell(text string) string {
	return strings.NewReplacer("INNER", id2, "U_I_D", inUnderscores, "UID", uid, "ID", id1).Replace(text)
}

func TestGroupsOfPaths(t *testing.T) {
	known := &names{users: map[string]string{"1000": "alice"}}
	for _, c := range pathCases {
		raw := spell(c.path)
		var got Group
		got.describe(raw, "/", known)
		want := c.want
		want.Unit = spell(want.Unit)
		want.Path = raw
		parts := components(raw)
		want.Owner = "/" + strings.Join(parts[:len(parts)-c.rest], "/")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.path, diff)
		}
	}
}

// In a container without a cgroup namespace, the topmost visible group is the container's.
func TestNameComesFromAboveTheMount(t *testing.T) {
	for _, path := range []string{"/", "/sub"} {
		var got Group
		got.describe(path, "/docker/"+id1, &names{})
		want := Group{
			Path: path, Owner: "/", Kind: Container, Name: "docker 0123456789ab", Runtime: "docker", ContainerID: id1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestHostileTextIsBounded(t *testing.T) {
	long := strings.Repeat("é", 5000)
	var g Group
	g.describe("/"+long+"\xff.service", "/", &names{})
	if len(g.Path) > mostPath || len(g.Owner) > mostPath || len(g.Name) > 1024 || len(g.Unit) > mostNameBytes {
		t.Errorf("path of %d bytes, owner %d, name %d, unit %d", len(g.Path), len(g.Owner), len(g.Name), len(g.Unit))
	}
	if !strings.HasSuffix(g.Unit, "é…") {
		t.Errorf("unit %q", g.Unit)
	}
}
