package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/table"
)

// exportReports writes tables of one or more reports. The first of them is open.
func (o *exportOptions) exportReports(ctx context.Context, s streams, first *input, names []string) error {
	if o.format == exportPerfetto {
		return usagef("--format perfetto needs a recording, and %s is not one: slicetrace run --record makes one",
			names[0])
	}
	for _, tableName := range o.tables {
		if _, err := table.Of(new(report.Report), tableName); err != nil {
			return &statusError{exitUsage, err}
		}
	}
	each := func(use func(name string, r *report.Report) error) error {
		return eachReport(first, names, use)
	}
	single := len(o.tables) == 1 && (strings.HasSuffix(o.output, ".parquet") || isFile(o.output))
	if o.format == exportParquet && !single && o.output != "" {
		return o.exportFolders(ctx, each)
	}
	if err := o.noHost(); err != nil {
		return err
	}
	tableName, err := o.oneTable(table.Names())
	if err != nil {
		return err
	}
	return o.writeOutput(ctx, s, names, func(w io.Writer) error {
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

// noHost rejects --host where no folder is written.
func (o *exportOptions) noHost() error {
	if o.host != "" {
		return usagef("--host names a partition: use it with --format parquet and a folder with -o")
	}
	return nil
}

// isFile reports whether a file or a stream has that name already.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// identified adds columns that tell which report a row is from.
func (o *exportOptions) identified(t table.Table, name string, r *report.Report, reports int) table.Table {
	switch {
	case o.format == exportParquet:
		return table.InFleet(r, t, name)
	case reports > 1:
		return table.Listed(r, t, name)
	}
	return t
}

// eachReport reads reports one after another, so that they need not all fit in memory.
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

// exportFolders writes one file for each table and report, into a folder for each table,
// host and date.
func (o *exportOptions) exportFolders(ctx context.Context, each func(func(string, *report.Report) error) error) error {
	if strings.HasSuffix(o.output, ".parquet") {
		return usagef("-o %s would be one file: name one table with --table, or a folder with -o", o.output)
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
				date := r.Created.UTC().Format("2006-01-02")
				path := []string{tableName, "host=" + partition(host), "date=" + date, r.ID() + ".parquet"}
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

// checkHost checks that a name can be part of a folder's name on any system.
func checkHost(name string) error {
	// Escaped, a byte takes three, and a file's name has 255 bytes at most.
	const most = 80
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	if len(name) > most || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return usagef("--host %q: give a name of at most %d bytes without control characters", name, most)
	}
	return nil
}

// partition escapes a value as Hive does in a folder's name. Readers undo it.
func partition(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
