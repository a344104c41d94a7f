//go:build linux

// Package outfile writes files whole or not at all, with the rights of the user who
// called sudo, and follows no symbolic link that another user planted.
package outfile
