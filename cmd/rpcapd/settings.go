package main

import (
	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/logger"
	"rpcapd/config"
	"rpcapd/udpsock"
)

// cpuAny leaves the process to the scheduler.
const cpuAny = -1

// settings is the command line of the daemon.
type settings struct {
	flags *pflag.FlagSet

	line     config.CommandLine
	file     string // -f; empty: defaultFile, if there are no targets
	save     string // -s
	readFile string // -r

	daemon   bool // -d
	ipv4     bool // -4
	dryRun   bool // -y
	logStats bool // -S

	cpu, nice             int
	cpuThreads, niceTwice bool // two values were given, as for two threads
	gso                   udpsock.Mode

	user   string
	runDir string
	syslog bool // -L
	logs   logger.Flags

	env         []config.Variable // of the environment, for keys of the ini
	envNames    []string          // of all variables that are in force
	envStrange  []string          // messages about variables that mean nothing
	accountFile string            // that the environment names

	defaultFile string
	accepted    bool // takes the flags that are accepted and have no effect
}

func newSettings(file string) *settings {
	return &settings{cpu: cpuAny, runDir: defaultRunDir(), logs: logger.Flags{Format: "console", Level: "info"}, defaultFile: file}
}

// flagGroup is a part of the help.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

func (s *settings) defineSensors(f *pflag.FlagSet) {
	f.VarP(&targetsValue{&s.line.Targets}, "active", "a", "connect to these sensors: `host,port[,host,port...]`; the last port may be left out (2003); may be repeated")
	f.StringVarP(&s.file, "file", "f", "", "read sensors and limits from this `ini`; its sensors replace those of -a, and its NullAuthPermit replaces -n")
	f.StringVarP(&s.save, "save", "s", "", "write the sensors of the command line to this `ini`, then continue")
	f.BoolVarP(&s.line.NullAuth, "null-auth", "n", false, "accept sensors without a password")
	f.BoolVarP(&s.ipv4, "ipv4", "4", false, "connect over IPv4 only")
	f.VarP(parsed("string", config.ParseInterfaceFlag, &s.line.Interface), "interface", "i", "preselect the interface of this `name` for sensors whose line selects none; a pattern as in ifname= makes a session for each")
}

func (s *settings) defineCapture(f *pflag.FlagSet) {
	f.VarP(parsed("bytes", config.ParseRingBytes, &s.line.RingBytes), "ring", "z", "memory of one capture ring in `bytes`, or as in 64M (default 16M)")
	f.StringVarP(&s.readFile, "read", "r", "", "capture from this pcap or pcapng `file` instead of from interfaces, and end when it has been sent; it can be compressed with gzip or zstd, and - is standard input")
	f.VarP(&threadValue{parse: config.ParseCPU, value: &s.cpu, two: &s.cpuThreads}, "cpu", "c", "bind the agent to this `CPU`")
	f.VarP(&threadValue{parse: config.ParseNice, value: &s.nice, two: &s.niceTwice}, "nice", "e", "nice `value` of the agent, -20 to 19")
	f.BoolVarP(&s.dryRun, "dry-run", "y", false, "capture and count, send nothing")
	f.BoolVarP(&s.logStats, "log-stats", "S", false, "log the numbers whenever a sensor asks for them")
}

func (s *settings) defineSending(f *pflag.FlagSet) {
	f.VarP(parsed("size", config.ParseDatagram, &s.line.Datagram), "datagram", "t", "`size` of datagrams: auto, jumbo, bytes of UDP payload, or 0 for plain RPCAP (default auto)")
	f.VarP(parsed("bytes", config.ParseSendBuffer, &s.line.SendBuffer), "send-buffer", "u", "send buffer of a data socket in `bytes`, or as in 4M (default 8M, as far as the system grants it)")
	f.Var(parsed("mode", udpsock.ParseMode, &s.gso), "gso", "segmentation offload: auto, on or off (default auto)")
}

func (s *settings) defineRunning(f *pflag.FlagSet) {
	f.BoolVarP(&s.daemon, "daemon", "d", false, "run in the background; the log goes to syslog")
	f.StringVar(&s.user, "user", "", "become this `user` when started as root (default rpcapd, else nobody), and keep only CAP_NET_RAW")
	f.StringVar(&s.runDir, "run-dir", s.runDir, "`folder` of the status files that rpcapd status reads")
	f.BoolVarP(&s.syslog, "syslog", "L", false, "log to syslog, and to standard error unless -d is given")
	s.logs.Define(f)
	f.BoolP("help", "h", false, "print this")
}
