package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/cmdline"
	"rpcapd/cmd/internal/environment"
	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/numbers"
	"rpcapd/printable"
)

func (a *app) checkCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the ini and explain each of its lines",
		Long: `Check the ini: print each problem with its line, then what each line means. The exit status is 0 if the agent starts
with the file, 1 if not. Warnings do not change it. Variables of the environment that configure the agent (RPCAPD_…) are
checked too. They win over the file, and without one they can be all there is.`,
		Example: "  rpcapd check\n  rpcapd check my.ini && systemctl reload rpcapd",
		Args:    cmdline.OneFile(&file, func(err error) error { return usageError{err} }),
		RunE:    func(*cobra.Command, []string) error { return a.check(file, os.Environ()) },
	}
	cmd.Flags().StringVarP(&file, "file", "f", a.defaultFile, "the `ini` to check")
	return cmd
}

// checked is what check looks at: the environment, and the file that an agent would read with it, empty for none.
func (a *app) checked(file string, environ []string) (*settings, string, error) {
	s := newSettings(a.defaultFile)
	s.flags = pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, g := range s.groups() {
		s.flags.AddFlagSet(g.flags)
	}
	if err := s.readEnvironment(environ); err != nil {
		return nil, "", err
	}
	if file != a.defaultFile {
		return s, file, nil
	}
	file = cmp.Or(s.file, file)
	if _, err := os.Stat(file); s.file == "" && errors.Is(err, fs.ErrNotExist) && s.environmentDials() {
		file = ""
	}
	return s, file, nil
}

func (a *app) check(file string, environ []string) error {
	s, file, err := a.checked(file, environ)
	if err != nil {
		return err
	}
	variables, err := s.variables()
	if err != nil {
		return fmt.Errorf("%s: %w", environment.Place(environmentPrefix+accountFileWord), err)
	}
	c, problems, err := config.LoadAgentWith(file, variables)
	if err != nil {
		return err
	}
	s.printEnvironment(a.out)
	file = cmp.Or(file, "environment")
	problems = append(problems, c.ExpandName(file, os.Hostname, os.Getenv)...)
	for _, p := range append(problems, c.Unreachable(file, runtime.NumCPU())...) {
		fmt.Fprintln(a.out, p)
	}
	if c.User != "" {
		if _, err := user.Lookup(c.User); err != nil {
			p := c.Places.Problem("", "User", fmt.Sprintf("User %q: this host has no such user; started as root, the agent ends at once", c.User))
			p.Warning = true // under systemd it does not start as root
			fmt.Fprintln(a.out, p)
		}
	}
	unused := 0
	for _, t := range c.Targets {
		if t.Disabled != "" {
			unused++
		}
	}
	bad := len(problems) - len(problems.Warnings())
	if bad == 0 {
		lines := numbers.Things(len(c.Targets), "sensor line")
		if unused > 0 {
			lines += fmt.Sprintf(", %d of them not used", unused)
		}
		fmt.Fprintf(a.out, "%s: good, %s\n", file, lines)
	}
	list, err := iface.List()
	if err != nil {
		list = nil
	}
	for _, text := range explainTargets(&c, list) {
		fmt.Fprintln(a.out, text)
	}
	explainPolicy(a.out, c)
	if bad > 0 {
		return fmt.Errorf("check %s: %s; the agent does not start with it, and a running one keeps its configuration", file, numbers.Things(bad, "error"))
	}
	return nil
}

// explainPolicy tells what sensors may do and what limits hold, where it differs
// from the default.
func explainPolicy(w io.Writer, c config.Agent) {
	var names []string
	for _, account := range c.Accounts {
		names = append(names, account.Name)
	}
	switch {
	case c.NullAuth:
		fmt.Fprintln(w, "Sensors need no password.")
	case len(names) > 0:
		fmt.Fprintf(w, "Sensors need the password of %s.\n", strings.Join(names, " or "))
	}
	say := func(yes bool, format string, args ...any) {
		if yes {
			fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say(c.OnClose == config.CloseStop, "A sensor that closes the session is not dialed again until a reload.")
	say(c.IgnoreSampling, "Requests to sample are ignored.")
	say(c.NoPromiscuous, "Promiscuous mode is never switched on.")
	say(c.MaxSnaplen > 0, "At most %d bytes of a frame are forwarded.", c.MaxSnaplen)
	say(c.MaxRate > 0, "At most %s are sent; frames beyond it are left out and counted.", rateText(c.MaxRate))
	say(c.MaxCPU > 0, "Above %d %% of one processor only a part of the frames is forwarded, and the others are counted.", c.MaxCPU)
	say(c.DataPorts != config.PortRange{}, "Frames are sent to the ports %s of a sensor.", c.DataPorts)
	say(c.SensorName != "", "Sensors are told to show the agent as %s.", printable.Text(c.SensorName))
	say(c.User != "", "Started as root, the agent becomes the user %s.", c.User)
}

// rateText is a rate in the largest unit that leaves a whole number, or exact in bits.
func rateText(bits uint64) string {
	for _, unit := range []struct {
		bits uint64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if bits >= unit.bits && bits%(unit.bits/10) == 0 {
			return fmt.Sprintf("%g %s", float64(bits)/float64(unit.bits), unit.name)
		}
	}
	return fmt.Sprintf("%d bit/s", bits)
}
