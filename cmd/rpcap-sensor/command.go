package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/term"

	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/cmdline"
	"rpcapd/cmd/internal/flagerror"
	"rpcapd/cmd/internal/logger"
	"rpcapd/printable"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run executes the command line and returns the exit code.
func run(args []string, stdout, stderr *os.File) int {
	cmd := newCommand(stdout, stderr)
	cmd.SetArgs(args)
	executed, err := cmd.ExecuteC()
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "rpcap-sensor:", printableLines(err.Error()))
	if errors.As(err, new(usageError)) {
		fmt.Fprintln(stderr, "Try", executed.CommandPath(), "--help.")
		return exitUsage
	}
	return exitFailed
}

// printableLines is a text of several lines, such as the mistakes of a file, fit for a terminal.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable.Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

const longHelp = `rpcap-sensor waits for packet-forwarding agents (rpcapd in active mode), tells each agent which interface to capture
and with which filter, and receives the frames. It does not need root.

To begin, run on this machine:

  rpcap-sensor -w - | tcpdump -n -r -

On the machine to capture, write an rpcapd.ini with these lines:

  ActiveClient   = address-of-this-machine, 2003
  NullAuthPermit = YES

To use a password instead of NullAuthPermit, add an Account there (rpcapd passwd), and give --user and --password-file
here. tcpdump reads one link type, so standard output leaves out frames of other link types.

The agent connects to TCP port 2003 and sends frames to UDP ports 2003 to 2034. Allow both in the firewall. With --tcp,
frames use TCP ports 2003 to 2034 instead.

Rules come from a file (-f), or from the flags, which make one rule. Without either, the sensor accepts every agent and
captures its first interface. At the end, and on SIGUSR1, it prints to standard error what it asked of each agent, what
the agent forwarded, and what arrived.`

const examples = `  rpcap-sensor capture -c 1000 -w out.pcapng 'tcp port 443'
  rpcap-sensor -w all.pcapng
  rpcap-sensor --interface eth1 --filter 'tcp port 443' -w https.pcapng
  rpcap-sensor --address 192.168.4.0/24 --snaplen 128 -w - | tshark -r -
  rpcap-sensor -f rpcap-sensor.ini
  rpcap-sensor check rpcap-sensor.ini`

func newCommand(stdout, stderr *os.File) *cobra.Command {
	o := &settings{stdout: stdout, stderr: stderr}
	cmd := &cobra.Command{
		Use:           "rpcap-sensor",
		Short:         "Receive the traffic that packet-forwarding agents capture",
		Long:          longHelp,
		Example:       examples,
		Args:          noArguments,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmdline.RefuseEmpty(cmd.Flags()); err != nil {
				return usageError{err}
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return serve(o) },
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{flagerror.Plain(err)} })
	o.define(cmd.Flags())
	cmd.AddCommand(captureCommand(stdout, stderr), checkCommand(stdout), build.Command("rpcap-sensor", version, stdout, noArguments), topCommand(stdout, stderr), passwdCommand(stdout, stderr), upgradeIniCommand(stdout))
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasParent():
		return usageError{fmt.Errorf("argument %q is not understood: %s takes none", args[0], cmd.Name())}
	}
	return usageError{fmt.Errorf("argument %q is neither a command nor a flag; a filter goes into --filter", args[0])}
}

func checkCommand(stdout io.Writer) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration file and its filters",
		Long: "check reads the file as a start would: keys and values, filters (by tcpdump), certificates, directories. It prints every\n" +
			"mistake with its line. Without FILE it takes " + defaultFile + " of this directory, or else " + serviceFile + ".",
		Example: "  rpcap-sensor check\n  rpcap-sensor check my.ini && rpcap-sensor -f my.ini",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && file != "" {
				return usageError{errors.New("check takes one file")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return check(fileToCheck(strings.Join(args, "")+file), stdout)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the `file` to check")
	return cmd
}

// fileToCheck is the file that was named, or the one that is there.
func fileToCheck(name string) string {
	if name != "" {
		return name
	}
	if _, err := os.Stat(defaultFile); err == nil {
		return defaultFile
	}
	return serviceFile
}

// newLogger logs to standard error, which is free even when frames go to standard output.
func newLogger(f *logger.Flags, stderr io.Writer) (*zap.Logger, error) {
	level, err := f.Parse()
	if err != nil {
		return nil, err
	}
	return zap.New(f.Core("rpcap-sensor", stderr, level)), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
