// Package hostinfo reads what moves the figures of a machine: its fingerprint, the set-up
// of the kernel, and the settings of this process and of workers, without eBPF.
package hostinfo
