package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rpcapd/agent"
	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/cmdline"
	"rpcapd/cmd/internal/flagerror"
)

// execute runs the command line and returns the exit code.
func execute(args []string, stdin, stdout, stderr *os.File) int {
	a := &app{in: stdin, out: stdout, err: stderr, defaultFile: defaultFile(), parent: openParent()}
	a.serve = a.run
	return a.execute(args)
}

func (a *app) execute(args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	a.parent.failed(err)
	fmt.Fprintln(a.err, "rpcapd:", err)
	code := exitCodeOf(err)
	if code == exitUsage {
		fmt.Fprintln(a.err, "Try rpcapd --help.")
	}
	return code
}

func exitCodeOf(err error) int {
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, agent.ErrNotRunning):
		return exitAbsent
	case errors.As(err, new(unusedError)):
		return exitUnused
	}
	return exitFailed
}

// rootCommand is the daemon; the subcommands help to set it up and to watch it.
func (a *app) rootCommand() *cobra.Command {
	s := newSettings(a.defaultFile)
	groups := s.groups()
	cmd := &cobra.Command{
		Use:           "rpcapd",
		Short:         "Forward captured packets to sensors",
		Long:          longHelp,
		Example:       examples,
		Args:          noArguments,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmdline.RefuseEmpty(cmd.Flags(), "run-dir"); err != nil { // without a run directory there are no status files
				return usageError{err}
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			if err := s.readEnvironment(os.Environ()); err != nil {
				return err
			}
			return a.serve(s)
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.SetFlagErrorFunc(flagError)
	cmd.Flags().SortFlags = false
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.flags)
	}
	s.flags = cmd.Flags()
	cmd.SetUsageFunc(usage(cmd, groups))
	cmd.AddCommand(a.checkCommand(), a.interfacesCommand(), newStatusCommand(), a.setupCommand(), a.reloadCommand(), a.passwdCommand(), build.Command("rpcapd", version, a.out, noArguments), a.upgradeIniCommand(), a.doctorCommand())
	cmd.AddCommand(a.systemCommands()...)
	return cmd
}

// flagError gives the plain reason where a flag is refused for good.
func flagError(_ *cobra.Command, err error) error {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return usageError{r}
	}
	return usageError{flagerror.Plain(err)}
}
