package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/zap"

	"rpcapd/agent"
	"rpcapd/cmd/internal/logger"
	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/udpsock"
)

// options runs a command line without a file up to the options of the agent.
func options(t *testing.T, args ...string) agent.Options {
	t.Helper()
	code, _, errs, s := cli(t, args...)
	if code != 0 || s == nil {
		t.Fatalf("%q: exit %d: %s", args, code, errs)
	}
	cfg, problems := s.parse("", nil)
	if len(problems) > 0 {
		t.Fatalf("%q: %v", args, problems)
	}
	o := s.agentOptions(cfg, "", nil)
	o.Version = ""
	return o
}

func TestCommandLines(t *testing.T) {
	sensor := func(host string, port uint16) config.Target {
		return config.Target{Host: host, Port: port, Fanout: 1}
	}
	tests := []struct {
		args string
		want func(*agent.Options)
	}{
		{"", func(*agent.Options) {}},
		{"-v -n -a 192.0.2.1,2003", func(o *agent.Options) {
			o.Config.Targets, o.Config.NullAuth = []config.Target{sensor("192.0.2.1", 2003)}, true
		}},
		{"-a a,DEFAULT,b,2004 -a c", func(o *agent.Options) {
			o.Config.Targets = []config.Target{sensor("a", 2003), sensor("b", 2004), sensor("c", 2003)}
		}},
		{"-aa,2004 -i eth1", func(o *agent.Options) {
			x := sensor("a", 2004)
			x.Select = iface.Selector{Name: "eth1"}
			o.Config.Targets = []config.Target{x}
		}},
		{"-4", func(o *agent.Options) { o.IPv4Only = true }},
		{"-y", func(o *agent.Options) { o.DryRun = true }},
		{"-S", func(o *agent.Options) { o.LogStats = true }},
		{"-ySn4", func(o *agent.Options) { o.DryRun, o.LogStats, o.Config.NullAuth, o.IPv4Only = true, true, true, true }},
		{"-r x.pcap", func(o *agent.Options) { o.ReadFile, o.ReadOnce = "x.pcap", true }},
		{"-t 0", func(o *agent.Options) { o.Config.Datagram = config.Datagram{Plain: true} }},
		{"-t1472", func(o *agent.Options) { o.Config.Datagram = config.Datagram{Size: 1472} }},
		{"-t -1", func(o *agent.Options) { o.Config.Datagram = config.Datagram{Size: 65000} }},
		{"-t 70000", func(o *agent.Options) { o.Config.Datagram = config.Datagram{Size: 65000} }},
		{"-t auto", func(*agent.Options) {}},
		{"--datagram=jumbo", func(o *agent.Options) { o.Config.Datagram = config.Datagram{Jumbo: true} }},
		{"-z 1048576", func(o *agent.Options) { o.Config.RingBytes = 1 << 20 }},
		{"-z 0", func(*agent.Options) {}},
		{"-z -1", func(*agent.Options) {}},
		{"-u 4M", func(o *agent.Options) { o.Config.SendBuffer = 4 << 20 }},
		{"-u 100", func(*agent.Options) {}},
		{"-g -m 64 -k 65536 -v -d -L", func(*agent.Options) {}},
		{"--gso off", func(o *agent.Options) { o.GSO = udpsock.Off }},
		{"--user x", func(o *agent.Options) { o.Config.User = "x" }},
	}
	for _, tt := range tests {
		want := agent.Options{Config: config.CommandLine{}.Agent()}
		tt.want(&want)
		got := options(t, strings.Fields(tt.args)...)
		if len(got.Config.Targets) == 0 && len(want.Config.Targets) == 0 {
			got.Config.Targets, want.Config.Targets = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.args, got, want)
		}
	}
}

func TestTuning(t *testing.T) {
	for args, want := range map[string][2]int{
		"":           {cpuAny, 0},
		"-c single":  {cpuAny, 0},
		"-c 3":       {3, 0},
		"-c 2,3":     {2, 0},
		"-c -1,-1":   {cpuAny, 0},
		"-e -5,5":    {cpuAny, -5},
		"-c 1 -e 10": {1, 10},
	} {
		if _, _, _, s := cli(t, strings.Fields(args)...); s.cpu != want[0] || s.nice != want[1] {
			t.Errorf("%q: CPU %d, nice %d, want %v", args, s.cpu, s.nice, want)
		}
	}
}

func TestDaemonSettings(t *testing.T) {
	_, _, _, s := cli(t, strings.Fields("-v -d -L -f x.ini -s y.ini --run-dir /r --log-format json --log-level debug")...)
	if !s.daemon || !s.syslog || s.file != "x.ini" || s.save != "y.ini" || s.runDir != "/r" || s.logs != (logger.Flags{Format: "json", Level: "debug"}) {
		t.Errorf("got %+v", s)
	}
}

func TestUsageErrors(t *testing.T) {
	tests := []struct{ args, want string }{
		{"-b 10.0.0.1", "-b is refused: this agent never listens"},
		{"-p 2002", "-p is refused: this agent never listens"},
		{"-vp2002", "-p is refused"},
		{"-l a,b", "-l is refused: this agent never listens"},
		{"-t 36", "the headers alone take 36 bytes"},
		{"-t 63", "write 64 to 65000"},
		{"-t big", "auto, or jumbo"},
		{"-z big", "write a number of bytes"},
		{"-u big", "write a number of bytes"},
		{"-c x", "write the number of one CPU"},
		{"-e 30", "-20 to 19"},
		{"-a a,0", `port "0"`},
		{"-a a,2003,ifname=eth1", "use -i"},
		{"--gso maybe", "not auto, on or off"},
		{"-6", "unknown shorthand flag"},
		{"--nonsense", "unknown flag"},
		{"-a", "needs an argument"},
		{"chekc", "did you mean rpcapd check?"},
		{"check x.ini y.ini", "argument \"y.ini\" is one too many"},
		{"check -f x.ini y.ini", "two files are named"},
		{"interfaces x.ini", "a file is named with -f"},
		{"--interface= -a a", "--interface has an empty value"},
		{"--file=", "--file has an empty value"},
		{"--read= -a a", "--read has an empty value"},
		{"passwd", "give the one name"},
	}
	for _, tt := range tests {
		code, out, errs, s := cli(t, strings.Fields(tt.args)...)
		if code != exitUsage || s != nil || out != "" || !strings.Contains(errs, tt.want) || !strings.Contains(errs, "Try rpcapd --help.") {
			t.Errorf("%s: exit %d, %q, want %d and %q", tt.args, code, errs, exitUsage, tt.want)
		}
	}
}

// What is accepted and has no effect is said, and nothing else is.
func TestNotes(t *testing.T) {
	t.Setenv("INVOCATION_ID", "")
	t.Setenv("NOTIFY_SOCKET", "")
	tests := []struct {
		args string
		want []string
	}{
		{"-n -a h -t 1472 -z 1 -u 1 -y -i x -S -L -4 -c 1 -e 1 -d", nil},
		{"-v -g -m 1 -k 1", []string{"-v has no effect", "-g has no effect", "-m has no effect", "-k has no effect"}},
		{"-c 1,2 -e 3,4", []string{"-c: the agent needs one CPU", "-e: the agent takes"}},
	}
	for _, tt := range tests {
		_, _, _, s := cli(t, strings.Fields(tt.args)...)
		got := s.notes()
		if len(got) != len(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.args, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], tt.want[i]) {
				t.Errorf("%s: got %q, want %q", tt.args, got[i], tt.want[i])
			}
		}
	}
	t.Setenv("INVOCATION_ID", "x")
	t.Setenv("SYSTEMD_EXEC_PID", "")
	if _, _, _, s := cli(t, "-d"); len(s.notes()) != 1 || !strings.Contains(s.notes()[0], "systemd") {
		t.Errorf("-d under systemd: %q", s.notes())
	}
}

func TestUnderSystemd(t *testing.T) {
	tests := []struct {
		invocation, socket, pid string
		want                    bool
	}{
		{"", "", "", false},
		{"x", "", "", true},
		{"", "/run/s", "", true},
		{"x", "", "1", false}, // a child of a service, such as what an init script starts
		{"x", "", "self", true},
	}
	for _, tt := range tests {
		t.Setenv("INVOCATION_ID", tt.invocation)
		t.Setenv("NOTIFY_SOCKET", tt.socket)
		t.Setenv("SYSTEMD_EXEC_PID", strings.ReplaceAll(tt.pid, "self", strconv.Itoa(os.Getpid())))
		if got := underSystemd(); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

func TestHelp(t *testing.T) {
	code, out, errs, s := cli(t, "-h")
	if code != 0 || errs != "" || s != nil {
		t.Fatalf("exit %d, %s", code, errs)
	}
	for _, letter := range "avndfs4tuzgyiSLcemkhr" {
		if !strings.Contains(out, fmt.Sprintf("\n  -%c, --", letter)) {
			t.Errorf("-%c is missing", letter)
		}
	}
	needed, reloadedBy := "CAP_NET_RAW", "SIGHUP"
	if runtime.GOOS == "windows" {
		needed, reloadedBy = "Npcap", "rpcapd reload"
	}
	for _, want := range []string{
		"ActiveClient = sensor.example.com, 2003", "NullAuthPermit = YES", "ifname=eth1", needed, reloadedBy,
		"rpcapd [flags]\n", "rpcapd -n -a 192.0.2.1,2003 -i eth1 ", "\n  check ", "\n  interfaces ", "\n  status ", "\n  passwd ", "\n  version ", "\n  completion ",
		"-b, -p and -l of the C agent are refused",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(out, "refused\n  ") || strings.Contains(out, "--bind") {
		t.Error("the refused flags are offered")
	}
	for line := range strings.SplitSeq(out, "\n") {
		if len(line) > 120 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if _, out, _, _ := cli(t, "check", "--help"); !strings.Contains(out, "rpcapd check my.ini") || strings.Contains(out, "--datagram") {
		t.Errorf("check --help:\n%s", out)
	}
}

// The examples and the ini of the help are good as they stand.
func TestHelpIsTrue(t *testing.T) {
	var lines []string
	for line := range strings.SplitSeq(longHelp, "\n") {
		if strings.HasPrefix(line, "  ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if a, problems := config.ParseAgent("help", []byte(strings.Join(lines, "\n"))); len(problems) > 0 || len(a.Targets) != 3 {
		t.Errorf("the ini of the help: %d sensors, %v", len(a.Targets), problems)
	}
	for line := range strings.SplitSeq(examples, "\n") {
		words := strings.Fields(strings.SplitN(strings.TrimSpace(line), "   ", 2)[0])
		if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
			continue // a subcommand, tested by itself
		}
		if code, _, errs, s := cli(t, words[1:]...); code != 0 || s == nil {
			t.Errorf("%q: exit %d: %s", words, code, errs)
		}
	}
}

func TestLogFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--log-level loud":   "it is debug, info, warn or error",
		"--log-level fatal":  "it is debug, info, warn or error",
		"--log-format pixel": "it is console or json",
	} {
		_, _, _, s := cli(t, strings.Fields(args)...)
		if _, err := s.newLogger(nil, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
	var text strings.Builder
	_, _, _, s := cli(t, "--log-format", "json", "--log-level", "warn")
	log, err := s.newLogger(&text, false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("loud", zap.Int("n", 1))
	if got := text.String(); !strings.Contains(got, `"msg":"loud","n":1}`) || strings.Contains(got, "quiet") {
		t.Errorf("got %s", got)
	}
}
