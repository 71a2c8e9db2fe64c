package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// EditAgent changes the content of the agent's file and tells what it did, one sentence a change; none if the file says
// all of it already. A file that has errors, or that is no UTF-8 text, is not touched.
func EditAgent(file string, data []byte, e Edit) (edited []byte, done []string, err error) {
	if !editable(data) {
		return nil, nil, fmt.Errorf("edit %s: it is not UTF-8 text; save it as UTF-8 or move it away", file)
	}
	old, problems := ParseAgent(file, data)
	var commented []string
	if e.CommentOut {
		data, commented = CommentOut(data, problems)
		old, problems = ParseAgent(file, data)
	}
	if err := problems.Err(); err != nil {
		return nil, nil, fmt.Errorf("edit %s: it has errors, fix these first: %w", file, err)
	}
	x := newEditor(string(data))
	x.done = commented
	x.targets(old.Targets, e)
	if e.NullAuth && !old.nullAuthSet && len(old.Accounts)+len(e.Accounts) == 0 {
		x.set("NullAuthPermit", "YES")
	}
	for _, a := range e.Accounts {
		x.account(a)
	}
	x.comments(e.Comments)
	edited = []byte(strings.Join(x.lines, ""))
	now, problems := ParseAgent(file, edited)
	if err := problems.Err(); err != nil {
		return nil, nil, fmt.Errorf("edit %s: the result would have errors: %w", file, err)
	}
	for _, t := range e.Targets {
		if !slices.ContainsFunc(now.Targets, func(u Target) bool { return u.Disabled == "" && same(t, u) }) {
			return nil, nil, errors.New("edit " + file + ": the line \"ActiveClient = " + t.String() + "\" would not be read back")
		}
	}
	return edited, x.done, nil
}
