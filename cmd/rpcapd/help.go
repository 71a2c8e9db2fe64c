package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

var longHelp = `rpcapd captures packets and forwards them to sensors. It connects to each sensor that its ini file or -a
names, and captures what the sensor asks for, within the limits of the ini. It opens no listening socket.

The simplest ini, ` + defaultFile() + `, has two lines:

  ActiveClient = sensor.example.com, 2003
  NullAuthPermit = YES

To choose the interface, add ifname=eth1, or ifaddr=10.1.0.0/16 for the interface with an address in that network.
Write one line for each interface:

  ActiveClient = sensor.example.com, 2003, ifname=eth1
  ActiveClient = sensor.example.com, 2003, ifaddr=10.1.0.0/16

A line with a pattern, such as ifname=eth*/!eth9, makes a session for each interface that matches, now or later.

Without -f and -a the agent reads that file. ` + runningHelp

var examples = `  rpcapd check                              check the ini and explain each line
  rpcapd interfaces                         list the interfaces and the lines that select them
  rpcapd                                    run with ` + defaultFile() + ` in the foreground
  rpcapd -f my.ini -d -L                    run in the background, log to syslog
  rpcapd -n -a 192.0.2.1,2003 -i eth1       run without an ini
  rpcapd -n -a 192.0.2.1,2003 -s my.ini     the same, and write the ini for the next time
  rpcapd -n -a 192.0.2.1 -r file.pcap       forward a capture file
  rpcapd passwd sensor1                     create an Account line, for sensors that send a password
  rpcapd status                             show sessions and counters`

// usage prints the flags of the root command in groups; subcommands keep the usual form.
func usage(root *cobra.Command, groups []flagGroup) func(*cobra.Command) error {
	standard := (&cobra.Command{}).UsageFunc()
	return func(cmd *cobra.Command) error {
		if cmd != root {
			return standard(cmd)
		}
		var b strings.Builder
		b.WriteString("Usage:\n  rpcapd [flags]\n  rpcapd COMMAND [flags]\n\nExamples:\n" + cmd.Example + "\n\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
		for _, g := range groups {
			if flags := g.flags.FlagUsagesWrapped(helpWidth); flags != "" {
				fmt.Fprintf(&b, "\n%s:\n%s", g.title, flags)
			}
		}
		b.WriteString("\n-b, -p and -l of the C agent are refused, because this agent never listens.\n")
		_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
		return err
	}
}

// helpWidth is where the text of flags is wrapped, in columns.
const helpWidth = 110
