package render

// Cell is for tests outside: how a cell of a table is written.
var Cell = cell
