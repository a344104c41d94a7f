package hostinfo

import (
	"testing"
	"testing/fstest"
)

func TestReadKernelConfigPlaces(t *testing.T) {
	good := hostFile(t, "config.gz", "CONFIG_HZ=1000\n")
	cut := &fstest.MapFile{Data: good.Data[:len(good.Data)-6]}
	boot := &fstest.MapFile{Data: []byte("CONFIG_HZ=300\n# CONFIG_PREEMPT is not set\n")}
	for _, c := range []struct {
		name   string
		files  fstest.MapFS
		wantHZ string
	}{
		{"the kernel's own first", fstest.MapFS{"proc/config.gz": good, "boot/config-6.1": boot}, "1000"},
		{"the kernel's own cut short", fstest.MapFS{"proc/config.gz": cut, "boot/config-6.1": boot}, "300"},
		{"not compressed", fstest.MapFS{"proc/config.gz": boot}, ""},
		{"another release", fstest.MapFS{"boot/config-6.2": boot}, ""},
		{"under modules", fstest.MapFS{"lib/modules/6.1/config": boot}, "300"},
		{"empty", fstest.MapFS{"boot/config-6.1": {}, "lib/modules/6.1/config": boot}, "300"},
	} {
		config := readKernelConfig(sysTree{c.files}, "6.1")
		if got := config["HZ"]; got != c.wantHZ {
			t.Errorf("%s: HZ is %q, want %q", c.name, got, c.wantHZ)
		}
		if config.set("PREEMPT") {
			t.Errorf("%s: PREEMPT is set", c.name)
		}
	}
}
