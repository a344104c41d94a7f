//go:build !linux

package report

import (
	"errors"
	"os"
)

func createUnnamed(*os.Root, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func nameUnnamed(*os.File, *os.Root, string) error { return errors.ErrUnsupported }
