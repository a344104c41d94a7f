package reporttest

import (
	"bytes"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/slicetrace/slicetrace/report"
)

// CheckSchema returns an error if a report's JSON does not match the published schema.
func CheckSchema(data []byte) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.JSONSchema()))
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", schema); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	compiled, err := c.Compile("report.json")
	if err != nil {
		return fmt.Errorf("compile schema: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	return compiled.Validate(doc)
}
