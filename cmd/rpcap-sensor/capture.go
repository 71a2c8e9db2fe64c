package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/logger"
	"rpcapd/sensor"
	"rpcapd/sensor/address"
)

const captureHelp = `Wait for agents, capture their frames into a file, and end at a limit. You need neither a configuration file nor root.
Each agent needs two lines in its rpcapd.ini, with the address of this machine:

  ActiveClient   = address-of-this-machine, 2003
  NullAuthPermit = YES

To use a password instead of NullAuthPermit, add an Account there (rpcapd passwd), and give --user and --password-file
here. An agent that has lost its sensor tries again within 30 seconds.

The arguments are a filter in tcpdump's syntax. This host compiles the filter, so tcpdump must be installed here. The
agents apply it and send only the frames that match. Put characters that the shell or the flags could take as their own
into single quotes.

The capture ends at the first limit of -c, --bytes, and --duration, or with Ctrl-C. The frame that reaches a limit is
the last one in the file. The limits count the frames of all agents together. The time begins when agents can connect.
On a terminal, one line shows the frames, the rate, and the loss. The exit code is 0 after a normal end, 1 after a
failure, and 2 for a mistake in the command line.

With -w -, the output has one link type, that of the first agent, because readers such as tcpdump stop at a second one.
A file has all link types; Wireshark's programs read them all.`

const captureExamples = `  rpcap-sensor capture -c 1000 -w out.pcapng 'tcp port 443'
  rpcap-sensor capture --duration 60 -i eth1 -s 128 -w headers.pcapng
  rpcap-sensor capture --bytes 100M -w big.pcapng not port 22
  rpcap-sensor capture -a duration:60 -a packets:5000 -w both.pcapng
  rpcap-sensor capture -c 20 -w - icmp | tcpdump -n -r -`

// captureSettings is the command line of capture.
type captureSettings struct {
	settings
	frames   uint64
	bytes    byteCount
	duration seconds
	stop     []string
}

func captureCommand(stdout, stderr *os.File) *cobra.Command {
	c := &captureSettings{settings: settings{stdout: stdout, stderr: stderr}}
	cmd := &cobra.Command{
		Use:     "capture -w FILE [FILTER]",
		Short:   "Capture from agents until a limit is reached",
		Long:    captureHelp,
		Example: captureExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	c.define(cmd.Flags())
	return cmd
}

// define names the flags as tcpdump and dumpcap do, where they have them.
func (c *captureSettings) define(f *pflag.FlagSet) {
	c.flags = f
	f.SortFlags = false
	f.StringVarP(&c.output, "write", "w", "", "write frames as pcapng to this `file`, - is standard output")
	f.Uint64VarP(&c.frames, "count", "c", 0, "end after this `number` of frames")
	f.Var(&c.bytes, "bytes", "end when this `size` of frame data is reached, such as 500k, 100M or 1GiB")
	f.Var(&c.duration, "duration", "end after this `time`: seconds, or such as 90s, 5m, 1h30m")
	f.StringArrayVarP(&c.stop, "autostop", "a", nil, "end at this `condition`, in dumpcap's syntax: duration:SECONDS, packets:NUMBER or filesize:KB (of frame data); may be repeated")
	f.StringArrayVarP(&c.interfaces, "interface", "i", nil, "capture only an interface of this `name`; * and ? match, may be repeated")
	f.StringSliceVar(&c.addresses, "address", nil, "capture only an interface with an address in this `network`, such as 192.168.4.0/24")
	f.StringSliceVar(&c.agents, "agents", nil, "accept agents only from this `network`, such as 10.1.0.0/16, or address")
	f.Uint32VarP(&c.snaplen, "snaplen", "s", 0, "take at most this many `bytes` of a frame (0: 262144)")
	f.BoolVar(&c.promiscuous, "promiscuous", false, "ask for promiscuous mode")
	f.BoolVar(&c.tcp, "tcp", false, tcpUsage)
	f.StringVar(&c.user, "user", "", "`name` to give to agents that ask for a password")
	f.StringVar(&c.passwordFile, "password-file", "", "`file` whose first line is the password")
	f.StringVar(&c.listen, "listen", ":2003", "`address:port` that agents dial")
	f.Uint16Var(&c.udpPort, "udp-port", sensor.DefaultPort, "first UDP `port` of the range that agents send to")
	f.IntVar(&c.udpPorts, "udp-ports", sensor.DefaultDataPorts, "`number` of UDP ports, 1 to 64")
	c.logs = logger.Flags{Format: "console", Level: "warn"}
	c.logs.Define(f)
	alsoCalled(f, map[string]string{"frames": "count", "packets": "count", "agent": "agents", "snapshot-length": "snaplen"})
}

// limits puts the ways to say a limit together; of two the smaller holds.
func (c *captureSettings) limits() (limits, error) {
	l := limits{frames: c.frames, bytes: uint64(c.bytes), duration: time.Duration(c.duration)}
	if c.flags.Changed("count") && c.frames == 0 {
		return limits{}, errors.New("-c 0: it is 1 or more; without -c there is no limit")
	}
	for _, text := range c.stop {
		kind, value, _ := strings.Cut(text, ":")
		var err error
		switch kind {
		case "duration":
			var d seconds
			err = d.Set(value)
			l.duration = smaller(l.duration, time.Duration(d))
		case "packets":
			var n byteCount
			err = n.Set(value)
			l.frames = smaller(l.frames, uint64(n))
		case "filesize":
			var n byteCount
			err = n.Set(value + "k")
			l.bytes = smaller(l.bytes, uint64(n))
		default:
			err = errors.New("it is duration:SECONDS, packets:NUMBER or filesize:KB")
		}
		if err != nil {
			return limits{}, fmt.Errorf("-a %q: %w", text, err)
		}
	}
	return l, nil
}

// smaller is the smaller of two limits, of which 0 is none.
func smaller[T uint64 | time.Duration](a, b T) T {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// run captures until a limit, a signal, or an error.
func (c *captureSettings) run(args []string) error {
	begin := time.Now()
	c.filter = strings.TrimSpace(strings.Join(args, " "))
	if len(args) > 0 && c.filter == "" {
		return usageError{errors.New("the filter is empty; without one, which takes all frames, leave the argument out")}
	}
	lim, err := c.limits()
	if err != nil {
		return usageError{err}
	}
	if c.output == "" {
		return usageError{errors.New("say where the frames go: -w FILE, or -w - with a pipe, as in -w - | tcpdump -n -r -")}
	}
	opts, err := c.fromFlags()
	if err != nil {
		return usageError{err}
	}
	term := newTerminal(c.stderr)
	log, err := newLogger(&c.logs, term)
	if err != nil {
		return usageError{err}
	}
	signals, stop := signal.NotifyContext(context.Background(), slices.Concat(stopSignals, reloadSignals)...)
	defer stop()
	context.AfterFunc(signals, stop) // a second signal ends the program at once
	ignoreBrokenPipe()
	sink, closeOutput, err := openOutput(c.output, c.stdout, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(signals)
	defer cancel(nil)
	k := &limitedSink{Sink: sink, limits: lim, reached: func(limit string) { cancel(limitReached(limit)) }}
	opts.Purpose = k
	p := &progress{sink: k, term: term, begin: begin, output: c.output}
	j := job{
		opts: opts, out: outputs{stdout: c.stdout, log: log}, report: c.stderr,
		beside: []service{p.service},
		final: func(sen *sensor.Sensor) error {
			why, _ := context.Cause(ctx).(limitReached)
			return p.summary(sen, string(why))
		},
	}
	err = j.run(ctx)
	if address.InUse(err) {
		err = fmt.Errorf("%w with --listen and --udp-port, and tell the agents", err)
	}
	return errors.Join(err, closeOutput())
}

// limitReached is why a capture has ended: the limit in words.
type limitReached string

func (l limitReached) Error() string { return "reached " + string(l) }
