package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/environment"
	"rpcapd/cmd/internal/logger"
	"rpcapd/cmd/internal/password"
	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/rule"
)

// What check looks at without a name: the first in the working directory, else the one of the packages' service.
const (
	defaultFile = "rpcap-sensor.ini"
	serviceFile = "/etc/rpcap-sensor/rpcap-sensor.ini"
)

// tcpUsage is the help of --tcp.
const tcpUsage = "receive frames over TCP instead of UDP; allow TCP to the ports of --udp-port and --udp-ports in the firewall"

// loadFile reads a file; if there is none it says where to take one.
func loadFile(name string) (config.Sensor, config.Problems, error) {
	c, problems, err := config.LoadSensor(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; rpcap-sensor.ini(5) and the packages' /usr/share/rpcap-sensor/rpcap-sensor.ini show how to write one", err)
	}
	return c, problems, err
}

// settings is the command line.
type settings struct {
	stdout, stderr *os.File
	flags          *pflag.FlagSet
	env            []environment.Value // that have set flags
	envStrange     []string            // messages about variables that mean nothing

	file         string
	listen       string
	interfaces   []string
	addresses    []string
	agents       []string
	snaplen      uint32
	promiscuous  bool
	filter       string
	tcp          bool
	udpPort      uint16
	udpPorts     int
	user         string
	passwordFile string
	output       string
	rotateSize   megabytes
	rotateTime   seconds
	keep         int
	http         string
	logs         logger.Flags
}

// ruleFlags describe the one rule of a command line; they do not go together with a file.
var ruleFlags = []string{"interface", "address", "agents", "snaplen", "promiscuous", "filter", "tcp", "user", "password-file"}

func (s *settings) define(f *pflag.FlagSet) {
	s.flags = f
	f.SortFlags = false
	f.StringVarP(&s.file, "file", "f", "", "read rules from this `file`")
	f.StringVarP(&s.output, "write", "w", "", "write frames as pcapng to this `file`, - is standard output")
	f.VarP(&s.rotateSize, "rotate-size", "C", "begin another file after this `size`: millions of bytes, or such as 500k, 100M, 4GiB; FILE may have %Y %m %d %H %M %S in it")
	f.VarP(&s.rotateTime, "rotate-time", "G", "begin another file at multiples of this `time`: seconds, or such as 15m, 1h")
	f.IntVarP(&s.keep, "keep", "W", 0, "with -C or -G: delete all but this `number` of complete files")
	f.StringVar(&s.listen, "listen", ":2003", "`address:port` that agents dial; the address alone is enough with -f")
	f.StringArrayVar(&s.interfaces, "interface", nil, "capture only an interface of this `name`; * and ? match, may be repeated")
	f.StringSliceVar(&s.addresses, "address", nil, "capture only an interface with an address in this `network`, such as 192.168.4.0/24")
	f.StringSliceVar(&s.agents, "agents", nil, "accept agents only from this `network`, such as 10.1.0.0/16, or address")
	f.StringVar(&s.filter, "filter", "", "forward only frames that match this `expression` (tcpdump syntax; needs tcpdump)")
	f.Uint32Var(&s.snaplen, "snaplen", 0, "forward at most this many `bytes` of a frame (0: 262144)")
	f.BoolVar(&s.promiscuous, "promiscuous", false, "ask for promiscuous mode")
	f.BoolVar(&s.tcp, "tcp", false, tcpUsage)
	f.StringVar(&s.user, "user", "", "`name` to give to agents that ask for a password")
	f.StringVar(&s.passwordFile, "password-file", "", "`file` whose first line is the password")
	f.Uint16Var(&s.udpPort, "udp-port", sensor.DefaultPort, "first UDP `port` of the range that agents send to")
	f.IntVar(&s.udpPorts, "udp-ports", sensor.DefaultDataPorts, "`number` of UDP ports, 1 to 64")
	f.StringVar(&s.http, "http", "", "show health (page, metrics, JSON) on this `address:port`, such as 127.0.0.1:9203")
	s.logs = logger.Flags{Format: "console", Level: "info"}
	s.logs.Define(f)
	alsoCalled(f, map[string]string{"agent": "agents"})
}

// alsoCalled lets flags be written by other names, too.
func alsoCalled(f *pflag.FlagSet, names map[string]string) {
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if other, ok := names[name]; ok {
			name = other
		}
		return pflag.NormalizedName(name)
	})
}

// loaded is what the command line, and the file it names, ask for.
type loaded struct {
	opts   sensor.Options // without sinks and logger
	config config.Sensor  // of the file; without one its zero value
	output string         // of -w or [output], empty for none
}

// fromFlags makes the one rule of the command line.
func (s *settings) fromFlags() (sensor.Options, error) {
	addr, port, err := parseListen(s.listen)
	if err != nil {
		return sensor.Options{}, err
	}
	if port == 0 {
		port = sensor.DefaultPort
	}
	r := rule.Rule{
		Name: "default", Port: port, Interfaces: s.interfaces, Filter: s.filter, Snaplen: s.snaplen,
		Promiscuous: s.promiscuous, TCP: s.tcp, User: s.user,
	}
	if r.Addresses, err = parsePrefixes("address", s.addresses); err != nil {
		return sensor.Options{}, err
	}
	if r.AllowAgents, err = parsePrefixes("agents", s.agents); err != nil {
		return sensor.Options{}, err
	}
	if (s.user == "") != (s.passwordFile == "") {
		return sensor.Options{}, errors.New("--user and --password-file go together")
	}
	if s.passwordFile != "" {
		if r.Password, err = password.File(s.passwordFile); err != nil {
			return sensor.Options{}, err
		}
	}
	if s.udpPort == 0 {
		return sensor.Options{}, errors.New("--udp-port 0: it is 1 to 65535")
	}
	return sensor.Options{
		Rules: []rule.Rule{r}, Listen: addr,
		Data: sensor.DataPorts{First: s.udpPort, Count: s.udpPorts},
	}, nil
}

// parseListen takes "addr:port", ":port", "[v6]:port", "port" or "addr"; what is missing is zero.
func parseListen(text string) (netip.Addr, uint16, error) {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a, 0, nil
	}
	host, portText := "", text
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, portText = text[:i], text[i+1:]
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return netip.Addr{}, 0, fmt.Errorf("--listen %q: it is address:port with a port of 1 to 65535, such as 10.0.0.1:2003 or :2003", text)
	}
	if host = strings.Trim(host, "[]"); host == "" || host == "*" {
		return netip.Addr{}, uint16(port), nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("--listen %q: %q is no IPv4 or IPv6 address", text, host)
	}
	return a, uint16(port), nil
}

// parsePrefixes takes networks and single addresses.
func parsePrefixes(flag string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, t := range texts {
		if a, err := netip.ParseAddr(t); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("--%s %q: it is an address or a network such as 192.168.4.0/24 or 2001:db8::/32", flag, t)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// megabytes is a flag with a size, in millions of bytes if there is no unit, as tcpdump has it.
type megabytes byteCount
