package cgroup

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const dockerFile = "/var/lib/docker/containers/" + id1 + "/config.v2.json"

// Whatever is in the place of a file must neither block, nor be followed elsewhere, nor use up
// memory.
func TestNameFilesAreNotTrusted(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, root string){
		"pipe": func(t *testing.T, root string) {
			if err := unix.Mkfifo(root+dockerFile, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"symbolic link": func(t *testing.T, root string) {
			write(t, root+"/secret", `{"Name":"/secret"}`)
			if err := os.Symlink(root+"/secret", root+dockerFile); err != nil {
				t.Fatal(err)
			}
		},
		"directory": func(t *testing.T, root string) { write(t, root+dockerFile+"/x", "") },
		"too large": func(t *testing.T, root string) {
			write(t, root+dockerFile, `{"Name":"/web"}`)
			if err := os.Truncate(root+dockerFile, 5<<20); err != nil {
				t.Fatal(err)
			}
		},
		"not JSON":     func(t *testing.T, root string) { write(t, root+dockerFile, `{"Name":"/web"`) },
		"another type": func(t *testing.T, root string) { write(t, root+dockerFile, `{"Name":["/web"]}`) },
		"empty":        func(t *testing.T, root string) { write(t, root+dockerFile, `{"Name":"/"}`) },
	} {
		root := t.TempDir()
		write(t, root+strings.TrimSuffix(dockerFile, "config.v2.json")+"other", "")
		make(t, root)
		n := &names{root: root}
		n.refresh(time.Now())
		if got, k := n.container(id1); got != "" || k != (kubeName{}) {
			t.Errorf("%s: %q, %+v", name, got, k)
		}
	}
}

func TestLongNamesAreCut(t *testing.T) {
	root := t.TempDir()
	write(t, root+dockerFile, `{"Name":"/`+strings.Repeat("x", 3000)+`\u001b[31m"}`)
	var g Group
	g.describe("/docker/"+id1, "/", &names{root: root})
	if len(g.Container) != mostNameBytes || g.Name != g.Container || !strings.HasSuffix(g.Name, "x…") {
		t.Errorf("%q", g.Name)
	}
}

// podman writes its file anew for each container.
func TestPodmanFileIsReadAgain(t *testing.T) {
	root := t.TempDir()
	const file = "/var/lib/containers/storage/overlay-containers/containers.json"
	n := &names{root: root}
	for _, want := range []string{"one", "other"} {
		write(t, root+file, `[{"id":"`+id1+`","names":["`+want+`"]}]`)
		n.refresh(time.Now())
		if got, _ := n.container(id1); got != want {
			t.Errorf("name %q, want %q", got, want)
		}
	}
	if err := os.Remove(root + file); err != nil {
		t.Fatal(err)
	}
	n.refresh(time.Now())
	if got, _ := n.container(id1); got != "" {
		t.Errorf("name %q of a container that was removed", got)
	}
}

// CRI-O stores containers as podman does, under the names that Kubernetes gives.
func TestNamesFromKubernetes(t *testing.T) {
	for name, want := range map[string]kubeName{
		"k8s_nginx_web-0_shop_" + uid + "_0": {"shop", "web-0", "nginx"},
		"k8s_POD_web-0_shop_" + uid + "_12":  {"shop", "web-0", "POD"},
		"k8s_nginx_web-0_shop_" + uid + "_x": {},
		"k8s_nginx_web-0_shop":               {},
		"web":                                {},
	} {
		if got, ok := parseKubeName(name); got != want || ok != (want != kubeName{}) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	for name, want := range map[string]kubeName{
		"web-0_shop_nginx-" + id1 + ".log":     {"shop", "web-0", "nginx"},
		"web-0_shop_my-app-" + id1 + ".log":    {"shop", "web-0", "my-app"},
		"web-0_shop_nginx-" + id1:              {},
		"web-0_shop_nginx-" + id1[1:] + ".log": {},
		"web-0_shop-" + id1 + ".log":           {},
		".log":                                 {},
	} {
		if id, got, ok := parseContainerLog(name); got != want || ok != (want != kubeName{}) || ok && id != id1 {
			t.Errorf("%s: %q, %+v, %v", name, id, got, ok)
		}
	}
}
