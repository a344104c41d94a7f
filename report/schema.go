package report

import _ "embed"

//go:embed schema.json
var schemaJSON string

// JSONSchema returns the JSON Schema (draft 2020-12) of a report of SchemaVersion. Fields may be
// added to it later; a reader must ignore fields that it does not know.
func JSONSchema() []byte { return []byte(schemaJSON) }
