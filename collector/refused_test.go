package collector

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// Each refusal names what failed, why, and what to do; what says it all stays as it is.
func TestRefusals(t *testing.T) {
	if confidential() {
		bpftest.Lacks(t, false, "it is locked down, and each refusal is explained by that")
	}
	for _, c := range []struct {
		err    error
		object string
	}{
		{unix.EMFILE, "open files"},
		{unix.ENFILE, "open files"},
		{unix.EPERM, "system call bpf"},
		{unix.ENOMEM, "memory for the maps"},
		{ebpf.ErrNotSupported, "eBPF"},
		{bpf.ErrNoBTF, ""},
		{bpf.ErrTooOld, ""},
		{unix.EINVAL, ""},
	} {
		err := explain(fmt.Errorf("load: %w", c.err))
		var refused *RefusedError
		if errors.As(err, &refused) != (c.object != "") || !errors.Is(err, c.err) {
			t.Errorf("%v: %v", c.err, err)
		}
		if refused != nil && (refused.Object != c.object || refused.Cause == "" || refused.Remedy == "") {
			t.Errorf("%v: %+v", c.err, refused)
		}
		// The check says the same, and always what to do.
		check := refusal(err)
		if check.Status != Missing || check.Remedy == "" || c.object != "" && check.Name != c.object {
			t.Errorf("%v: %+v", c.err, check)
		}
	}
}
