package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/examine"
	"rpcapd/config"
	"rpcapd/doctor"
	"rpcapd/doctor/host"
)

const doctorHelp = `Check this host for everything that a sensor needs, and say in words what is wrong and how to cure it: the file, ports,
tcpdump, buffers, offload, outputs, keys, disk, clock.

The command opens ports only for a moment, and does not touch a running sensor. Whether datagrams of an agent reach the UDP ports is for
rpcapd doctor to find out, on the agent's host. Without -f it takes ` + defaultFile + ` of this directory, or else ` + serviceFile + `, or
else what the sensor does without a file.

The exit status is 0 if no check has failed (warnings do not count), 1 if one has, and 2 for a wrong command line.`

func doctorCommand(stdout, stderr *os.File) *cobra.Command {
	s := &settings{stdout: stdout, stderr: stderr}
	o := &examine.Options{Program: "rpcap-sensor", Version: build.Version(version), Out: stdout}
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check this host and say how to cure what is wrong",
		Long:    doctorHelp + "\n\nChecks (--check):\n" + doctor.Help((&diagnosis{}).checks()),
		Example: "  rpcap-sensor doctor\n  rpcap-sensor doctor --check ports,buffers\n  rpcap-sensor doctor --json | jq .summary\n  rpcap-sensor doctor --support support.tar.gz",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the program at once
			if err := s.readEnvironment(os.Environ()); err != nil {
				return err
			}
			d, err := diagnose(s)
			if err != nil {
				return usageError{err}
			}
			o.Checks, o.Files = d.checks(), d.files
			err = o.Run(ctx)
			if bad := examine.UsageError(err); bad != nil {
				return usageError{bad}
			}
			return err
		},
	}
	f := pflag.NewFlagSet("sensor", pflag.ContinueOnError)
	s.define(f)
	f.VisitAll(func(flag *pflag.Flag) { flag.Hidden = !slices.Contains(doctorFlags, flag.Name) })
	cmd.Flags().SortFlags = false
	o.Define(cmd.Flags())
	cmd.Flags().AddFlagSet(f)
	s.flags = cmd.Flags()
	return cmd
}

// diagnosis is what the checks of the sensor begin with.
type diagnosis struct {
	path     string // of the file; empty: none
	config   config.Sensor
	problems config.Problems
	loadErr  error
}

// doctorFlags are the sensor's options that make a difference. The others are accepted, too.
var doctorFlags = []string{"file", "listen", "udp-port", "udp-ports", "http", "filter", "write"}

// diagnose reads the file; without one the sensor does what the flags say.
func diagnose(s *settings) (*diagnosis, error) {
	d := &diagnosis{path: fileToCheck(s.file)}
	if _, err := os.Stat(d.path); s.file == "" && errors.Is(err, fs.ErrNotExist) {
		l, err := s.load(zap.NewNop())
		if err != nil {
			return nil, err
		}
		d.path, d.config = "", l.config
		d.config.Listen, d.config.Data = l.opts.Listen, config.DataPorts{First: l.opts.Data.First, Count: l.opts.Data.Count}
		d.config.Output.File = l.output
		for _, r := range l.opts.Rules {
			d.config.Rules = append(d.config.Rules, config.Rule{Name: r.Name, Port: r.Port, Filter: r.Filter, TCP: r.TCP})
		}
		return d, nil
	}
	d.config, d.problems, d.loadErr = loadFile(d.path)
	return d, nil
}

// receiveBuffer is what the sensor asks for each data port, in bytes.
const receiveBuffer = 32 << 20

// checks are those of a sensor's host.
func (d *diagnosis) checks() []doctor.Check {
	return []doctor.Check{
		{Name: "config", Asks: "whether the file is good, as rpcap-sensor check does: keys, filters, certificates, directories", Limit: 2 * doctor.DefaultLimit, Run: d.checkConfig},
		{Name: "files", Asks: "who can read and change the file and the keys", Run: d.checkFiles},
		{Name: "service", Asks: "whether the service runs, and after the next boot", Run: doctor.One(func(ctx context.Context) doctor.Result { return host.Unit(ctx, "rpcap-sensor.service") })},
		{Name: "sensor", Asks: "which problems the running sensor shows on its page", Run: d.checkRunning},
		{Name: "conflicts", Asks: "whether several sensors run", Run: doctor.One(checkConflicts)},
		{Name: "ports", Asks: "whether the ports are free, or who has them", Run: d.checkPorts},
		{Name: "tcpdump", Asks: "whether tcpdump is there to compile filters", Run: doctor.One(d.checkTcpdump)},
		{Name: "offload", Asks: "whether the kernel can join datagrams (GRO)", Run: doctor.One(host.ReceiveOffload)},
		{Name: "buffers", Asks: "whether the kernel grants the receive buffers", Run: doctor.One(func(context.Context) doctor.Result {
			return host.Limit("net.core.rmem_max", receiveBuffer, "each data port gets a smaller receive buffer; bursts that the sensor does not read at once are lost (dropped by the kernel)")
		})},
		{Name: "disk", Asks: "whether there is space where frames are written", Run: d.checkDisk},
		{Name: "clock", Asks: "whether the clock is synchronized", Run: doctor.One(func(context.Context) doctor.Result { return host.Clock() })},
	}
}

// checkTcpdump looks for tcpdump. It is only needed for filters.
func (d *diagnosis) checkTcpdump(ctx context.Context) doctor.Result {
	const cure = "apt install tcpdump, or dnf install tcpdump"
	path, err := exec.LookPath("tcpdump")
	if err == nil {
		if err = exec.CommandContext(ctx, path, "--version").Run(); err == nil {
			return doctor.OK("%s", path)
		}
	}
	if d.filters() {
		return doctor.Failed(fmt.Sprintf("tcpdump: %v", err), "the file has filters, which tcpdump compiles: the sensor does not start", cure)
	}
	return doctor.OK("there is none, and no filter needs it; to use filters: %s", cure)
}

// filters says whether anything has a filter.
func (d *diagnosis) filters() bool {
	c := &d.config
	for _, r := range c.Rules {
		if r.Filter != "" {
			return true
		}
	}
	for _, s := range selections(c) {
		if s.Filter != "" {
			return true
		}
	}
	return false
}

func selections(c *config.Sensor) (list []config.Selection) {
	for _, f := range c.Files {
		list = append(list, f.Selection)
	}
	for _, t := range c.TAP {
		list = append(list, t.Selection)
	}
	for _, o := range c.PcapOverIP {
		list = append(list, o.Selection)
	}
	return list
}

// checkDisk looks at each folder that frames are written to, once.
func (d *diagnosis) checkDisk(context.Context) (list []doctor.Result) {
	seen := make(map[string]bool)
	look := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			list = append(list, host.Disk(dir))
		}
	}
	if name := d.config.Output.File; name != "" && name != "-" {
		look(filepath.Dir(name))
	}
	for _, f := range d.config.Files {
		dir, _ := config.SplitFilePath(f.Path)
		look(dir)
	}
	if list == nil {
		list = append(list, doctor.NotChecked("no output is a file"))
	}
	return list
}

func checkConflicts(context.Context) doctor.Result {
	list, ok := host.Processes("rpcap-sensor")
	switch {
	case !ok:
		return doctor.NotChecked("processes are listed on Linux only")
	case len(list) == 0:
		return doctor.OK("no sensor runs")
	case len(list) == 1:
		return doctor.OK("one sensor runs, process %d", list[0].PID)
	}
	return doctor.Warning(fmt.Sprintf("%d sensors run, processes %d and %d", len(list), list[0].PID, list[1].PID),
		"they need different ports; with the same, the second does not start, or does without some", fmt.Sprintf("ps -fp %d,%d", list[0].PID, list[1].PID))
}
