// Package view makes of reports what is shown: figures, findings, comparisons, tables,
// sections and charts. Renderers only read it.
package view
