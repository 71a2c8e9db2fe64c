package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"rpcapd/agent"
	"rpcapd/cmd/internal/winservice"
)

// serviceName is the name of the service, and of the source of its events.
const serviceName = "rpcapd"

// systemCommands are those that this system alone has.
func (a *app) systemCommands() []*cobra.Command { return []*cobra.Command{a.serviceCommand()} }

func (a *app) serviceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "service",
		Short: "Install, start and stop the agent as a service of Windows",
		Long: `Install the agent as a service, which starts with Windows and needs nobody to be logged on.

The shortest way, in a command prompt that you have opened with "Run as administrator":

  rpcapd setup --sensor sensor.example.com      writes the ini
  rpcapd service install
  rpcapd service start
  rpcapd status

The service runs as LocalService, with the right to read the ini and to write its status, and nothing else. If your
capture driver lets only administrators capture, install it with --account LocalSystem. It starts again by itself after
1, 5, and then each 30 seconds if it fails. It writes to the event log: Event Viewer, Windows Logs, Application, source
rpcapd.

The ini is ` + defaultFile() + `. After a change: rpcapd check, then rpcapd reload.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("service %q is not understood; it is install, uninstall, start, stop, status, configure, or run", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.serviceInstallCommand(), a.serviceConfigureCommand(), a.serviceUninstallCommand(), a.serviceStartCommand(),
		a.serviceStopCommand(), a.serviceStatusCommand(), a.serviceRunCommand())
	return cmd
}

func (a *app) serviceStartCommand() *cobra.Command {
	return &cobra.Command{
		Use: "start", Short: "Start the service and wait until it runs", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			pid, err := winservice.Start(serviceName)
			exit := (*winservice.ExitError)(nil)
			switch {
			case errors.Is(err, winservice.ErrRunning):
				fmt.Fprintf(a.out, "the service runs already, process %d\n", pid)
				return nil
			case errors.As(err, &exit) && exit.Specific:
				return fmt.Errorf("%w; the reason is in the event log (Event Viewer, Windows Logs, Application, source %s), or try rpcapd check. Windows tries again after 1, 5, and each 30 seconds", err, serviceName)
			case err != nil:
				return err
			}
			fmt.Fprintf(a.out, "the service runs, process %d\n", pid)
			return nil
		},
	}
}

func (a *app) serviceStopCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop the service and wait until it has sent what it has", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := winservice.Stop(serviceName); err != nil {
				return err
			}
			fmt.Fprintln(a.out, "the service is stopped")
			return nil
		},
	}
}

func (a *app) serviceStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show what Windows knows of the service",
		Long: `Show what Windows knows of the service: whether it runs, how it starts, and as whom. The exit status is 3 if it does
not run. What the agent does is shown by rpcapd status.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			x, err := winservice.Query(serviceName)
			if errors.Is(err, winservice.ErrNotInstalled) {
				return fmt.Errorf("the service is not installed (rpcapd service install): %w", agent.ErrNotRunning)
			}
			if err != nil {
				return err
			}
			return a.printService(x)
		},
	}
}

// optionsOf tells which options the service has beside its command line; nothing to those who may not know.
func optionsOf(command string) string {
	_, args := splitCommand(command)
	path := optionsFile(cmp.Or(iniOfService(args), defaultFile()))
	options, err := readOptions(path)
	switch {
	case errors.Is(err, fs.ErrPermission), err == nil && options == nil:
		return ""
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%s  (%s)", strings.Join(options, " "), path)
}

func (a *app) printService(x *winservice.State) error {
	state := winservice.StateName(x.State)
	if x.ProcessId > 0 {
		state += fmt.Sprintf(", process %d", x.ProcessId)
	}
	row(a.out, "state", state)
	row(a.out, "start", x.Start)
	row(a.out, "account", x.Account)
	row(a.out, "command", x.Command)
	if options := optionsOf(x.Command); options != "" {
		row(a.out, "options", options)
	}
	if x.After != nil {
		row(a.out, "after", strings.Join(x.After, ", "))
	}
	if x.Restarts != nil {
		var waits []string
		for _, d := range x.Restarts {
			waits = append(waits, d.String())
		}
		row(a.out, "restart", "after "+strings.Join(waits, ", "))
	}
	if x.ProcessId > 0 {
		return nil
	}
	if exit := x.Exit(); exit.Code != 0 {
		row(a.out, "last end", exit.Error())
	}
	return fmt.Errorf("service %s: %w", serviceName, agent.ErrNotRunning)
}
