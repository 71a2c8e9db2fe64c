package main

import (
	"context"
	"fmt"
	"os"

	"rpcapd/cmd/internal/password"
	"rpcapd/config"

	"github.com/spf13/cobra"
)

func (s *setup) run(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if s.first {
		return s.firstTime(ctx)
	}
	if s.migrate {
		return s.takeOver(ctx)
	}
	targets, err := s.targets()
	if err != nil {
		return err
	}
	if len(s.interfaces)+len(s.cidrs) == 0 {
		if targets, err = s.keepSelections(targets); err != nil {
			return err
		}
	}
	e := config.Edit{Targets: targets, Replace: s.replace, NullAuth: s.account == ""}
	if s.account != "" {
		password, err := s.readPassword()
		if err != nil {
			return fmt.Errorf("read password: %w", err)
		}
		account, err := config.NewAccount(s.account, password)
		if err != nil {
			return err
		}
		e.Accounts = append(e.Accounts, account)
	}
	c, err := s.write(e)
	if err != nil {
		return err
	}
	return finish(s.dial(ctx, c, targets), s.reload())
}

// takeOver replaces the C agent: its sensors and options become those of this agent. Nothing is stopped before it is
// certain that this agent understands all of them.
func (s *setup) takeOver(ctx context.Context) error {
	old, err := s.findPredecessor()
	if err != nil {
		return err
	}
	e, options, err := s.inherit(old)
	if err != nil {
		return err
	}
	if err := s.tryEdit(e); err != nil {
		return fmt.Errorf("setup --migrate: nothing is changed: %w", err)
	}
	if err := s.stopPredecessor(old); err != nil {
		return err
	}
	c, err := s.write(e)
	if err != nil {
		return err
	}
	if err := s.keepCopy(old); err != nil {
		return err
	}
	if err := s.writeOptions(options); err != nil {
		return err
	}
	return finish(s.dial(ctx, c, e.Targets), s.succeed())
}

func (a *app) setupCommand() *cobra.Command {
	s := &setup{
		defaultSensor: os.Getenv("RPCAPD_SENSOR"), defaultSensorsPort: os.Getenv("RPCAPD_PORT"),
		out:          func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) },
		readPassword: func() (string, error) { return password.Choose(a.in, a.err) },
	}
	cmd := &cobra.Command{
		Use:   "setup --sensor HOST[:PORT]",
		Short: "Write the lines for a sensor, test the connection, reload the service",
		Long: `Write an ActiveClient line for each sensor and interface into the ini, test the connection to each sensor, and reload
the running agent. Comments and the order of lines in the ini stay. You can repeat the command: it keeps lines that
exist already, removes other lines for the same sensor, and keeps lines for other sensors (--replace turns them into
comments). Without --interface and --cidr, existing lines for the sensor keep their interfaces.

Unless the ini says otherwise, the command permits sensors without a password (NullAuthPermit = YES), because most
sensors send none. With --account NAME it asks for a password, or reads it from standard input, and writes an account
instead.

Without --sensor, the command reads the environment variables RPCAPD_SENSOR and RPCAPD_PORT.

--migrate replaces an installation of the C agent in /opt/extrahop: it stops that agent, takes over its sensors,
interfaces, and options, keeps a copy of its ini, and starts this agent.

The exit status is 0 if everything is done. It is 4 if the lines are written, but a sensor did not answer or refused this
agent, which keeps trying. It is 2 if the command line is wrong, and 1 after any other failure.`,
		Example: `  rpcapd setup --sensor 192.0.2.10
  rpcapd setup --sensor sensor.example.com:2003 --interface eth0 --interface eth1
  rpcapd setup --sensor 192.0.2.10 --cidr 10.1.0.0/16
  rpcapd setup --migrate`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f := cmd.Flags().Lookup("fanout"); f.Changed && s.fanout < 1 {
				return usageError{fmt.Errorf("--fanout %d: write a number of sessions, 1 or more", s.fanout)}
			}
			return s.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&s.sensors, "sensor", nil, "connect to this sensor: `host[:port]`, port 2003 if left out; may be repeated")
	f.StringArrayVar(&s.interfaces, "interface", nil, "offer it the interface of this `name`; may be repeated, one session each")
	f.StringArrayVar(&s.cidrs, "cidr", nil, "offer it the interface that has an address in this `network`; may be repeated")
	f.IntVar(&s.fanout, "fanout", 0, "share the traffic of an interface among `n` sessions, for more than one core")
	f.StringVar(&s.account, "account", "", "sensors authenticate with this `name` and a password, asked for now")
	f.BoolVar(&s.replace, "replace", false, "turn the lines for other sensors into comments")
	f.BoolVar(&s.migrate, "migrate", false, "take over from the C agent in /opt/extrahop")
	f.BoolVar(&s.first, "first", false, "write a new ini only: one that exists stays as it is; calls no sensor and reloads nothing (for installers)")
	f.BoolVar(&s.noDial, "no-dial", false, "do not test the connection to the sensors")
	f.DurationVar(&s.timeout, "timeout", probeTimeout, "wait for the sensors no longer than this `time`, as in 5s")
	f.BoolVar(&s.noReload, "no-reload", false, "do not reload the running agent")
	f.StringVarP(&s.file, "file", "f", a.defaultFile, "the `ini` to change")
	f.StringVar(&s.runDir, "run-dir", clientRunDir(), "run directory of the agent")
	f.StringVar(&s.root, "root", "/", "root of the file system that has the C agent's installation")
	for _, name := range []string{"first", "root"} {
		_ = f.MarkHidden(name) // it exists
	}
	return cmd
}
