package hostinfo

import (
	"bufio"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"
)

// kernelConfig holds the options that are set in a kernel's configuration, by their names
// without CONFIG_. It is nil if the configuration cannot be read.
type kernelConfig map[string]string

// readKernelConfig reads the running kernel's own copy if there is one, else the file that
// distributions install with it: Debian in boot, Fedora under lib/modules.
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
