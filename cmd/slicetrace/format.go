package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// format is a format in which a report is shown. It is the value of a flag.
type format string

const (
	formatText format = "table"
	formatJSON format = "json"
	formatCSV  format = "csv"
)

func formats() []string {
	return []string{string(formatText), string(formatJSON), string(formatCSV)}
}

func (f *format) String() string { return string(*f) }

// Type names the value in help texts.
func (f *format) Type() string { return "FORMAT" }

// formatOf is a format out of a list of allowed ones.
type formatOf struct {
	*format
	allowed []string
}

// Set accepts the name of an allowed format.
func (f formatOf) Set(s string) error {
	if !slices.Contains(f.allowed, s) {
		return fmt.Errorf("the formats are %s", strings.Join(f.allowed, ", "))
	}
	*f.format = format(s)
	return nil
}

func addFormat(cmd *cobra.Command, f *format) {
	cmd.Flags().Var(formatOf{f, formats()}, "format",
		"show the report as table, json or csv (csv: the table cores; export has the others)")
	complete(cmd, "format", formats())
}

// warnIfClosed warns that standard output is closed, for a command that only shows
// something. Go opens the null device for reading and writing in its place. Some callers
// pass just that to discard the output, so it is not an error.
func warnIfClosed(s streams) {
	fd := int(s.out.Fd())
	var file, null unix.Stat_t
	if unix.Fstat(fd, &file) != nil || unix.Stat(os.DevNull, &null) != nil {
		return
	}
	if file.Rdev != null.Rdev || file.Mode&unix.S_IFMT != unix.S_IFCHR {
		return
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_ACCMODE == unix.O_RDWR {
		fmt.Fprintln(s.err, "slicetrace: standard output is closed or discarded: nothing is shown")
	}
}
