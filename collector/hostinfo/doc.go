// Package hostinfo reads, without eBPF, what a machine's figures depend on: its fingerprint,
// the set-up of the kernel, and the settings of this process and of workers.
package hostinfo
