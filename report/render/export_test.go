package render

// Cell writes a cell of a table, for external tests.
var Cell = cell
