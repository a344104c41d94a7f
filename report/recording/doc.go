// Package recording reads and writes recordings: files that hold every switch on
// every core, where a report holds distributions.
//
//	w := recording.NewWriter(file, header)
//	w.Block(block); w.Tasks(tasks); w.Mark(mark)     in any order, as they come
//	w.Close(end)
//
//	r := recording.NewReader(file)
//	for { frame, err := r.Next() ... }               until io.EOF
//
// A file is a magic number and frames, each with a type, a length and a payload.
// A block is what one core did for a while: its events in columns, compressed
// with zstd, whose checksum covers it. Blocks of one core are in the order of
// time; those of several cores take turns. A file that ends without its end frame
// was cut short: all whole frames of it can be read.
package recording
