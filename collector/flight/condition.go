package flight

import (
	"fmt"
	"strings"
	"time"
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
	// Comm is the name of the task, "" for any.
	Comm string
}

func (c Condition) String() string {
	text := fmt.Sprintf("%v>%v", c.Kind, c.Limit)
	if c.Comm != "" {
		text += " of " + c.Comm
	}
	return text
}

// longestComm is how long a task's name can be in the kernel.
const longestComm = 15

// Parse reads a condition such as "wait>20ms" or "blocked>1s of postgres".
func Parse(text string) (Condition, error) {
	what, comm, named := strings.Cut(strings.TrimSpace(text), " of ")
	name, limit, ok := strings.Cut(what, ">")
	if !ok {
		return Condition{}, fmt.Errorf("%q has no >: write it like wait>20ms", text)
	}
	c := Condition{Kind: kinds, Comm: strings.TrimSpace(comm)}
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
	if named && (c.Comm == "" || len(c.Comm) > longestComm) {
		return Condition{}, fmt.Errorf("%q: a task's name has 1 to %d bytes: write it like wait>20ms of nginx",
			text, longestComm)
	}
	return c, nil
}
