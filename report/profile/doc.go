// Package profile writes where tasks were when they were off their cores in the formats that other
// programs draw: as a profile that pprof reads, and as folded stacks for flame graphs.
//
//	profile.go    which reports have stacks; the names that both formats show
//	pprof.go      Pprof: the header, mappings, samples and their labels
//	locations.go  the functions of stacks as pprof has them
//	message.go    the fields of profile.proto, and how they are encoded
//	folded.go     Folded: a line for each stack
//
// The profile is encoded here, not by github.com/google/pprof/profile, since that library compiles 58
// regular expressions whenever a program starts, and slicetrace starts itself in each trial. Tests read
// the profile with the library and with the pprof tool.
//
// Indices of frames and stacks must be valid, as they are in every report that package report has decoded.
package profile
