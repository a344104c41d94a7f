package cgroup

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVersion1(t *testing.T) {
	root := fakeTree(t, "v1")
	r := fakeResolver(t, root, Options{}, newClock())
	if got := r.Hierarchy().String(); got != "cgroup version 1, controller cpu, at /sys/fs/cgroup/cpu,cpuacct" {
		t.Errorf("hierarchy %q", got)
	}
	dir := root + "/sys/fs/cgroup/cpu,cpuacct"
	id := idOf(t, dir+"/docker/"+id1)
	want := Group{
		ID: id, State: Present, Path: "/docker/" + id1, Owner: "/docker/" + id1, Kind: Container, Name: "web",
		Runtime: "docker", ContainerID: id1, Container: "web",
	}
	if diff := cmp.Diff(want, r.Group(id)); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Counters{Stat: Stat{
		Usage: new(123456789 * time.Nanosecond), Periods: new(uint64(0)), Throttled: new(uint64(0)),
		ThrottledTime: micros(0),
	}}, r.Counters(id)); diff != "" {
		t.Errorf("container's counters (-want +got):\n%s", diff)
	}
	q, ok := r.Quota(id)
	if !ok || q.Group.Path != "/docker" || q.Time != 150*time.Millisecond || q.Period != 100*time.Millisecond {
		t.Errorf("quota %+v, %v", q, ok)
	}
	if c := r.Counters(q.Group.ID); *c.Throttled != 7 || *c.ThrottledTime != 5000001 || c.Usage != nil {
		t.Errorf("counters of the group with the quota: %+v", c)
	}
	// The topmost group has no quota that could be counted.
	if diff := cmp.Diff(Counters{Stat: Stat{Usage: new(time.Second)}}, r.Counters(idOf(t, dir))); diff != "" {
		t.Errorf("counters of the topmost group (-want +got):\n%s", diff)
	}
	if q, ok := r.Quota(idOf(t, dir)); ok {
		t.Errorf("the topmost group has a quota: %+v", q)
	}
	if g := r.Group(idOf(t, dir+"/docker/"+id2)); g.Name != "default/web-0/nginx" || g.Pod != "web-0" {
		t.Errorf("Kubernetes' container in Docker: %+v", g)
	}
	if g := r.Group(idOf(t, dir+"/user.slice/user-1000.slice")); g.Name != "user-1000.slice (alice)" {
		t.Errorf("slice of a user: %+v", g)
	}
}

// An id means another group in the other hierarchy, so the choice is told, and is not mixed.
func TestHybrid(t *testing.T) {
	root := fakeTree(t, "hybrid")
	const group = "/system.slice/nginx.service"
	v1, v2 := idOf(t, root+"/sys/fs/cgroup/cpu"+group), idOf(t, root+"/sys/fs/cgroup/unified"+group)
	for version, want := range map[int]Counters{
		// cpuacct has groups of its own, in which other tasks may be.
		0: {Stat: Stat{Periods: new(uint64(3)), Throttled: new(uint64(2)), ThrottledTime: micros(1)}},
		1: {Stat: Stat{Periods: new(uint64(3)), Throttled: new(uint64(2)), ThrottledTime: micros(1)}},
		2: {Stat: Stat{Usage: micros(77)}, Some: micros(12), Full: micros(3)},
	} {
		r := fakeResolver(t, root, Options{Version: version}, newClock())
		own, other := v1, v2
		if version == 2 {
			own, other = v2, v1
		}
		if h := r.Hierarchy(); h.Version != max(version, 1) || !h.Whole || h.ByHandle {
			t.Errorf("version %d: hierarchy %+v", version, h)
		}
		if g := r.Group(own); g.Name != "nginx.service" || g.State != Present {
			t.Errorf("version %d: %+v", version, g)
		}
		if diff := cmp.Diff(want, r.Counters(own)); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
		if g := r.Group(other); g.Path != "" {
			t.Errorf("version %d: a group of the other hierarchy: %+v", version, g)
		}
	}
}

func TestKubernetes(t *testing.T) {
	root := fakeTree(t, "kubernetes")
	r := fakeResolver(t, root, Options{}, newClock())
	pod := "/kubepods.slice/kubepods-pod" + inUnderscores + ".slice"
	container := pod + "/cri-containerd-" + id1 + ".scope"
	dir := root + "/sys/fs/cgroup"
	id := idOf(t, dir+container)
	want := Group{
		ID: id, State: Present, Path: container, Owner: container, Kind: Container, Name: "shop/web-0/nginx",
		Unit: "cri-containerd-" + id1 + ".scope", Runtime: "containerd", ContainerID: id1, PodUID: uid,
		Namespace: "shop", Pod: "web-0", Container: "nginx",
	}
	if diff := cmp.Diff(want, r.Group(id)); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	if g := r.Group(idOf(t, dir+pod)); g.Kind != Pod || g.Name != "shop/web-0" {
		t.Errorf("pod: %+v", g)
	}
	if g := r.Group(idOf(t, dir+"/machine.slice/libpod-"+id2+".scope/container")); g.Name != "db" {
		t.Errorf("container of podman: %+v", g)
	}
	if diff := cmp.Diff(Counters{
		Stat: Stat{
			Usage: micros(5e6), Periods: new(uint64(50)), Throttled: new(uint64(10)), ThrottledTime: micros(250e3),
		},
		Held: micros(260e3), Some: micros(700), Full: micros(90),
	}, r.Counters(id)); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
	nested := idOf(t, dir+container+"/nested")
	for _, part := range []uint64{nested, id} {
		if owner := r.Owner(part); owner.ID != id || owner.Name != "shop/web-0/nginx" {
			t.Errorf("owner of %+v: %+v", r.Group(part), owner)
		}
	}
	if owner := r.Owner(1 << 60); owner.ID != 1<<60 || owner.State != Gone {
		t.Errorf("owner of no group: %+v", owner)
	}
	var chain []string
	for _, g := range r.Parents(nested) {
		chain = append(chain, g.Path)
	}
	if diff := cmp.Diff([]string{container, pod, "/kubepods.slice", "/"}, chain); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if q, ok := r.Quota(nested); !ok || q.Group.ID != id || q.Time != 20*time.Millisecond {
		t.Errorf("quota %+v, %v", q, ok)
	}
	if q, ok := r.Quota(idOf(t, dir+pod)); !ok || q.Group.Path != "/kubepods.slice" {
		t.Errorf("quota of the pod %+v, %v", q, ok)
	}
	if got := r.Parents(idOf(t, dir)); got != nil {
		t.Errorf("above the topmost group: %+v", got)
	}
}

// The hierarchy is searched at most once a second, however many ids are unknown.
func TestSearchesAreBounded(t *testing.T) {
	root, c := fakeTree(t, "hybrid"), newClock()
	dir := root + "/sys/fs/cgroup/cpu"
	r := fakeResolver(t, root, Options{}, c)
	if g := r.Group(1 << 60); g.State != Gone || g.Name != "cgroup 1152921504606846976 (gone)" {
		t.Errorf("a group that never was: %+v", g)
	}
	began := r.walked.began
	write(t, dir+"/late.service/cpu.stat", "nr_periods 1\n")
	late := idOf(t, dir+"/late.service")
	c.pass(walkEvery - 1)
	if g := r.Group(late); g.State != Pending || g.Name == "" {
		t.Errorf("a new group, less than a second after a search: %+v", g)
	}
	if diff := cmp.Diff(Counters{}, r.Counters(late)); diff != "" {
		t.Errorf("its counters (-want +got):\n%s", diff)
	}
	for range 1000 {
		r.Group(late + 1<<40)
	}
	if r.walked.began != began {
		t.Error("searched twice within a second")
	}
	c.pass(1)
	if g := r.Group(late); g.State != Present || g.Name != "late.service" {
		t.Errorf("a new group, a second after a search: %+v", g)
	}
	if g := r.Group(late + 1<<40); g.State != Gone {
		t.Errorf("a group that was not found: %+v", g)
	}
	if began = r.walked.began; began != c.now() {
		t.Error("not searched again")
	}
	c.pass(time.Hour)
	for range 1000 {
		r.Group(1 << 60)
	}
	if r.walked.began != began {
		t.Error("searched again for a group that is known to be gone")
	}
}

// A service that starts again has a group of the same path and another id.
func TestRemovedGroupKeepsItsName(t *testing.T) {
	for _, maxOpen := range []int{0, -1} {
		root, c := fakeTree(t, "hybrid"), newClock()
		dir := root + "/sys/fs/cgroup/cpu/system.slice/nginx.service"
		r := fakeResolver(t, root, Options{MaxOpen: maxOpen}, c)
		old := idOf(t, dir)
		if g := r.Group(old); g.Name != "nginx.service" {
			t.Fatalf("%+v", g)
		}
		if err := os.Rename(dir, root+"/elsewhere"); err != nil {
			t.Fatal(err)
		}
		write(t, dir+"/cpu.stat", "nr_periods 99\n")
		if diff := cmp.Diff(Counters{}, r.Counters(old)); diff != "" {
			t.Errorf("counters of a removed group (-want +got):\n%s", diff)
		}
		if g := r.Group(old); g.State != Gone || g.Name != "nginx.service" {
			t.Errorf("removed: %+v", g)
		}
		c.pass(time.Second)
		if g := r.Group(idOf(t, dir)); g.State != Present || g.Name != "nginx.service" {
			t.Errorf("started again: %+v", g)
		}
		if q, ok := r.Quota(old); ok {
			t.Errorf("quota of a removed group: %+v", q)
		}
	}
}

func TestMatchFindsRemovedAndRenamed(t *testing.T) {
	root, c := fakeTree(t, "hybrid"), newClock()
	dir := root + "/sys/fs/cgroup/cpu/system.slice"
	r := fakeResolver(t, root, Options{}, c)
	all, err := ParsePattern("/")
	if err != nil {
		t.Fatal(err)
	}
	paths := func() (paths []string) {
		groups, err := r.Match(all)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			paths = append(paths, g.Path)
		}
		return paths
	}
	write(t, dir+"/a.service/cpu.stat", "")
	if diff := cmp.Diff([]string{"/", "/system.slice", "/system.slice/a.service", "/system.slice/nginx.service"},
		paths()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a, nginx := idOf(t, dir+"/a.service"), idOf(t, dir+"/nginx.service")
	if err := os.Rename(dir+"/a.service", dir+"/b.service"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir + "/nginx.service"); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Second)
	if diff := cmp.Diff([]string{"/", "/system.slice", "/system.slice/b.service"}, paths()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if g := r.Group(a); g.Name != "b.service" || g.State != Present {
		t.Errorf("renamed: %+v", g)
	}
	if g := r.Group(nginx); g.Name != "nginx.service" || g.State != Gone {
		t.Errorf("removed: %+v", g)
	}
}

// The files that have a container's name are written after its group was made.
func TestNameComesLater(t *testing.T) {
	root, c := fakeTree(t, "kubernetes"), newClock()
	scope := root + "/sys/fs/cgroup/system.slice/docker-" + id2[:63] + "f.scope"
	write(t, scope+"/cgroup.procs", "")
	r := fakeResolver(t, root, Options{}, c)
	id := idOf(t, scope)
	if g := r.Group(id); g.Name != "docker fedcba987654" {
		t.Errorf("without a name: %+v", g)
	}
	write(t, root+"/var/log/containers/p_n_c-"+id2[:63]+"f.log", "")
	if g := r.Group(id); g.Name != "docker fedcba987654" {
		t.Errorf("looked for again at once: %+v", g)
	}
	c.pass(time.Second)
	if g := r.Group(id); g.Name != "n/p/c" {
		t.Errorf("a second later: %+v", g)
	}
}

func TestKnownGroupsAreBounded(t *testing.T) {
	root, c := fakeTree(t, "hybrid"), newClock()
	r := fakeResolver(t, root, Options{}, c)
	id := idOf(t, root+"/sys/fs/cgroup/cpu/system.slice/nginx.service")
	for i := range uint64(mostKnown + 1000) {
		r.Group(1<<50 + i)
		if i%1000 == 0 {
			c.pass(time.Millisecond)
			r.Group(id)
		}
	}
	if len(r.known) > mostKnown {
		t.Errorf("%d groups are known", len(r.known))
	}
	if r.known[id] == nil {
		t.Error("a group that is asked for all the time was forgotten")
	}
}

func TestNoHierarchy(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
	for version, want := range map[int]string{
		0: "open control groups: open " + root + "/sys/fs/cgroup: no such file or directory",
		1: "cgroup version 1 with the controller cpu is not mounted",
		3: "there is no cgroup version 3, only 1 and 2",
	} {
		if _, err := newResolver(Options{Version: version}, root, time.Now); err == nil || err.Error() != want {
			t.Errorf("version %d: %v", version, err)
		}
	}
	write(t, root+"/proc/self/mountinfo", "")
	if _, err := newResolver(Options{}, root, time.Now); err == nil || !strings.Contains(err.Error(), "not mounted") {
		t.Errorf("nothing mounted: %v", err)
	}
}
