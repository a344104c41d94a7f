package report_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestWriteFileGivesTheFileToItsOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may give a file away")
	}
	name := filepath.Join(t.TempDir(), "r.json")
	if err := report.WriteFile(name, reporttest.Command(), &report.Owner{UID: 12345, GID: 23456}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 12345 || s.Gid != 23456 {
		t.Errorf("the file belongs to %d:%d", s.Uid, s.Gid)
	}
}
