//go:build linux && cgo

package inherited

// struct seen;
// extern struct seen *slicetrace_seen(void);
import "C"

import "unsafe"

func begin() *seen { return (*seen)(unsafe.Pointer(C.slicetrace_seen())) }
