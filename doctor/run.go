package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rpcapd/printable"
)

// grace is how long a check is waited for after its time is over.
const grace = 500 * time.Millisecond

// Select returns the checks with these names, all without a name. The error names those that there are.
func Select(checks []Check, names []string) ([]Check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	var list []Check
	for _, name := range names {
		i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %q; the checks are %s", name, strings.Join(Names(checks), ", "))
		}
		if !slices.ContainsFunc(list, func(c Check) bool { return c.Name == name }) {
			list = append(list, checks[i])
		}
	}
	return list, nil
}

// Names lists the names of checks.
func Names(checks []Check) (names []string) {
	for _, c := range checks {
		names = append(names, c.Name)
	}
	return names
}

// Run runs the checks beside each other and calls each with the results of one after the other, in their order. It returns
// when all have ended, or ctx has.
func Run(ctx context.Context, checks []Check, each func([]Result)) []Result {
	done := make([]chan []Result, len(checks))
	for i, c := range checks {
		done[i] = make(chan []Result, 1)
		go func() { done[i] <- c.run(ctx) }()
	}
	var all []Result
	for i := range checks {
		results := <-done[i]
		all = append(all, results...)
		if each != nil {
			each(results)
		}
	}
	return all
}

// run runs one check within its time.
func (c Check) run(ctx context.Context) []Result {
	limit := c.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found := make(chan []Result, 1)
	go func() { found <- c.Run(ctx) }()
	var results []Result
	select {
	case results = <-found:
	case <-ctx.Done():
		select {
		case results = <-found:
		case <-time.After(grace):
			results = []Result{NotChecked("no answer within %v", limit)}
			if errors.Is(ctx.Err(), context.Canceled) {
				results = []Result{NotChecked("interrupted")}
			}
		}
	}
	for i := range results {
		r := &results[i]
		r.Check = c.Name
		r.Subject, r.Seen = printable.Text(r.Subject), printable.Text(r.Seen)
		r.Means, r.Cure = printable.Text(r.Means), printable.Text(r.Cure)
	}
	return results
}
