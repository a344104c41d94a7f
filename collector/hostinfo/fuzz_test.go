package hostinfo

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
)

func FuzzParseCPUs(f *testing.F) {
	for _, seed := range []string{"0-3,8\n", "", "5,2-3", "0-8191", "8191,0-8190", "0-8191,0", "+1", "1-2-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cpus, err := ParseCPUs(text)
		if err != nil {
			return
		}
		if len(cpus) > mostCPUs {
			t.Fatalf("%d cores", len(cpus))
		}
		var again []string
		for _, cpu := range cpus {
			again = append(again, strconv.Itoa(int(cpu)))
		}
		if same, err := ParseCPUs(strings.Join(again, ",")); err != nil || !slices.Equal(same, cpus) {
			t.Errorf("%v, written out, are %v, %v", cpus, same, err)
		}
	})
}

// FuzzFingerprint makes up the files of a machine, in the form of testdata/host. They reach the
// parsers of cpuinfo, of kernel configurations, and of the scheduler's and the hypervisor's
// files.
func FuzzFingerprint(f *testing.F) {
	twins, err := filepath.Glob("testdata/host/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, twin := range twins {
		text, err := os.ReadFile(twin)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("-- uname --\n6.\n#1 PREEMPT\nx86_64\n-- boot/config-6. --\nCONFIG_HZ=-1\n" +
		"-- proc/meminfo --\nMemTotal: -7 kB\n")
	f.Add("-- sys/hypervisor/type --\n\xff\n-- " + schedDebugDir + "/base_slice_ns --\n-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := make(fstest.MapFS)
		for section := range strings.SplitSeq("\n"+text, "\n-- ") {
			if path, content, ok := strings.Cut(section, " --\n"); ok {
				files[path] = &fstest.MapFile{Data: []byte(content)}
			}
		}
		id := append(sysTree{files}.lines("uname"), "", "", "")
		host := fingerprint(sysTree{files}, kernelID{release: id[0], version: id[1], machine: id[2]})
		if host.CPUs < 0 || host.HZ < 0 || host.MemoryBytes < 0 || host.BaseSliceNS != nil && *host.BaseSliceNS < 0 {
			t.Errorf("less than nothing: %+v", host)
		}
		var file bytes.Buffer
		if err := report.Encode(&file, &report.Report{Schema: report.SchemaVersion, Host: host}); err != nil {
			t.Fatal(err)
		}
		saved, err := report.Decode(&file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(host, saved.Host); diff != "" {
			t.Errorf("saved, it differs (-want +got):\n%s", diff)
		}
	})
}

func FuzzReadKernelConfig(f *testing.F) {
	f.Add([]byte("CONFIG_HZ=250\n# CONFIG_X is not set\n"), false)
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), true)
	f.Fuzz(func(t *testing.T, text []byte, compressed bool) {
		name := "boot/config-6.1"
		if compressed {
			name = "proc/config.gz"
		}
		for option := range readKernelConfig(sysTree{fstest.MapFS{name: {Data: text}}}, "6.1") {
			if strings.ContainsAny(option, "=\n") {
				t.Errorf("option %q", option)
			}
		}
	})
}
