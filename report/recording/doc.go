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
//
// Each bound on the way of an event or a name into a recording and out of it, what
// happens where it is met, and the test:
//
//	64 events wait on a core           they are sent; what a full ring refuses is counted
//	                                   and said by the core's next block, or by its last
//	                                   snapshot (bpf: TestRecordingBlockFlushAndLoss,
//	                                   TestRecordingLossAtTheEnd)
//	while they are sent                a wakeup that comes from an interrupt is counted as
//	                                   lost (bpf: TestWakeupWhileEventsAreSent)
//	16 names of a task on a core       of more the last is sent when it leaves the core: no
//	                                   event tells the others apart (bpf:
//	                                   TestNamesAreSentAsEventsNeedThem)
//	the ring: 8 MiB a core online,     events and names that find no room are counted in
//	16 to 256 MiB                      Block.Lost, End.Lost and End.LostTasks (collector:
//	                                   TestLostEventsAreCounted)
//	4096 events of a core, 4096 names  they are written, names with all cores' events
//	                                   before them (collector: TestRecordingEqualsTheCounters)
//	2^19 events and names wait         what comes beyond is counted as lost; nothing else
//	for the disk                       waits (collector: TestWhatWaitsForTheDiskIsBounded,
//	                                   TestSnapshotsDoNotWaitForTheDisk)
//	a disk that is full                the recording ends, the counting goes on (collector:
//	                                   TestFullDiskEndsTheRecordingOnly)
//	a core that is offline at the end  its events are read from where they wait (collector:
//	                                   TestCoreThatComesLaterIsCounted)
//	2^15 names a frame                 the others are in further ones, and are read in
//	                                   parts (TestManyNames)
//	2^20 events, 64 MiB a frame        a reader refuses the file as damaged
//	                                   (TestFramesBeyondTheBounds); no writer makes them
//	2^20 former names of all tasks     a reader forgets the oldest, and says of how many rows
//	                                   the name is missing (TestNamesInEveryOrder)
//	64 places that a name is late      it is forgotten likewise, as is a tid that no kernel
//	                                   has (TestNamesOfACraftedFile)
//	4000 slices of a window, 24 000    the window ends early (report/timeline:
//	of all                             TestWindowEndsEarlyAtItsMostSlices)
package recording
