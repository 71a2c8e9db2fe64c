package rule

import (
	"context"
	"errors"
	"fmt"

	"rpcapd/rpcap"
)

// FilterError is a filter that cannot be used, and its rule.
type FilterError struct {
	Rule string // its name
	Err  error
}

func (e *FilterError) Error() string { return "rule " + e.Rule + ": " + e.Err.Error() }

func (e *FilterError) Unwrap() error { return e.Err }

// Compiler turns the filters of rules into programs; *tcpdump.Compiler is one.
type Compiler interface {
	Check(ctx context.Context, expression string) error
	CompileFor(ctx context.Context, expression string, linkType uint32, device string) (rpcap.Program, error)
	ForgetRefusals()
}

// Use is what an agent captures by a rule.
type Use struct {
	Peer      string // "host/interface"
	LinkType  uint32
	Interface string
}

// CheckFilters compiles the filter of every rule for a link type on which it has a meaning, and for those of the agents that
// use the rule of that name now. The error joins a *FilterError of each rule whose filter cannot be had.
func CheckFilters(ctx context.Context, c Compiler, rules []Rule, inUse map[string][]Use) error {
	c.ForgetRefusals()
	var errs []error
	for _, r := range rules {
		if err := c.Check(ctx, r.Filter); err != nil {
			errs = append(errs, &FilterError{r.Name, err})
			continue
		}
		for _, use := range inUse[r.Name] {
			if _, err := c.CompileFor(ctx, r.Filter, use.LinkType, use.Interface); err != nil {
				errs = append(errs, &FilterError{r.Name, fmt.Errorf("link type %d of %s: %w", use.LinkType, use.Peer, err)})
				break // one agent is enough
			}
		}
	}
	return errors.Join(errs...)
}
