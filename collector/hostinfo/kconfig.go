package hostinfo

import (
	"bufio"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"
)

// kernelConfig holds the options that a kernel was built with and that are set,
// by name without CONFIG_. It is nil where the configuration is not at hand.
type kernelConfig map[string]string

// readKernelConfig takes the running kernel's own copy first, then the files
// that distributions install beside it: Debian's in boot, Fedora's under
// lib/modules.
func readKernelConfig(tree sysTree, release string) kernelConfig {
	places := []string{"proc/config.gz", "boot/config-" + release, "lib/modules/" + release + "/config"}
	for _, place := range places {
		file, err := tree.Open(place)
		if err != nil {
			continue
		}
		config, err := parseKernelConfig(file, strings.HasSuffix(place, ".gz"))
		file.Close()
		if err == nil && len(config) > 0 {
			return config
		}
	}
	return nil
}

func parseKernelConfig(file fs.File, compressed bool) (kernelConfig, error) {
	var text io.Reader = file
	if compressed {
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			return nil, err
		}
		text = unzipped
	}
	config := kernelConfig{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		// Unset options are comments: "# CONFIG_X is not set".
		if option, ok := strings.CutPrefix(lines.Text(), "CONFIG_"); ok {
			name, value, _ := strings.Cut(option, "=")
			config[name] = value
		}
	}
	return config, lines.Err()
}

// set reports whether an option is built in.
func (c kernelConfig) set(name string) bool { return c[name] == "y" }
