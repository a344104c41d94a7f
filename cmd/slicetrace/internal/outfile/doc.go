//go:build linux

// Package outfile writes files whole or not at all, with the rights of the user who
// called sudo, and follows no symbolic link that another user made.
//
//	output.go    Write and WriteNew: a file is written under no name or a temporary one, and gets
//	             its own name when it is complete
//	target.go    Target: an output that is checked before the work begins, or a stream
//	walk.go      finds out where a name leads, part by part; place.go: what is there, and what
//	             a user can do if it cannot be written
//	folders.go   WriteInFolders: a file in folders that are made on the way
//	rights.go    the rights of the user who called sudo, and of root
//	tmpfile.go   files without a name (O_TMPFILE)
package outfile
