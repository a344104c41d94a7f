package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/table"
)

// exportReports writes tables of one report or more; first is the first, open.
func (o *exportOptions) exportReports(ctx context.Context, s streams, first *input, names []string) error {
	if o.format == exportPerfetto {
		return usagef("--format perfetto is of recordings, and %s is none: slicetrace run --record makes one", names[0])
	}
	for _, tableName := range o.tables {
		if _, err := table.Of(new(report.Report), tableName); err != nil {
			return &statusError{exitUsage, err}
		}
	}
	each := func(use func(name string, r *report.Report) error) error {
		return eachReport(first, names, use)
	}
	single := len(o.tables) == 1 && (strings.HasSuffix(o.output, ".parquet") || isNoFolder(o.output))
	if o.format == exportParquet && !single && o.output != "" {
		return o.exportFolders(ctx, each)
	}
	if o.host != "" {
		return usagef("--host names a partition: use it with --format parquet and a folder with -o")
	}
	tableName, err := o.one(table.Names())
	if err != nil {
		return err
	}
	return o.deliver(ctx, s, names, func(w io.Writer) error {
		tables := o.tableWriter(w)
		err := each(func(name string, r *report.Report) error {
			t, err := table.Of(r, tableName)
			if err != nil {
				return err
			}
			return tables.Table(o.identified(t, name, r, len(names)))
		})
		if err != nil {
			return err
		}
		return tables.Close()
	})
}

// isNoFolder reports whether a name is that of a file or a stream already.
func isNoFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// identified tells the rows of several reports apart.
func (o *exportOptions) identified(t table.Table, name string, r *report.Report, reports int) table.Table {
	switch {
	case o.format == exportParquet:
		return table.InFleet(r, t, name)
	case reports > 1:
		return table.Listed(r, t, name)
	}
	return t
}

// eachReport reads reports one after another: a fleet's need not fit in memory.
func eachReport(first *input, names []string, use func(string, *report.Report) error) error {
	for i, name := range names {
		in := first
		if i > 0 {
			var err error
			if in, err = openInput(name); err != nil {
				return err
			}
		}
		r, err := in.report()
		in.Close()
		if err != nil {
			return err
		}
		if err := use(name, r); err != nil {
			return err
		}
	}
	return nil
}

// exportFolders writes a file a table and report, in a folder a table, host and date.
func (o *exportOptions) exportFolders(ctx context.Context, each func(func(string, *report.Report) error) error) error {
	if strings.HasSuffix(o.output, ".parquet") {
		return usagef("-o %s is to be one file: name one table with --table, or a folder", o.output)
	}
	if o.host != "" {
		if err := checkHost(o.host); err != nil {
			return err
		}
	}
	tables := o.tables
	if len(tables) == 0 {
		tables = table.Names()
	}
	owner := invokingUser().owner()
	return interruptible(ctx, func(ctx context.Context) error {
		return each(func(name string, r *report.Report) error {
			host := o.host
			if host == "" {
				host = r.Host.ID()
			}
			for _, tableName := range tables {
				t, err := table.Of(r, tableName)
				if err != nil {
					return err
				}
				path := []string{tableName, "host=" + partition(host), "date=" + r.Created.UTC().Format("2006-01-02"), r.ID() + ".parquet"}
				err = outfile.WriteInFolders(o.output, path, owner, func(w io.Writer) error {
					out := o.tableWriter(contextWriter{ctx, w})
					return errors.Join(out.Table(o.identified(t, name, r, 1)), out.Close())
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// checkHost holds a name to what can be a folder's on any system.
func checkHost(name string) error {
	const most = 80 // three bytes each when escaped, and a name of 255 bytes
	if len(name) > most || !utf8.ValidString(name) || slices.ContainsFunc([]rune(name), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return usagef("--host %q: give a name of at most %d bytes without control characters", name, most)
	}
	return nil
}

// partition is a value as Hive writes it in a folder's name, which readers undo.
func partition(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
