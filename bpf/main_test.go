package bpf

import (
	"os"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// Tests of other packages count the programs that are in the kernel.
func TestMain(m *testing.M) { os.Exit(bpftest.Run(m)) }
