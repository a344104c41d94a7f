// Package recording reads and writes recordings: files that hold every single switch and
// wakeup on every core, while a report holds only distributions.
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
// by zstd with a checksum. The blocks of one core are in the order of time; those of
// different cores alternate. A file that ends without an end frame was cut short: all
// frames that are complete can be read.
//
// What a flight recorder saved is a recording too: its header has a Window, its first names are those
// of all tasks at the beginning of that, and its events, names and marks are those within it.
//
// Times are int64 nanoseconds of CLOCK_MONOTONIC, in fields whose names end with NS.
//
// There are bounds on an event's or a name's way into a recording and out of it. For each
// bound, this list has what happens there and the test of it:
//
//	64 events wait on a core           they are sent; those that a full ring refuses are
//	                                   counted in the core's next block, or by its last
//	                                   snapshot (bpf: TestRecordingBlockFlushAndLoss,
//	                                   TestRecordingLossAtTheEnd)
//	while they are sent                a wakeup that comes from an interrupt is counted as
//	                                   lost (bpf: TestWakeupWhileEventsAreSent)
//	16 names of a task on a core       if there are more, only the last one is sent when the
//	                                   task leaves the core: no event has one of the other
//	                                   names (bpf: TestNamesAreSentAsEventsNeedThem)
//	the ring: 8 MiB a core online,     events and names that find no room are counted in
//	16 to 256 MiB                      Block.Lost, End.Lost and End.LostTasks (collector:
//	                                   TestLostEventsAreCounted)
//	4096 events of a core, 4096 names  they are written, names after all events of all cores
//	                                   (collector: TestRecordingEqualsTheCounters)
//	2^19 events and names wait         further ones are counted as lost; nothing else has to
//	for the disk                       wait (collector: TestWhatWaitsForTheDiskIsBounded,
//	                                   TestSnapshotsDoNotWaitForTheDisk)
//	256 MiB that a flight recorder     what is oldest falls out, and Window.Short says so
//	keeps                              (collector/flight: TestWindowIsBounded)
//	2^19 steps that wait for a core    a flight recorder does not find them in the order of time
//	                                   (collector/flight: TestStepsAreBounded)
//	a disk that is full                the recording ends, the counting goes on (collector:
//	                                   TestFullDiskEndsTheRecordingOnly)
//	a core that is offline at the end  its events are read from its buffer (collector:
//	                                   TestCoreThatComesLaterIsCounted)
//	2^15 names in a frame              further names are in further frames, and a reader
//	                                   returns them in parts (TestManyNames)
//	2^20 events, 64 MiB in a frame     a reader refuses the file as damaged
//	                                   (TestFramesBeyondTheBounds); no writer makes them
//	2^20 former names of all tasks     a reader forgets the oldest, and counts the rows whose
//	                                   name is missing (TestNamesInEveryOrder)
//	a name is late by 64 places        a reader ignores and counts it likewise, and ignores a
//	                                   tid that no kernel has (TestNamesOfACraftedFile)
//	4000 slices in a window, 24 000    the window ends early (report/timeline:
//	in all windows                     TestWindowEndsEarlyAtItsMostSlices)
package recording
