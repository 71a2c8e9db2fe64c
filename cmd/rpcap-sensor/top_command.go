package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rpcapd/sensor/health"
)

// topCommand shows a running sensor in a terminal.
func topCommand(stdout, stderr *os.File) *cobra.Command {
	o := &topSettings{stdin: os.Stdin, stdout: stdout, stderr: stderr}
	cmd := &cobra.Command{
		Use:     "top",
		Short:   "Show the peers of a running sensor as a live table",
		Long:    topHelp,
		Example: "  rpcap-sensor top\n  rpcap-sensor top -f /etc/rpcapd/rpcap-sensor.ini --user ops\n  rpcap-sensor top --once --sort missing | head",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return o.run() },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.file, "file", "f", "", "take address and certificate from this `file` of the sensor")
	f.StringVar(&o.url, "url", "", "ask the sensor at this `URL`, such as https://sensor1:9203 or http://proxy/sensor1")
	f.StringVar(&o.ca, "ca", "", "with https: trust the certificates in this PEM `file` and no others")
	f.StringVar(&o.user, "user", "", "`name` of an Account of [http]; the password is asked for")
	f.StringVar(&o.passwordFile, "password-file", "", "`file` whose first line is the password")
	f.DurationVar(&o.interval, "interval", topInterval, "`time` between updates")
	f.IntVarP(&o.count, "count", "n", 0, "end after this `number` of updates (0: with q)")
	f.BoolVar(&o.once, "once", false, "print the table once, without escape sequences")
	f.StringVar(&o.sort, "sort", "", "sort by `column`: "+strings.Join(health.SortKeys(), ", ")+" (default rate)")
	f.BoolVar(&o.reverse, "reverse", false, "sort the other way round")
	f.StringVar(&o.find, "find", "", "show only peers with this `text` in name, address, rule or state; or with this data port")
	return cmd
}

func (o *topSettings) run() error {
	if o.sort != "" && !slices.Contains(health.SortKeys(), o.sort) {
		return usageError{fmt.Errorf("--sort %q: it is one of %s", o.sort, strings.Join(health.SortKeys(), ", "))}
	}
	if o.interval < minTopInterval {
		return usageError{fmt.Errorf("--interval %v: it is %v or more", o.interval, minTopInterval)}
	}
	if o.count < 0 {
		return usageError{fmt.Errorf("-n %d: it is 0 or more", o.count)}
	}
	if o.url != "" && o.file != "" {
		return usageError{errors.New("--url and -f both name the sensor; use one of them")}
	}
	if o.passwordFile != "" && o.user == "" {
		return usageError{errors.New("--password-file needs --user")}
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.context, stopSignals...)
	defer stop()
	v := newTopView(o.sort, o.reverse)
	if o.once || !isTerminal(o.stdout) {
		return o.print(ctx, c, v)
	}
	return o.live(ctx, c, v)
}
