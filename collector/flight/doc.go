// Package flight is a flight recorder: it keeps the last seconds of a recording in memory, and
// saves them when something happens.
//
//	condition.go   what may happen: "wait>20ms"
//	choice.go      of which tasks
//	watch.go       finds it in the events: each watched task's waits, slices and sleeps
//	window.go      the window in memory, in epochs, of which the oldest fall out
//	recorder.go    Recorder, which takes the frames of a recording and saves windows
//	save.go        a window becomes a file
//
// An epoch has what all cores did between two cuts (Cut). Its blocks are encoded, and none
// reaches over its end. So any epochs in a row, after the names that tasks had at their
// beginning, are a recording.
package flight
