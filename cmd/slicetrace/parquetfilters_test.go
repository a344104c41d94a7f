package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report/table"
)

// filter is a condition on a column, in the SQL of each database and in Go.
type filter struct {
	name  string
	sql   map[database]string
	match func(text string) bool
}

// filters returns conditions on a column that some or none of its values meet.
func filters(c table.Column, values []string) []filter {
	quoted := `"` + c.Name + `"`
	list := []filter{
		{"IS NULL", both(quoted + " IS NULL"), func(text string) bool { return text == "" && !c.KeepEmpty }},
		{"IS NOT NULL", both(quoted + " IS NOT NULL"), func(text string) bool { return text != "" || c.KeepEmpty }},
	}
	if c.KeepEmpty {
		list = append(list, filter{"is empty", both(quoted + " = ''"), func(text string) bool { return text == "" }})
	}
	if len(values) == 0 {
		return list
	}
	first, last := values[0], values[len(values)-1]
	compare := func(op, v string, holds func(int) bool) {
		list = append(list, filter{
			op + " " + v, eachLiteral(c.Kind, "%[1]s "+op+" %[2]s", quoted, v),
			func(text string) bool { return (text != "" || c.KeepEmpty) && holds(order(c.Kind, text, v)) },
		})
	}
	for _, v := range values {
		compare("=", v, func(n int) bool { return n == 0 })
	}
	compare("<", last, func(n int) bool { return n < 0 })
	compare(">", first, func(n int) bool { return n > 0 })
	list = append(list, filter{
		fmt.Sprintf("IN (%s, %s)", first, last), eachLiteral(c.Kind, "%[1]s IN (%[2]s, %[3]s)", quoted, first, last),
		func(text string) bool { return text == first || text == last },
	})
	if c.Kind != table.Text {
		return list
	}
	prefix := string([]rune(last)[:(len([]rune(last))+1)/2])
	starts := func(text string) bool { return text != "" && strings.HasPrefix(text, prefix) }
	sql := eachLiteral(c.Kind, "starts_with(%[1]s, %[2]s)", quoted, prefix)
	sql[clickHouse] = strings.Replace(sql[clickHouse], "starts_with", "startsWith", 1)
	list = append(list, filter{"starts with " + prefix, sql, starts})
	if !strings.ContainsAny(prefix, `%_\'`) {
		list = append(list, filter{"LIKE " + prefix, both(fmt.Sprintf("%s LIKE '%s%%'", quoted, prefix)), starts})
	}
	return list
}

func both(sql string) map[database]string { return map[database]string{duckDB: sql, clickHouse: sql} }

// eachLiteral fills a column's name and values into a condition.
func eachLiteral(kind table.Kind, pattern, column string, values ...string) map[database]string {
	all := map[database]string{}
	for _, db := range []database{duckDB, clickHouse} {
		args := []any{column}
		for _, v := range values {
			args = append(args, literal(db, kind, v))
		}
		all[db] = fmt.Sprintf(pattern, args...)
	}
	return all
}

func literal(db database, kind table.Kind, v string) string {
	switch {
	case kind == table.Integer, kind == table.Boolean:
		return v
	case kind == table.Decimal:
		return v + "e0"
	case kind == table.Time && db == duckDB:
		return "'" + v + "'::TIMESTAMPTZ"
	case kind == table.Time:
		return "parseDateTime64BestEffort('" + v + "', 6, 'UTC')"
	case strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;-_/()") == "":
		return "'" + v + "'"
	case db == duckDB:
		return fmt.Sprintf("decode(from_hex('%x'))", v)
	}
	return fmt.Sprintf("unhex('%x')", v)
}

// order compares two values of a column as the databases must: texts by bytes.
func order(kind table.Kind, a, b string) int {
	switch kind {
	case table.Integer:
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		if errors.Join(errX, errY) != nil {
			return math.MaxInt
		}
		return cmp.Compare(x, y)
	case table.Decimal:
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		if errors.Join(errX, errY) != nil {
			return math.MaxInt
		}
		return cmp.Compare(x, y)
	case table.Time:
		x, errX := time.Parse(time.RFC3339Nano, a)
		y, errY := time.Parse(time.RFC3339Nano, b)
		if errors.Join(errX, errY) != nil {
			return math.MaxInt
		}
		return x.Compare(y)
	}
	return strings.Compare(a, b)
}

// sample returns some of a column's values: the least, the greatest and one between them.
func sample(c table.Column, rows [][]string, column int) []string {
	known := map[string]bool{}
	for _, row := range rows {
		if row[column] != "" {
			known[row[column]] = true
		}
	}
	values := make([]string, 0, len(known))
	for v := range known {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b string) int { return order(c.Kind, a, b) })
	if n := len(values); n > 3 {
		values = []string{values[0], values[n/2], values[n-1]}
	}
	return values
}
