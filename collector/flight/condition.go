package flight

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Kind is what a condition is about.
type Kind uint8

// The kinds.
const (
	// Wait is the time from a wakeup or a preemption to the switch to the task.
	Wait Kind = iota
	// Slice is the time that a task stayed on a core.
	Slice
	// Blocked is the time from a switch from a task that went to sleep to its wakeup.
	Blocked
	kinds
)

func (k Kind) String() string { return [...]string{"wait", "slice", "blocked"}[k] }

// Condition is what makes a recorder save its window.
type Condition struct {
	Kind Kind
	// Limit is what the time must exceed.
	Limit time.Duration
	// Comm is the name of the task or of its process, or a pattern as path.Match takes it; "" for any.
	Comm string
	// PID is the task's process, 0 for any.
	PID sched.PID
	// Group is what Choice.InGroup is asked about, "" for any group.
	Group string
}

func (c Condition) String() string {
	text := fmt.Sprintf("%v>%v", c.Kind, c.Limit)
	switch {
	case c.PID != 0:
		text += fmt.Sprintf("%s%s%d", ofWord, pidWord, c.PID)
	case c.Comm != "":
		text += ofWord + c.Comm
	}
	if c.Group != "" {
		text += inWord + c.Group
	}
	return text
}

// The words of a condition.
const (
	ofWord  = " of "
	pidWord = "pid "
	inWord  = " in "
)

// longestComm is how long a task's name can be in the kernel.
const longestComm = 15

// Parse reads a condition such as "wait>20ms", "blocked>1s of postgres*", "slice>5ms of pid 4711" or
// "wait>20ms in web.service". What follows "in" is left to the caller.
func Parse(text string) (Condition, error) {
	what, group := text, ""
	at := strings.LastIndex(text, inWord)
	if at >= 0 {
		what, group = text[:at], strings.TrimSpace(text[at+len(inWord):])
	}
	what, of, named := strings.Cut(strings.TrimSpace(what), ofWord)
	name, limit, ok := strings.Cut(what, ">")
	if !ok {
		return Condition{}, fmt.Errorf("%q has no >: write it like wait>20ms", text)
	}
	c := Condition{Kind: kinds, Group: group}
	for k := range kinds {
		if strings.TrimSpace(name) == k.String() {
			c.Kind = k
		}
	}
	if c.Kind == kinds {
		return Condition{}, fmt.Errorf("%q: only wait, slice and blocked have limits: write it like wait>20ms", text)
	}
	var err error
	if c.Limit, err = time.ParseDuration(strings.TrimSpace(limit)); err != nil || c.Limit <= 0 {
		return Condition{}, fmt.Errorf("%q: %q is no time above 0: write it like wait>20ms", text, limit)
	}
	if at >= 0 && group == "" {
		return Condition{}, fmt.Errorf("%q names no group: write it like wait>20ms in web.service", text)
	}
	if !named {
		return c, nil
	}
	return c, c.parseTask(text, strings.TrimSpace(of))
}

// parseTask reads what follows "of".
func (c *Condition) parseTask(text, of string) error {
	if number, isPID := strings.CutPrefix(of, pidWord); isPID {
		pid, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || pid < 1 {
			return fmt.Errorf("%q: a process has a number: write it like wait>20ms of pid 4711", text)
		}
		c.PID = sched.PID(pid)
		return nil
	}
	plain := !strings.ContainsAny(of, `*?[\`)
	if of == "" || plain && len(of) > longestComm {
		return fmt.Errorf("%q: a task's name has 1 to %d bytes: write it like wait>20ms of nginx", text, longestComm)
	}
	if _, err := path.Match(of, ""); err != nil {
		return fmt.Errorf("%q: %s is no pattern: write it like wait>20ms of 'nginx*'", text, of)
	}
	c.Comm = of
	return nil
}
