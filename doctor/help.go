package doctor

import (
	"fmt"
	"strings"
)

// Help lists checks for the help of a command.
func Help(checks []Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "  %-14s %s\n", c.Name, c.Asks)
	}
	return strings.TrimRight(b.String(), "\n")
}
