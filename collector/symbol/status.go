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
	inside string // its number in its own PID namespace
	user   uint32
	execution
}

// execution tells a process from others that have had its number, and the programs that it executes apart.
type execution struct {
	started string // in clock ticks since the boot
	stack   uint64 // where the program's stack starts, at random for each program; 0: not known
}

var errStatus = errors.New("the process's status is malformed")

func readExecution(pid int) (execution, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return execution{}, err
	}
	// The name, in parentheses, can hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const started, stack = 19, 25
	if len(fields) <= stack {
		return execution{}, errStatus
	}
	e := execution{started: fields[started]}
	if e.stack, err = strconv.ParseUint(fields[stack], 10, 64); err != nil {
		return execution{}, errStatus
	}
	return e, nil
}

// readStatus reads the status of a process.
func readStatus(pid int) (status, error) {
	var s status
	var err error
	if s.execution, err = readExecution(pid); err != nil {
		return s, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
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
