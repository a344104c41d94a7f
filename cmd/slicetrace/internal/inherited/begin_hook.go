//go:build linux && !cgo && (amd64 || arm64) && go1.26 && !go1.28

package inherited

import _ "unsafe" // for go:linkname

// cgoInit is the hook that the runtime calls first if it is set, to let cgo begin.
// Its way to be called is cgo's, and has been the same for many versions of Go; the
// build constraint holds those with which this was tried.
//
//go:linkname cgoInit _cgo_init
var cgoInit = &entry

// entry is hook's code, which assembly defines.
//
//go:linkname entry inherited_hook
var entry byte

// state is written by hook.
var state seen

// tls is where the hook lets the first thread keep its g: the runtime's own place
// for it is passed over when the hook is set. (Only on amd64.)
var tls [8]uint64

func begin() *seen { return &state }
