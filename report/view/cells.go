package view

import "github.com/slicetrace/slicetrace/report"

// ofCount returns a known count of things.
func ofCount[T int | int64 | uint64](n T) report.Quantity { return report.Of(float64(n), report.Count) }

// percent returns the share part/whole in percent, absent when whole is 0.
func percent(part, whole float64) report.Quantity {
	if whole == 0 {
		return report.Quantity{Unit: report.Percent}
	}
	return report.Of(100*part/whole, report.Percent)
}
