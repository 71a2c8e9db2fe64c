package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"rpcapd/agent"
	"rpcapd/config"
	"rpcapd/iface"
)

func TestCheck(t *testing.T) {
	good := writeFile(t, "good.ini", strings.Join([]string{
		"ActiveClient = 192.0.2.1, 2003", "ActiveClient = 192.0.2.2, 2004, ifname=no-such-if, fanout=2",
		"NullAuthPermit = YES", "MaxSnaplen = 128", "PassiveClient = x", "OnClose = stop", "MaxCPU = 50", "MaxRate = 1.5G",
	}, "\n"))
	bad := writeFile(t, "bad.ini", "ActiveClient = 192.0.2.1, 2003, ifnmae=eth1\nMaxRate = 7\nColour = red\n")
	lenient := writeFile(t, "lenient.ini", "Lenient = yes\nActiveClient = 192.0.2.1, 2003, ifnmae=eth1\nColour = red\nActiveClient = 192.0.2.2\nNullAuthPermit = YES\n")
	tests := []struct {
		file string
		code int
		out  []string
		errs string
	}{
		{good, 0, []string{
			good + ":5: warning: PassiveClient has no effect",
			good + ": good, 2 sensor lines\n",
			"line 1: connects to 192.0.2.1:2003; the sensor chooses the interface\n",
			"line 2: connects to 192.0.2.2:2004; waits for an interface with ifname=no-such-if, there is none now; 2 sessions share its traffic\n",
			"Sensors need no password.\n", "A sensor that closes the session is not dialed again", "At most 128 bytes of a frame are forwarded.\n",
			"At most 1.5 Gbit/s are sent; ", "Above 50 % of one processor only a part of the frames is forwarded",
		}, ""},
		{bad, 1, []string{
			bad + `:1: unknown option "ifnmae"; did you mean ifname?` + "\n",
			bad + ":2: MaxRate \"7\": less than", bad + ":3: Colour: unknown key (known: ",
		}, "3 errors; the agent does not start with it"},
		{lenient, 0, []string{
			lenient + `:2: warning: unknown option "ifnmae"; did you mean ifname?` + "\n", lenient + ":3: warning: Colour: unknown key",
			"good, 2 sensor lines, 1 of them not used", "line 2: not used: unknown option \"ifnmae\"; did you mean ifname?\n", "line 4: connects to 192.0.2.2:2003",
		}, ""},
		{writeFile(t, "user.ini", "ActiveClient = a\nNullAuthPermit = YES\n\nUser = nosuch\n"), 0, []string{
			"user.ini:4: warning: User \"nosuch\": this host has no such user",
		}, ""},
		{writeFile(t, "cpu.ini", "ActiveClient = a\nNullAuthPermit = YES\nMaxCPU = 10000\n"), 0, []string{
			"cpu.ini:3: warning: MaxCPU = 10000 limits nothing here: it is in percent of one processor, and this host has ",
		}, ""},
		{writeFile(t, "empty.ini", ""), 0, []string{"warning: no ActiveClient line", "good, 0 sensor lines"}, ""},
		{writeFile(t, "binary.ini", "\x7fELF\x00\x00"), 1, []string{"binary data"}, "1 error;"},
		{writeFile(t, "large.ini", strings.Repeat("#", 10<<20)), 1, []string{"larger than 1 MiB"}, "1 error;"},
		{"/no/such/file.ini", 1, nil, "read configuration: " + openError("/no/such/file.ini")},
	}
	for _, tt := range tests {
		code, out, errs, _ := cli(t, "check", "-f", tt.file)
		if code != tt.code || !strings.Contains(errs, tt.errs) || tt.errs == "" && errs != "" {
			t.Errorf("%s: exit %d, want %d; %s", tt.file, code, tt.code, errs)
		}
		for _, want := range tt.out {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing in\n%s", tt.file, want, out)
			}
		}
	}
}

// openError is what this system says when a file cannot be opened.
func openError(path string) string {
	_, err := os.Open(path)
	return fmt.Sprint(err)
}

func TestPrintInterfaces(t *testing.T) {
	list := []iface.Interface{
		{
			Name: "eth0", Description: "uplink", Flags: iface.Up | iface.Running | iface.Connected, MTU: 1500,
			HardwareAddr: []byte{2, 0, 0, 0, 0, 1},
			Addresses:    []iface.Address{{Addr: netip.MustParseAddr("10.0.0.5"), Prefix: 24}, {Addr: netip.MustParseAddr("fe80::1%2"), Prefix: 64}},
		},
		{Name: "tun0", Flags: iface.Up, MTU: 1400, Addresses: []iface.Address{{Addr: netip.MustParseAddr("10.9.0.1"), Prefix: 32, Peer: netip.MustParseAddr("10.9.0.2")}}},
	}
	a, problems := config.ParseAgent("x.ini", []byte(strings.Join([]string{
		"ActiveClient = a, ifname=eth0", "ActiveClient = b, ifaddr=10.0.0.0/8", "ActiveClient = c, ifaddr=10.9.0.0/16",
		"ActiveClient = d, ifname=eth9", "ActiveClient = e", "ActiveClient = f, ifname=eth0, ifaddr=10.9.0.0/16", "NullAuthPermit = YES",
	}, "\n")))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var b strings.Builder
	printInterfaces(&b, list, &a)
	const want = `eth0
  description  uplink
  state        up, running, connected
  link         02:00:00:00:00:01, MTU 1500
  addresses    10.0.0.5/24, fe80::1/64
  selected by  line 1: a, 2003, ifname=eth0
  selected by  line 2: b, 2003, ifaddr=10.0.0.0/8

tun0
  state        up
  link         MTU 1400
  addresses    10.9.0.1/32 peer 10.9.0.2
  selected by  line 3: c, 2003, ifaddr=10.9.0.0/16

line 4 selects none of them and waits: d, 2003, ifname=eth9
line 6 selects none of them and waits: f, 2003, ifname=eth0, ifaddr=10.9.0.0/16
line 5 leaves the choice to the sensor: e, 2003
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Without a file the command still shows the interfaces; a file that was named has
// to be there.
func TestInterfacesFile(t *testing.T) {
	if code, out, errs, _ := cli(t, "interfaces"); code != 0 || !strings.Contains(out, "so no line selects any of them") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs, _ := cli(t, "interfaces", "-f", "/no/such.ini"); code != 1 || !strings.Contains(errs, openError("/no/such.ini")) {
		t.Errorf("missing file: exit %d: %s", code, errs)
	}
	if code, _, errs, _ := cli(t, "interfaces", "-f", writeFile(t, "x.ini", "ActiveClient =\n")); code != 1 || !strings.Contains(errs, "see rpcapd check") {
		t.Errorf("bad file: exit %d: %s", code, errs)
	}
}

func TestPasswd(t *testing.T) {
	run := func(input string, args ...string) (int, string, string) {
		in, err := os.Open(writeFile(t, "stdin", input))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var out, errs strings.Builder
		code := (&app{in: in, out: &out, err: &errs}).execute(append([]string{"passwd"}, args...))
		return code, out.String(), errs.String()
	}
	code, out, errs := run("wonder land\r\nnot this\n", "alice")
	if code != 0 || !strings.HasPrefix(out, "Account = alice, $2a$") || strings.Count(out, "\n") != 1 || errs != "" {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	a, problems := config.ParseAgent("x", []byte("ActiveClient = a\n"+out))
	if len(problems) > 0 || !a.Authenticate("alice", "wonder land") {
		t.Errorf("the line is not good: %v", problems)
	}
	for input, want := range map[string]string{
		"":                              "password: empty",
		"\n":                            "password: empty",
		strings.Repeat("p", 73) + "\n":  "longer than 72 bytes",
		strings.Repeat("p", 5000) + "x": "longer than 72 bytes",
	} {
		if code, out, errs := run(input, "alice"); code != 1 || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%.10q: exit %d, %q, want %q", input, code, errs, want)
		}
	}
	if code, _, errs := run("x\n", "a b"); code != 1 || !strings.Contains(errs, `user name "a b"`) {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _, _ := cli(t, "version"); code != 0 || !strings.HasPrefix(out, "rpcapd dev") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestCompletion(t *testing.T) {
	if code, out, _, _ := cli(t, "completion", "bash"); code != 0 || !strings.Contains(out, "rpcapd") {
		t.Errorf("exit %d", code)
	}
}

// TestStatusTellsRefusedReload: the agent does not do what the ini says then.
func TestStatusTellsRefusedReload(t *testing.T) {
	now := time.Now()
	st := &agent.Status{Version: "1", PID: 7, Started: now, Updated: now}
	st.Reload = agent.ReloadStatus{Count: 2, At: now.Add(-3 * time.Minute), Error: "x.ini:3: MaxSnaplan: unknown key\nx.ini:4: \x1b[2Jbad"}
	var b strings.Builder
	printStatus(&b, st, now)
	want := "The last reload was refused at " + st.Reload.At.Local().Format(time.DateTime) + ", 3m0s ago, and the configuration before it is in force:\n  x.ini:3: MaxSnaplan: unknown key\n  x.ini:4: "
	if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "\x1b") {
		t.Errorf("%q is missing in\n%q", want, b.String())
	}
	st.Reload.Error = ""
	b.Reset()
	if printStatus(&b, st, now); strings.Contains(b.String(), "reload") {
		t.Errorf("after one that was taken:\n%s", b.String())
	}
}
