package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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

// OneFile lets a command take its file as an argument as well as with -f.
func OneFile(file *string, usage func(error) error) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return nil
		case len(args) > 1:
			return usage(fmt.Errorf("argument %q is one too many: one file is checked at a time", args[1]))
		case cmd.Flags().Changed("file"):
			return usage(fmt.Errorf("two files are named, %s and %s; name one", *file, args[0]))
		case args[0] == "":
			return usage(fmt.Errorf("the name of the file is empty"))
		}
		*file = args[0]
		return nil
	}
}
