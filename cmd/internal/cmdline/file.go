package cmdline

import (
	"fmt"

	"github.com/spf13/cobra"
)

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
