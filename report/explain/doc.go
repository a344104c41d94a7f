// Package explain teaches what a report measures: each of the textbook's claims, and each word of the reports, with the
// figures of a report of this machine and a picture of real slices.
//
//	lessons.md  what each claim says, how it is measured, what to try and what to read
//	words.go    the words of reports
//	topic.go    Find: the topic that a reader asks for
//	lesson.go   the lessons, read from lessons.md
//	page.go     Summary: a topic, prepared to be shown
//	picture.go  slices of a recording as lines of a terminal
//
// The claims themselves, and how they are decided, belong to findings.
package explain
