package main

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/workloads"
)

// caller is the user who called sudo, nil if there is none.
type caller struct {
	uid, gid int
}

// invokingUser returns the user who asked sudo to run this program, nil if nobody did.
//
// Everything that sudo starts inherits its variables. Work in a root shell, or in a script
// that sudo was asked to run, would run as root without us, so it does here too. Sudo puts
// the command that it was asked for into SUDO_COMMAND; the caller is meant only if this
// program is named there.
func invokingUser() *caller {
	if os.Geteuid() != 0 || !namedTo(os.Getenv("SUDO_COMMAND")) {
		return nil
	}
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil || uid <= 0 {
		return nil
	}
	gid, err := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err != nil || gid < 0 {
		return nil
	}
	return &caller{uid, gid}
}

// namedTo reports whether a command line names this program, by the name under which it was
// called or by its file's name. An empty command line counts as naming it: then something
// other than sudo set the variables, for this program.
func namedTo(command string) bool {
	if command == "" {
		return true
	}
	names := []string{filepath.Base(os.Args[0])}
	if file, err := os.Executable(); err == nil {
		names = append(names, filepath.Base(file))
	}
	words := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n'\"`;&|()", r) })
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(names, filepath.Base(word)) })
}

// owner returns the user who owns the files that we write, and with whose rights they are
// written.
func (c *caller) owner() *outfile.Owner {
	if c == nil {
		return nil
	}
	owner := &outfile.Owner{UID: c.uid, GID: c.gid}
	for _, g := range c.credential().Groups {
		owner.Groups = append(owner.Groups, int(g))
	}
	return owner
}

// credential returns the user and groups that the work runs as. A user whose number the
// system does not know has no supplementary groups.
func (c *caller) credential() *workloads.Credential {
	if c == nil {
		return nil
	}
	credential := &workloads.Credential{UID: uint32(c.uid), GID: uint32(c.gid)}
	u, err := user.LookupId(strconv.Itoa(c.uid))
	if err != nil {
		return credential
	}
	groups, err := u.GroupIds()
	if err != nil {
		return credential
	}
	for _, g := range groups {
		if gid, err := strconv.ParseUint(g, 10, 32); err == nil {
			credential.Groups = append(credential.Groups, uint32(gid))
		}
	}
	return credential
}

// environment returns the variables with HOME, USER and LOGNAME set for the caller, as sudo
// sets them for root.
func (c *caller) environment(variables []string) []string {
	if c == nil {
		return variables
	}
	u, err := user.LookupId(strconv.Itoa(c.uid))
	if err != nil {
		return variables
	}
	own := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username}
	return append(own, slices.DeleteFunc(slices.Clone(variables), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "HOME" || name == "USER" || name == "LOGNAME"
	})...)
}
