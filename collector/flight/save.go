package flight

import (
	"bufio"

	"github.com/slicetrace/slicetrace/report/recording"
)

// job is a window that becomes a file, in a goroutine of its own: a disk may take long.
type job struct {
	header recording.Header
	before names
	epochs []*epoch
	marks  []recording.Mark

	done  chan struct{} // closed when the rest is set
	saved Saved
	err   error
}

func (j *job) run(create func(n int) (File, error)) {
	defer close(j.done)
	j.saved.Window = *j.header.Window
	for _, e := range j.epochs {
		j.saved.Switches += e.Switches
		j.saved.Wakeups += e.Wakeups
		j.saved.Counted += e.Counted
		j.saved.Lost += e.Lost
		j.saved.LostTasks += e.LostTasks
	}
	file, err := create(j.header.Window.Number)
	if err != nil {
		j.err = err
		return
	}
	if j.err = j.write(file); j.err != nil {
		file.Abort()
		return
	}
	j.err = file.Commit()
}

// counter counts the bytes that a file gets.
type counter struct {
	File
	bytes int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.File.Write(p)
	c.bytes += int64(n)
	return n, err
}

func (j *job) write(file File) error {
	count := &counter{File: file}
	buffer := bufio.NewWriterSize(count, 1<<20)
	w, err := recording.NewWriter(buffer, j.header)
	if err != nil {
		return err
	}
	if err := w.Tasks(j.before.tasks()); err != nil {
		return err
	}
	for _, e := range j.epochs {
		if err := w.Tasks(e.names); err != nil {
			return err
		}
		for _, b := range e.blocks {
			if err := w.Frames(b); err != nil {
				return err
			}
		}
	}
	for _, m := range j.marks {
		if err := w.Mark(m); err != nil {
			return err
		}
	}
	if err := w.Close(j.saved.End); err != nil {
		return err
	}
	err = buffer.Flush()
	j.saved.Bytes = count.bytes
	return err
}
