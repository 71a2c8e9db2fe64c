package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rpcapd/agent"
	"rpcapd/capture"
	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/printable"
)

func (a *app) interfacesCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "interfaces",
		Short: "List the interfaces and the lines of the ini that select them",
		Long: `List the interfaces of this host in the order that sensors see: name, description, state, addresses,
and the ActiveClient lines of the ini that select each.`,
		Example: "  rpcapd interfaces\n  rpcapd interfaces -f my.ini",
		Args:    noArguments,
	}
	cmd.Flags().StringVarP(&file, "file", "f", a.defaultFile, "the `ini` whose lines are shown")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, err := iface.List()
		if err != nil {
			return err
		}
		defer printDriver(a.out, capture.Driver)
		s, path, err := a.checked(file, os.Environ())
		if err != nil {
			return err
		}
		variables, err := s.variables()
		if err != nil {
			return err
		}
		c, problems, err := config.LoadAgentWith(path, variables)
		if errors.Is(err, fs.ErrNotExist) && !cmd.Flags().Changed("file") {
			printInterfaces(a.out, list, &config.Agent{})
			fmt.Fprintf(a.out, "There is no %s, so no line selects any of them.\n", file)
			return nil
		}
		if err != nil {
			return err
		}
		printInterfaces(a.out, list, &c)
		if problems.Err() != nil {
			return fmt.Errorf("%s has errors, so some lines may be missing here; see rpcapd check -f %s", file, file)
		}
		return nil
	}
	return cmd
}

// printDriver tells which driver captures, where one is needed.
func printDriver(w io.Writer, look func() (string, error)) {
	switch driver, err := look(); {
	case err != nil:
		fmt.Fprintln(w, err)
	case driver != "":
		fmt.Fprintln(w, "capture driver:", driver)
	}
}

// printInterfaces shows each interface, then the lines that select none.
func printInterfaces(w io.Writer, list []iface.Interface, c *config.Agent) {
	offered, several := iface.Without(list, c.Ignore), agent.Selected(c, list)
	selecting := make(map[string][]string)
	add := func(name, text string) { selecting[name] = append(selecting[name], text) }
	var waiting, open []string
	for _, t := range c.Targets {
		line := placeOf(t)
		switch i, found := t.Select.First(offered); {
		case t.Disabled != "":
		case t.Select.IsZero():
			open = append(open, fmt.Sprintf("%s leaves the choice to the sensor: %s", line, t))
		case t.Select.Many():
			for _, name := range several[0].Interfaces {
				add(name, fmt.Sprintf("%s: %s", line, t))
			}
			for _, name := range several[0].Refused {
				add(name, fmt.Sprintf("%s: %s; refused, because of MaxSessions", line, t))
			}
			for _, name := range several[0].Elsewhere {
				add(name, fmt.Sprintf("%s: %s; not used, because another line offers it this sensor", line, t))
			}
			if !found {
				waiting = append(waiting, fmt.Sprintf("%s selects none of them now: %s", line, t))
			}
			several = several[1:]
		case found:
			add(offered[i].Name, fmt.Sprintf("%s: %s", line, t))
		default:
			waiting = append(waiting, fmt.Sprintf("%s selects none of them and waits: %s", line, t))
		}
	}
	for i := range list {
		printInterface(w, &list[i])
		if c.Ignore.Matches(&list[i]) {
			row(w, "left out", "by IgnoreInterfaces")
		}
		for _, text := range selecting[list[i].Name] {
			row(w, "selected by", text)
		}
		fmt.Fprintln(w)
	}
	for _, text := range append(waiting, open...) {
		fmt.Fprintln(w, text)
	}
}

func printInterface(w io.Writer, i *iface.Interface) {
	fmt.Fprintf(w, "%s\n", printable.Text(i.Name)) // any program with the right to may have named it
	if i.Description != "" {
		row(w, "description", i.Description)
	}
	if len(i.AltNames) > 0 {
		row(w, "also named", printable.Text(strings.Join(i.AltNames, ", ")))
	}
	row(w, "state", i.Flags.String())
	link := fmt.Sprintf("MTU %d", i.MTU)
	if len(i.HardwareAddr) > 0 {
		link = i.HardwareAddr.String() + ", " + link
	}
	row(w, "link", link)
	var addresses []string
	for _, a := range i.Addresses {
		text := fmt.Sprintf("%s/%d", a.Addr.WithZone(""), a.Prefix)
		if a.Peer.IsValid() && a.Peer != a.Addr {
			text += " peer " + a.Peer.WithZone("").String()
		}
		addresses = append(addresses, text)
	}
	if addresses != nil {
		row(w, "addresses", strings.Join(addresses, ", "))
	}
}

func row(w io.Writer, name, text string) { fmt.Fprintf(w, "  %-12s %s\n", name, text) }
