package symbol

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// status is what is needed of a process besides its mappings.
type status struct {
	inside  string // its number in its own PID namespace
	user    uint32
	started string // in clock ticks since the boot: tells processes of one number apart
}

var errStatus = errors.New("the process's status is malformed")

// readStatus reads the status of a process.
func readStatus(pid int) (status, error) {
	var s status
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	// The name, in parentheses, can hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const started = 19
	if len(fields) <= started {
		return s, errStatus
	}
	s.started = fields[started]
	text, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return s, err
	}
	s.inside = strconv.Itoa(pid)
	for line := range strings.Lines(string(text)) {
		key, values, _ := strings.Cut(line, ":")
		list := strings.Fields(values)
		switch {
		case key == "NSpid" && len(list) > 0:
			s.inside = list[len(list)-1]
		case key == "Uid" && len(list) > 1:
			id, err := strconv.ParseUint(list[1], 10, 32)
			if err != nil {
				return s, errStatus
			}
			s.user = uint32(id)
		}
	}
	return s, nil
}
