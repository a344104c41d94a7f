package render

import (
	"fmt"
	"math"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/table"
)

// absentNumber and "" are absent figures.
const absentNumber = math.MinInt64

// chunk holds rows of a recording's table, column by column: the fields of column i are in
// numbers[i] or texts[i].
type chunk struct {
	rows    int
	numbers [][]int64
	texts   [][]string
}

func newChunk(columns []table.Column) *chunk {
	return &chunk{numbers: make([][]int64, len(columns)), texts: make([][]string, len(columns))}
}

func (c *chunk) reset() {
	c.rows = 0
	for i := range c.numbers {
		c.numbers[i], c.texts[i] = c.numbers[i][:0], c.texts[i][:0]
	}
}

// number appends a field to a row. Fields are appended from left to right.
func (c *chunk) number(column int, n int64) { c.numbers[column] = append(c.numbers[column], n) }

func (c *chunk) text(column int, s string) { c.texts[column] = append(c.texts[column], s) }

// recordingTable is a table of a recording: its columns, and how a frame is converted to rows.
type recordingTable struct {
	name    string
	columns []table.Column
	// fill adds a frame's rows to the filler's chunk.
	fill func(*filler, recording.Frame) error
}

func recordingTables() []recordingTable {
	return []recordingTable{
		{"switches", recordingColumns(`time_ns core prev_tid prev_comm:text next_tid next_comm:text
			slice_ns? pick_ns? switch_ns? class:text ended_by:text prev_state:text lost_before`), (*filler).switches},
		{"wakeups", recordingColumns("time_ns core tid comm:text target_core lost_before"), (*filler).wakeups},
		{"tasks", recordingColumns("time_ns tid pid comm:text parent_tid?"), (*filler).tasks},
		{"marks", recordingColumns(`workload:text variant:name mode:text round
			start_ns end_ns worker_tids:text`), (*filler).marks},
	}
}

// recordingColumns parses names. A column with ":text" has texts, one with ":name" texts that are
// never absent, and one with "?" numbers that may be absent.
func recordingColumns(list string) []table.Column {
	var columns []table.Column
	for _, word := range strings.Fields(list) {
		name, kind, text := strings.Cut(word, ":")
		name, optional := strings.CutSuffix(name, "?")
		c := table.Column{Name: name, Required: !text && !optional, KeepEmpty: kind == "name"}
		if text {
			c.Kind = table.Text
		}
		columns = append(columns, c)
	}
	return columns
}

// RecordingTableNames returns the names of a recording's tables.
func RecordingTableNames() []string {
	var names []string
	for _, t := range recordingTables() {
		names = append(names, t.name)
	}
	return names
}

// RecordingColumns returns the columns of a recording's table. ok is false if there is no such
// table.
func RecordingColumns(name string) (columns []table.Column, ok bool) {
	for _, t := range recordingTables() {
		if t.name == name {
			return t.columns, true
		}
	}
	return nil, false
}

// filler converts frames to chunks of rows.
type filler struct {
	names recording.Names
	// lost counts, for each core, events that are missing before its next row.
	lost  map[sched.CPU]uint64
	chunk *chunk
	// full takes the chunk and returns an empty one.
	full func(*chunk) (*chunk, error)

	classes, causes []string
	states          [256]string
}

func newFiller(first *chunk, full func(*chunk) (*chunk, error)) *filler {
	f := &filler{lost: map[sched.CPU]uint64{}, chunk: first, full: full}
	for _, c := range report.Classes() {
		f.classes = append(f.classes, string(c))
	}
	for _, c := range report.Causes() {
		f.causes = append(f.causes, string(c))
	}
	for i := 1; i < len(f.states); i++ {
		f.states[i] = string(rune(i))
	}
	return f
}

// chunkRows limits a chunk, so that it stays in a core's cache.
const chunkRows = 4096

// row ends a row.
func (f *filler) row() error {
	if f.chunk.rows++; f.chunk.rows < chunkRows {
		return nil
	}
	var err error
	f.chunk, err = f.full(f.chunk)
	return err
}

// events adds a row for each of a block's events of one kind. put fills in the fields of a row; lost
// is how many events of the core are missing before it.
func (f *filler) events(
	frame recording.Frame, kind recording.Kind, put func(cpu sched.CPU, e *recording.Event, lost uint64),
) error {
	b, ok := frame.(*recording.Block)
	if !ok {
		return nil
	}
	lost := f.lost[b.CPU] + b.Lost
	for i := range b.Events {
		e := &b.Events[i]
		if e.Kind != kind {
			continue
		}
		put(b.CPU, e, lost)
		lost = 0
		if err := f.row(); err != nil {
			return err
		}
	}
	f.lost[b.CPU] = lost
	return nil
}

func (f *filler) switches(frame recording.Frame) error {
	return f.events(frame, recording.Switch, func(cpu sched.CPU, e *recording.Event, lost uint64) {
		c := f.chunk
		c.number(0, e.TimeNS)
		c.number(1, int64(cpu))
		c.number(2, int64(e.Prev))
		c.text(3, f.names.At(e.Prev, e.TimeNS))
		c.number(4, int64(e.Next))
		c.text(5, f.names.At(e.Next, e.TimeNS))
		c.number(6, timed(e.SliceNS))
		c.number(7, timed(e.PickNS))
		c.number(8, timed(e.SwitchNS))
		c.text(9, word(f.classes, e.Class))
		c.text(10, word(f.causes, e.EndedBy))
		c.text(11, f.states[e.State])
		c.number(12, int64(lost))
	})
}

func (f *filler) wakeups(frame recording.Frame) error {
	return f.events(frame, recording.Wakeup, func(cpu sched.CPU, e *recording.Event, lost uint64) {
		c := f.chunk
		c.number(0, e.TimeNS)
		c.number(1, int64(cpu))
		c.number(2, int64(e.Next))
		c.text(3, f.names.At(e.Next, e.TimeNS))
		c.number(4, int64(e.CPU))
		c.number(5, int64(lost))
	})
}

func (f *filler) tasks(frame recording.Frame) error {
	tasks, _ := frame.([]recording.Task)
	for _, t := range tasks {
		c := f.chunk
		c.number(0, t.TimeNS)
		c.number(1, int64(t.TID))
		c.number(2, int64(t.TGID))
		c.text(3, t.Comm)
		if t.Parent != 0 {
			c.number(4, int64(t.Parent))
		} else {
			c.number(4, absentNumber)
		}
		if err := f.row(); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) marks(frame recording.Frame) error {
	m, ok := frame.(recording.Mark)
	if !ok {
		return nil
	}
	c := f.chunk
	c.text(0, m.Workload)
	c.text(1, m.Variant)
	c.text(2, m.Mode)
	c.number(3, int64(m.Round))
	c.number(4, m.StartNS)
	c.number(5, m.EndNS)
	c.text(6, strings.Trim(fmt.Sprint(m.Workers), "[]"))
	return f.row()
}

// timed returns a time, absent if it was not measured.
func timed(ns int64) int64 {
	if ns < 0 {
		return absentNumber
	}
	return ns
}

func word(words []string, index uint8) string {
	if int(index) < len(words) {
		return words[index]
	}
	return ""
}
