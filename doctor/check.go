package doctor

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// State is the outcome of a check.
type State string

// The outcomes.
const (
	StateOK         State = "ok"
	StateWarning    State = "warning"
	StateFailed     State = "failed"
	StateNotChecked State = "not checked"
)

// Result is what a check has found. The members of the JSON form are stable.
type Result struct {
	Check   string `json:"check"`   // name of the check
	Subject string `json:"subject"` // what it is about where there are several: a sensor, a file; empty without one
	State   State  `json:"result"`
	Seen    string `json:"seen"`  // what is there; of StateNotChecked the reason
	Means   string `json:"means"` // what follows from it; empty if nothing is wrong
	Cure    string `json:"cure"`  // a command to type, or what to do; empty if there is nothing to do

	// Quoting tells that Seen quotes a line of a file, which could have a secret in it: the archive has Archived instead.
	Quoting  bool   `json:"-"`
	Archived string `json:"-"`
}

// OK is the result of a check that finds nothing wrong.
func OK(seen string, args ...any) Result { return Result{State: StateOK, Seen: text(seen, args)} }

// NotChecked is the result of a check that could not be done.
func NotChecked(reason string, args ...any) Result {
	return Result{State: StateNotChecked, Seen: text(reason, args)}
}

// Warning is a result with which the program works, but not as well as it could.
func Warning(seen, means, cure string) Result {
	return Result{State: StateWarning, Seen: seen, Means: means, Cure: cure}
}

// Failed is a result with which something does not work.
func Failed(seen, means, cure string) Result {
	return Result{State: StateFailed, Seen: seen, Means: means, Cure: cure}
}

// About names what a result is about.
func (r Result) About(subject string) Result {
	r.Subject = subject
	return r
}

func text(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// Quotes marks a result whose Seen quotes a file; archived is what goes into the archive instead.
func (r Result) Quotes(archived string) Result {
	r.Quoting, r.Archived = true, archived
	return r
}

// Check is one thing to look at.
type Check struct {
	Name string // stable: lower case, words joined with "-"
	Asks string // what it looks at, for the help
	// Limit is the longest that Run may take; 0: DefaultLimit.
	Limit time.Duration
	Run   func(ctx context.Context) []Result
}

// DefaultLimit is how long a check may take that does not say so itself.
const DefaultLimit = 5 * time.Second

// LinuxOnly is a check that makes sense on Linux only.
func LinuxOnly(c Check) Check {
	if runtime.GOOS != "linux" {
		c.Run = func(context.Context) []Result { return []Result{NotChecked("Linux only")} }
	}
	return c
}

// One is the function of a check with one result.
func One(f func(context.Context) Result) func(context.Context) []Result {
	return func(ctx context.Context) []Result { return []Result{f(ctx)} }
}
