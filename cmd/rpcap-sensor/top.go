package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rpcapd/config"
	"rpcapd/sensor/health"
)

const (
	topInterval    = 2 * time.Second
	minTopInterval = 200 * time.Millisecond
)

// topSettings is the command line of top.
type topSettings struct {
	stdin, stdout, stderr *os.File

	file         string
	url          string
	ca           string
	user         string
	passwordFile string
	interval     time.Duration
	count        int
	once         bool
	sort         string
	reverse      bool
	find         string
}

const topHelp = `Show a running sensor in the terminal: for each peer (an interface of an agent) what it forwards, what arrives, and
what is lost where. The command asks the sensor over HTTP, so the sensor needs a section [http] in its file, or --http.

Without -f and --url it asks ` + defaultURL + `. With -f it takes the address and the certificate from the
sensor's file. On a terminal, it updates the table every 2 s until you press q. Into a pipe, or with --once, it prints the
table once.

FORWARDED and LOST:AGENT are the agents' own numbers, which come every 5 s; the head of the table shows the age of the
oldest. LOST:PATH counts frames that were forwarded and did not arrive, LOST:OUTPUT those that an output dropped.

Keys: q ends, space pauses and resumes, arrows and Page Up/Down move, r reverses the order; a letter sorts by
  n name, s state, c forwarded, f received, p frames/s, d lost at the agent, m lost on the path, o lost at outputs,
  k clock, t connected`

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

// address is the URL to ask, and the file of the certificate that it must show.
func (o *topSettings) address() (url, certificate string, err error) {
	if o.url != "" {
		if !strings.Contains(o.url, "://") {
			return "http://" + o.url, "", nil
		}
		return o.url, "", nil
	}
	if o.file == "" {
		return defaultURL, "", nil
	}
	s, problems, err := config.LoadSensor(o.file)
	if err = errors.Join(err, problems.Err()); err != nil {
		return "", "", err
	}
	if !s.HTTP.Enabled {
		return "", "", fmt.Errorf("read address of the sensor: %s has no section [http]; add one and reload the sensor, or give --url", o.file)
	}
	host := s.HTTP.ListenText()
	if !s.HTTP.Listen.Addr().IsValid() || s.HTTP.Listen.Addr().IsUnspecified() {
		host = fmt.Sprintf("127.0.0.1:%d", s.HTTP.Listen.Port())
	}
	if s.HTTP.Certificate != "" {
		return "https://" + host, s.HTTP.Certificate, nil
	}
	return "http://" + host, "", nil
}
