// Package screen shows a running system on a terminal until its user leaves it. It draws what package
// report/view/live has computed, and acts on keys.
//
//	screen.go   Run, and the state between frames
//	keys.go     the table of keys, from which help is made; actions.go: what they do
//	prompt.go   lines that the user types
//	frame.go    a frame: headline, tables or another page, bottom line
//	headline.go the first line, in as many words as fit
//	table.go    tables: which columns fit, and only the rows that are visible
//	detail.go   one task or sum; help.go: the help and the choice of a column
//	text.go     figures and names as text of a given width
//	output.go   a terminal that stops reading holds up nothing
package screen
