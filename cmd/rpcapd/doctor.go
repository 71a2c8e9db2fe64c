package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rpcapd/agent"
	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/examine"
	"rpcapd/config"
	"rpcapd/doctor"
	"rpcapd/doctor/host"
	"rpcapd/doctor/ring"
	"rpcapd/doctor/uplink"
	"rpcapd/privilege"
)

const doctorHelp = `Check this host for everything that an agent needs, and say in words what is wrong and how to cure it: the ini, the
right to capture, ring and offloads, buffers, memory, clock, names, TCP and each UDP port of the sensors, path MTU, super-packets.

The command calls each sensor of the ini once, with a session of its own. It starts no capture and does not touch a running agent. If the
sensor is an rpcap-sensor, it sends some hundred small and large datagrams to its UDP ports, which the sensor sends back. The command ends
within half a minute, whatever does not answer. It takes the options and variables of the agent, so you can give it the same.

The exit status is 0 if no check has failed (warnings do not count), 1 if one has, and 2 for a wrong command line.`

func (a *app) doctorCommand() *cobra.Command {
	s := newSettings(a.defaultFile)
	s.runDir = clientRunDir()
	o := &examine.Options{Program: "rpcapd", Version: build.Version(version), Out: a.out}
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check this host and the way to the sensors, and say how to cure what is wrong",
		Example: "  rpcapd doctor\n  rpcapd doctor --check data-ports,super-packets\n  rpcapd doctor --json | jq '.results[] | select(.result == \"failed\")'\n  rpcapd doctor --support support.tar.gz",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the program at once
			if err := s.readEnvironment(os.Environ()); err != nil {
				return err
			}
			x := diagnose(ctx, s)
			o.Checks, o.Files = x.checks(), x.files
			err := o.Run(ctx)
			if bad := examine.UsageError(err); bad != nil {
				return usageError{bad}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.Define(f)
	for _, g := range s.groups() { // the options of an agent can be given as they are
		g.flags.VisitAll(func(flag *pflag.Flag) { flag.Hidden = flag.Hidden || !slices.Contains(doctorFlags, flag.Name) })
		f.AddFlagSet(g.flags)
	}
	s.flags = f
	cmd.Long = doctorHelp + "\n\nChecks (--check):\n" + doctor.Help((&diagnosis{settings: newSettings(""), ctx: context.Background()}).checks())
	return cmd
}

// doctorFlags are the agent's options that make a difference. The others are accepted, too.
var doctorFlags = []string{"active", "file", "null-auth", "ipv4", "interface", "datagram", "send-buffer", "gso", "ring", "run-dir", "help"}

// diagnosis is what the checks of the agent begin with. Nothing was opened for it but the ini and the status.
type diagnosis struct {
	settings *settings
	ctx      context.Context // ends all that the checks do
	path     string          // of the ini; empty: none
	config   config.Agent
	problems config.Problems
	loadErr  error
	status   *agent.Status // of the running agent; nil: none
}

// diagnose reads the ini, as a start would, and the status of the running agent.
func diagnose(ctx context.Context, s *settings) *diagnosis {
	d := &diagnosis{settings: s, ctx: ctx, path: s.defaultFile}
	var text []byte
	if path, err := s.source(); err == nil {
		if d.path = path; path != "" {
			text, d.loadErr = readFile(path)
		}
	} else {
		d.loadErr = fs.ErrNotExist
	}
	if d.loadErr == nil {
		d.config, d.problems = s.parse(d.path, text)
	} else {
		d.config = s.line.Agent()
	}
	if st, err := agent.Running(runDirOf(s.runDir, d.path)); err == nil {
		d.status = st
	}
	return d
}

func readFile(path string) ([]byte, error) {
	f, err := openNow(path)
	if err != nil {
		return nil, err
	}
	return readIni(f)
}

// checks are those of an agent's host, in the order in which things are needed.
func (d *diagnosis) checks() []doctor.Check {
	s, c := d.settings, &d.config
	captures := 0
	fanout := false
	for _, t := range c.Targets {
		if t.Disabled == "" {
			captures += max(1, t.Fanout)
			fanout = fanout || t.Fanout > 1
		}
	}
	list := []doctor.Check{
		{Name: "config", Asks: "whether the ini is good, as rpcapd check does", Run: d.checkConfig},
		{Name: "files", Asks: "who can read and change the ini", Run: doctor.One(d.checkFiles)},
		{Name: "service", Asks: "whether the service runs, and after the next boot", Run: doctor.One(d.checkService)},
		{Name: "agent", Asks: "what the running agent says of itself", Run: d.checkAgent},
		{Name: "conflicts", Asks: "whether another agent runs, such as the C agent", Run: doctor.One(d.checkConflicts)},
		{Name: "disk", Asks: "whether the agent can write its status", Run: doctor.One(func(context.Context) doctor.Result { return host.Disk(cmp.Or(s.runDir, os.TempDir())) })},
	}
	list = append(list, ring.Checks(ring.Options{
		Bytes: cmp.Or(c.RingBytes, config.DefaultRingBytes), Captures: captures, Fanout: fanout, Cure: privilege.HowToCapture(selfPath()), Others: d.otherUser(),
	})...)
	list = append(list,
		doctor.Check{Name: "offload", Asks: "whether the kernel can cut super-packets (GSO)", Run: doctor.One(host.SendOffload)},
		doctor.Check{Name: "buffers", Asks: "whether the kernel grants the send buffer", Run: doctor.One(func(context.Context) doctor.Result {
			return host.Limit("net.core.wmem_max", cmp.Or(c.SendBuffer, config.DefaultSendBuffer), "the agent gets a smaller send buffer; when the uplink is busy for a moment, datagrams are dropped, and counted (EAGAIN)")
		})},
	)
	return append(list, uplink.Checks(d.ctx, uplink.Options{Targets: c.Targets, Policy: c, IPv4Only: s.ipv4, GSO: s.gso})...)
}

func (d *diagnosis) checkConfig(context.Context) (list []doctor.Result) {
	switch {
	case errors.Is(d.loadErr, fs.ErrNotExist):
		return []doctor.Result{doctor.Failed(fmt.Sprintf("there is no %s", d.path), "the agent does not start", "rpcapd setup --sensor HOST")}
	case errors.Is(d.loadErr, fs.ErrPermission):
		return []doctor.Result{doctor.NotChecked("this user may not read %s: run it as root", d.path)}
	case d.loadErr != nil:
		return []doctor.Result{doctor.Failed(d.loadErr.Error(), "the agent does not start", "rpcapd check "+d.path)}
	}
	for _, p := range d.problems {
		list = append(list, examine.Problem(p, "rpcapd check "+d.path))
	}
	if len(list) == 0 {
		list = append(list, doctor.OK("%s: good", cmp.Or(d.path, "command line")))
	}
	return list
}

func (d *diagnosis) checkFiles(context.Context) doctor.Result {
	if d.path == "" {
		return doctor.NotChecked("no ini")
	}
	if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
		return doctor.NotChecked("there is no %s", d.path)
	}
	return host.Secret(d.path, len(d.config.Accounts) > 0)
}

func (d *diagnosis) checkService(ctx context.Context) doctor.Result {
	return host.Unit(ctx, unitOf(d.path)+".service")
}

// otherUser says why this user's rights do not matter, if that is so.
func (d *diagnosis) otherUser() string {
	switch {
	case os.Geteuid() <= 0:
		return ""
	case d.status != nil:
		return fmt.Sprintf("an agent runs, process %d; to check its rights, run doctor as root", d.status.PID)
	case runtime.GOOS == "linux" && exists("/run/systemd/system") && exists("/usr/sbin/rpcapd"):
		return "the service has its own user; run doctor as root"
	}
	return ""
}

// checkConflicts finds other agents. Two agents with one ini send everything twice.
func (d *diagnosis) checkConflicts(context.Context) doctor.Result {
	list, ok := host.Processes("rpcapd")
	if !ok {
		return doctor.NotChecked("processes are listed on Linux only")
	}
	var others []host.Process
	for _, p := range list {
		if d.status == nil || p.PID != d.status.PID {
			others = append(others, p)
		}
	}
	if len(others) == 0 {
		if d.status != nil {
			return doctor.OK("one agent runs, process %d", d.status.PID)
		}
		return doctor.OK("no other agent runs")
	}
	p := others[0]
	what := cmp.Or(p.Path, p.Command, "rpcapd")
	cure := fmt.Sprintf("if it is the C agent: rpcapd setup --migrate; else stop one of them: kill %d", p.PID)
	if d.status == nil && len(others) == 1 {
		return doctor.Warning(fmt.Sprintf("process %d is an rpcapd (%s), and no agent uses the run directory %s", p.PID, what, d.settings.runDir),
			"it is the C agent, or an agent with another run directory; if both send to one sensor, it gets everything twice", cure)
	}
	return doctor.Warning(fmt.Sprintf("another rpcapd runs, process %d (%s)", p.PID, what), "if both send the same interface to one sensor, it gets everything twice", cure)
}

// files are what the archive has besides the report.
func (d *diagnosis) files(ctx context.Context) []doctor.File {
	files := []doctor.File{{Name: "configuration.txt", Data: []byte(redactedAgent(d.path, d.config))}}
	if d.status != nil {
		st := *d.status
		if st.Reload.Error != "" {
			st.Reload.Error = "left out, because it may quote the ini"
		}
		files = append(files, doctor.JSONFile("status.json", st))
	}
	return append(files, host.Facts(ctx, unitOf(d.path), filepath.Join(runDirOf(d.settings.runDir, d.path), agent.MetricsFile))...)
}
