package cgroup

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// names finds the names of users, pods and containers in files that the runtimes leave, without
// asking a daemon. Each file is optional. All content is hostile input, since whoever may start a
// container chooses its name: files are read up to a bound, and texts are cut.
type names struct {
	root string // "" , or a directory in place of /
	// read is when the lists below were read.
	read       time.Time
	users      map[string]string   // by user id
	containers map[string]kubeName // by container id
	pods       map[string]kubeName // by pod uid
	podman     map[string]string   // by container id
	// podmanFile is the version of the file that podman was read from.
	podmanFile fileVersion
}

// kubeName is how Kubernetes names a pod and one of its containers, "" where it is not known.
type kubeName struct{ namespace, pod, container string }

type fileVersion struct {
	size     int64
	modified time.Time
}

const (
	mostNameBytes = 256 // of one name, where Kubernetes and Docker allow up to 253
	mostFileBytes = 16 << 20
	mostEntries   = 1 << 15 // of one directory
)

// refresh reads the lists again. Callers see to it that this happens rarely.
func (n *names) refresh(now time.Time) {
	n.read = now
	n.users = parseUsers(n.file("/etc/passwd", 1<<20))
	n.containers, n.pods = map[string]kubeName{}, map[string]kubeName{}
	for _, name := range n.entries("/var/log/containers") {
		if id, k, ok := parseContainerLog(name); ok {
			n.containers[id] = k
		}
	}
	for _, name := range n.entries("/var/log/pods") {
		if fields := strings.Split(name, "_"); len(fields) == 3 {
			n.pods[strings.Clone(fields[2])] = kubeName{namespace: fields[0], pod: fields[1]}
		}
	}
	n.refreshPodman()
}

// parseContainerLog reads a name such as <pod>_<namespace>_<container>-<id>.log.
func parseContainerLog(name string) (id string, k kubeName, ok bool) {
	name, ok = strings.CutSuffix(name, ".log")
	dash := strings.LastIndexByte(name, '-')
	if !ok || dash < 0 || !fullID.MatchString(name[dash+1:]) {
		return "", kubeName{}, false
	}
	fields := strings.Split(name[:dash], "_")
	if len(fields) != 3 {
		return "", kubeName{}, false
	}
	return name[dash+1:], kubeName{pod: fields[0], namespace: fields[1], container: fields[2]}, true
}

// parseUsers reads a file such as /etc/passwd.
func parseUsers(text []byte) map[string]string {
	users := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(line, ":", 4); len(f) == 4 && f[0] != "" && users[f[2]] == "" {
			users[f[2]] = bounded(f[0], 64)
		}
	}
	return users
}

// refreshPodman reads what podman and CRI-O store of all containers, if it has changed.
func (n *names) refreshPodman() {
	const file = "/var/lib/containers/storage/overlay-containers/containers.json"
	info, err := os.Stat(n.root + file)
	if err != nil {
		n.podman, n.podmanFile = nil, fileVersion{}
		return
	}
	version := fileVersion{info.Size(), info.ModTime()}
	if version == n.podmanFile {
		return
	}
	n.podman, n.podmanFile = map[string]string{}, version
	var stored []struct {
		ID    string   `json:"id"`
		Names []string `json:"names"`
	}
	// What cannot be decoded names nothing.
	_ = json.Unmarshal(n.file(file, mostFileBytes), &stored)
	for _, c := range stored {
		if fullID.MatchString(c.ID) && len(c.Names) > 0 {
			n.podman[c.ID] = bounded(c.Names[0], mostNameBytes)
		}
	}
}

// container returns what is known of a container: its name, or those that Kubernetes gave.
func (n *names) container(id string) (name string, k kubeName) {
	if k, ok := n.containers[id]; ok {
		return "", k
	}
	name = n.podman[id]
	if name == "" && fullID.MatchString(id) { // which is safe in a path
		name = n.docker(id)
	}
	if k, ok := parseKubeName(name); ok {
		return "", k
	}
	return name, kubeName{}
}

// docker returns the name that Docker has stored for a container.
func (n *names) docker(id string) string {
	for _, data := range []string{"/var/lib/docker", "/var/snap/docker/common/var-lib-docker"} {
		var stored struct{ Name string }
		text := n.file(data+"/containers/"+id+"/config.v2.json", 4<<20)
		if json.Unmarshal(text, &stored) == nil && stored.Name != "" {
			return bounded(strings.TrimPrefix(stored.Name, "/"), mostNameBytes)
		}
	}
	return ""
}

// parseKubeName reads a name that Kubernetes gives to a container of Docker or CRI-O, such as
// k8s_<container>_<pod>_<namespace>_<uid>_<attempt>.
func parseKubeName(name string) (kubeName, bool) {
	f := strings.Split(name, "_")
	if len(f) != 6 || f[0] != "k8s" {
		return kubeName{}, false
	}
	if _, err := strconv.ParseUint(f[5], 10, 32); err != nil {
		return kubeName{}, false
	}
	return kubeName{container: f[1], pod: f[2], namespace: f[3]}, true
}

// file returns the content of a regular file, nil if it cannot be read or is longer than most.
func (n *names) file(name string, most int64) []byte {
	// A pipe would block.
	f, err := os.OpenFile(n.root+name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil || int64(len(text)) > most {
		return nil
	}
	return text
}

// entries returns names in a directory, as valid UTF-8.
func (n *names) entries(dir string) []string {
	d, err := os.Open(filepath.Join(n.root, dir))
	if err != nil {
		return nil
	}
	defer d.Close()
	found, _ := d.Readdirnames(mostEntries) // an error only says that there are fewer
	for i, name := range found {
		found[i] = bounded(name, 1024)
	}
	return found
}
