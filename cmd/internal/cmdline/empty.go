package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// RefuseEmpty finds a flag that was given an empty text, but for the allowed ones. As a rule that is what a variable of a
// script leaves that was not set, and "no interface named" or "no network named" would mean all of them.
func RefuseEmpty(flags *pflag.FlagSet, allowed ...string) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if err != nil || slices.Contains(allowed, f.Name) {
			return
		}
		texts := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		} else if f.Value.Type() != "string" {
			return
		}
		if len(texts) == 0 || slices.ContainsFunc(texts, func(t string) bool { return strings.TrimSpace(t) == "" }) {
			err = fmt.Errorf("--%s has an empty value; write one or leave the flag out", f.Name)
		}
	})
	return err
}
