package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// ID is the same for machines that are alike, and stays the same when a machine
// gets another kernel: "m" and 12 hexadecimal digits of SHA-256 over
// architecture, CPU model, number of CPUs, hypervisor and memory in whole GiB.
// The letter keeps readers that guess types from taking it for a number.
func (h Host) ID() string {
	const gib = 1 << 30
	parts := []any{h.Arch, h.CPUModel, h.CPUs, h.Hypervisor, (h.MemoryBytes + gib/2) / gib}
	return "m" + digest(parts)[:12]
}

// ID names the report among all others: the time at which it was created, and 8
// hexadecimal digits of SHA-256 over what was measured.
func (r *Report) ID() string {
	measured := r.withLists(false)
	measured.Findings = nil // computed, by newer rules perhaps
	measured.Trials = make([]Trial, len(r.Trials))
	for i := range r.Trials {
		measured.Trials[i] = r.Trials[i].withLists(false)
	}
	return r.Created.UTC().Format("20060102T150405Z") + "-" + digest(measured)[:8]
}

func digest(v any) string {
	// A report that was read, and texts and numbers, can always be encoded.
	text, _ := json.Marshal(v)
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// IdentityColumns are what tells reports apart where their tables are in one
// place: put before a table's own columns with Table.With.
func IdentityColumns() []TableColumn {
	return []TableColumn{
		{Name: "report", Kind: ColumnText}, {Name: "created", Kind: ColumnTime},
		{Name: "kernel", Kind: ColumnText}, {Name: "cpu_model", Kind: ColumnText},
	}
}

// Identity returns the report's fields of IdentityColumns.
func (r *Report) Identity() []Field {
	return []Field{free(r.ID()), moment(r.Created), free(r.Host.Kernel), free(r.Host.CPUModel)}
}

// InFleet returns a table of the report as Parquet files have it, which tells reports
// apart: behind IdentityColumns, and with the columns at the end that Listed has too,
// report_id and the name of the report's own file.
func (r *Report) InFleet(t Table, file string) Table {
	return t.With(IdentityColumns(), r.Identity()).
		And(columnList("report_id:text file:text"), []Field{free(r.ID()), free(file)})
}

// Listed returns a table of the report as CSV of several has it: behind the name of the
// report's file, which is called report there, and with what InFleet has at the end.
func (r *Report) Listed(t Table, file string) Table {
	return t.With(columnList("report:text"), []Field{free(file)}).
		And(columnList("report_id:text file:text"), []Field{free(r.ID()), free(file)}).
		And(IdentityColumns()[1:], r.Identity()[1:])
}
