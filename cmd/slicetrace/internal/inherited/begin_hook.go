//go:build linux && !cgo && (amd64 || arm64) && go1.26 && !go1.28

package inherited

import _ "unsafe" // for go:linkname

// cgoInit is the hook that the runtime calls first, if it is set, so that cgo can start.
// Its calling convention has been the same for many versions of Go; the build constraint
// names those with which this was tried.
//
//go:linkname cgoInit _cgo_init
var cgoInit = &entry

// entry is the hook's code, which is in assembly.
//
//go:linkname entry inherited_hook
var entry byte

// state is written by the hook.
var state seen

// tls is where the first thread keeps its g, since the runtime does not set up its own
// place for it if the hook is set. (Only on amd64.)
var tls [8]uint64

func begin() *seen { return &state }
