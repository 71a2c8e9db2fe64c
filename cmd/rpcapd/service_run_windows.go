package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/eventlog"
	"rpcapd/cmd/internal/winservice"
)

// serviceRunCommand is the command line of the service. Its flags are read only when the service manager listens: it would
// wait in vain for a process that ends before.
func (a *app) serviceRunCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run -f INI [OPTIONS]",
		Short: "What the service manager runs; not for the command line",
		Long: `The command line of the service. OPTIONS are those of rpcapd itself. Only the service manager can run it: start the service
with rpcapd service start, or run rpcapd without "service run".`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
				return cmd.Help()
			}
			return a.runService(args)
		},
	}
}

// serviceSettings reads the command line of the service. -d and -L, which the C agent's service has, say what is so anyway.
// Before them come those of the file beside the ini.
func (a *app) serviceSettings(args []string) (*settings, error) {
	s, err := a.parseService(args)
	if err != nil {
		return nil, err
	}
	path := optionsFile(cmp.Or(s.file, a.defaultFile))
	options, err := readOptions(path)
	if err != nil || len(options) == 0 {
		return s, err
	}
	if s, err = a.parseService(append(options, args...)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (a *app) parseService(args []string) (*settings, error) {
	s := newSettings(a.defaultFile)
	s.runDir = serviceRunDir()
	s.flags = pflag.NewFlagSet("rpcapd service run", pflag.ContinueOnError)
	s.flags.SetOutput(io.Discard)
	for _, g := range s.groups() {
		s.flags.AddFlagSet(g.flags)
	}
	if err := s.flags.Parse(args); err != nil {
		return nil, flagError(nil, err)
	}
	if s.flags.NArg() > 0 {
		return nil, usageError{errors.New("argument " + s.flags.Arg(0) + " is not understood")}
	}
	s.daemon, s.syslog = false, false
	return s, nil
}

// runService is the service until it is stopped.
func (a *app) runService(args []string) error {
	stopped, stop := context.WithCancel(context.Background())
	defer stop()
	reload := make(chan struct{}, 1)
	events := eventLog()
	a.service = true
	return winservice.Host(serviceName, winservice.Program{
		Run: func(started func()) error {
			a.control = &control{stopped: stopped, stop: stop, reload: reload, started: func(*zap.Logger) { started() }}
			s, err := a.serviceSettings(args)
			if err == nil {
				noteCrash(s.runDir, events)
				err = a.serve(s)
			}
			if err != nil {
				events.Error(eventNotStarted, zap.Error(err))
			}
			return err
		},
		ExitCode: func(err error) uint32 { return uint32(exitCodeOf(err)) },
		Stop:     stop,
		Reload:   func() { ask(reload) },
		Power: func(asleep bool) {
			if asleep {
				events.Info(eventSleeps)
			} else {
				events.Info(eventWakes)
			}
		},
	})
}

// eventLog is where the service writes what is not for the log of its flags: those may be wrong.
func eventLog() *zap.Logger {
	core, err := eventlog.Open(serviceName, zapcore.InfoLevel, events)
	if err != nil {
		return zap.NewNop() // there is no other place
	}
	return zap.New(core)
}
