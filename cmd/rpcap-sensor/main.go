// Command rpcap-sensor is the open receiver of packet-forwarding agents: it accepts agents that speak RPCAP in active
// mode, tells each what to capture, and writes the frames they send to a pcapng file or to standard output.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/cmdline"
	"rpcapd/cmd/internal/flagerror"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

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
		RunE: func(*cobra.Command, []string) error {
			if err := o.readEnvironment(os.Environ()); err != nil {
				return err
			}
			return serve(o)
		},
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{flagerror.Plain(err)} })
	o.define(cmd.Flags())
	cmd.AddCommand(captureCommand(stdout, stderr), checkCommand(stdout), build.Command("rpcap-sensor", version, stdout, noArguments), topCommand(stdout, stderr), passwdCommand(stdout, stderr), upgradeIniCommand(stdout), doctorCommand(stdout, stderr))
	return cmd
}
