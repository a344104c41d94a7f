package table

import "github.com/slicetrace/slicetrace/report"

// IdentityColumns are what tells reports apart where their tables are in one
// place: put before a table's own columns with Table.With.
func IdentityColumns() []Column {
	return []Column{
		{Name: "report", Kind: Text}, {Name: "created", Kind: Time},
		{Name: "kernel", Kind: Text}, {Name: "cpu_model", Kind: Text},
	}
}

// Identity returns the report's fields of IdentityColumns.
func Identity(r *report.Report) []Field {
	return []Field{free(r.ID()), moment(r.Created), free(r.Host.Kernel), free(r.Host.CPUModel)}
}

// InFleet returns a table of the report as Parquet files have it, which tells reports
// apart: behind IdentityColumns, and with the columns at the end that Listed has too,
// report_id and the name of the report's own file.
func InFleet(r *report.Report, t Table, file string) Table {
	return t.With(IdentityColumns(), Identity(r)).
		And(columnList("report_id:text file:text"), []Field{free(r.ID()), free(file)})
}

// Listed returns a table of the report as CSV of several has it: behind the name of the
// report's file, which is called report there, and with what InFleet has at the end.
func Listed(r *report.Report, t Table, file string) Table {
	return t.With(columnList("report:text"), []Field{free(file)}).
		And(columnList("report_id:text file:text"), []Field{free(r.ID()), free(file)}).
		And(IdentityColumns()[1:], Identity(r)[1:])
}
