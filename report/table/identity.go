package table

import "github.com/slicetrace/slicetrace/report"

// IdentityColumns are the columns that identify a report if the tables of several reports are in
// one place. Table.With puts them before a table's own columns.
func IdentityColumns() []Column {
	return []Column{
		{Name: "report", Kind: Text}, {Name: "created", Kind: Time},
		{Name: "kernel", Kind: Text}, {Name: "cpu_model", Kind: Text},
	}
}

// Identity returns the report's values of IdentityColumns.
func Identity(r *report.Report) []Field {
	return []Field{FreeText(r.ID()), Moment(r.Created), FreeText(r.Host.Kernel), FreeText(r.Host.CPUModel)}
}

// InFleet returns a table of the report as it is written to Parquet files of several reports: after
// IdentityColumns, and followed by the columns report_id and file, the name of the report's own
// file.
func InFleet(r *report.Report, t Table, file string) Table {
	return t.With(IdentityColumns(), Identity(r)).
		And(columnList("report_id:text file:text"), []Field{FreeText(r.ID()), FreeText(file)})
}

// Listed returns a table of the report as it is written to a CSV file of several reports: after the
// column report, which is the name of the report's file, and followed by the columns report_id and
// file.
func Listed(r *report.Report, t Table, file string) Table {
	return t.With(columnList("report:text"), []Field{FreeText(file)}).
		And(columnList("report_id:text file:text"), []Field{FreeText(r.ID()), FreeText(file)}).
		And(IdentityColumns()[1:], Identity(r)[1:])
}
