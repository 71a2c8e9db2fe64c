// Package build says which build of a program runs.
package build

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// unset is what a program's version is if the linker has not set it.
const unset = "dev"

// Version is the linker's version, or the revision that the binary was built from.
func Version(linked string) string {
	if linked != unset {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return linked + "-" + s.Value[:12]
			}
		}
	}
	return linked
}

// Command prints the version of a program.
func Command(program, linked string, out io.Writer, arguments cobra.PositionalArgs) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(out, "%s %s (%s, %s/%s)\n", program, Version(linked), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
