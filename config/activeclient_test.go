package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"rpcapd/iface"
)

// target parses one ActiveClient line and fails the test if it has a problem.
func target(t *testing.T, line string) Target {
	t.Helper()
	a, problems := ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+line+"\n"))
	if len(problems) > 0 || len(a.Targets) != 1 {
		t.Fatalf("%q: %d targets, problems %v", line, len(a.Targets), problems)
	}
	return a.Targets[0]
}

func TestActiveClientForms(t *testing.T) {
	eth1 := iface.Selector{Name: "eth1"}
	ten := iface.Selector{Net: netip.MustParsePrefix("10.0.0.0/8")}
	both := iface.Selector{Name: "eth1", Net: netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		line string
		host string
		port uint16
		sel  iface.Selector
	}{
		// What both existing agents read.
		{"ActiveClient = 203.0.113.9,2003", "203.0.113.9", 2003, iface.Selector{}},
		{"ActiveClient = 203.0.113.9, 2004", "203.0.113.9", 2004, iface.Selector{}},
		{"ActiveClient = sensor.example.com,DEFAULT", "sensor.example.com", 2003, iface.Selector{}},
		// Separators.
		{"ActiveClient = a , 2004", "a", 2004, iface.Selector{}},
		{"ActiveClient = a;2004", "a", 2004, iface.Selector{}},
		{"ActiveClient = a 2004", "a", 2004, iface.Selector{}},
		{"ActiveClient =\ta\t2004", "a", 2004, iface.Selector{}},
		{"ActiveClient = a,\t2004", "a", 2004, iface.Selector{}},
		{"ActiveClient=a,2004", "a", 2004, iface.Selector{}},
		{"  ActiveClient = a ,;, 2004 ,", "a", 2004, iface.Selector{}},
		// Names of keys and words in any case.
		{"activeclient = a, default", "a", 2003, iface.Selector{}},
		{"ACTIVECLIENT = a, Default", "a", 2003, iface.Selector{}},
		{"ActiveClient = a, 2004, IFNAME=eth1", "a", 2004, eth1},
		// The port may be left out.
		{"ActiveClient = a", "a", 2003, iface.Selector{}},
		{"ActiveClient = a,", "a", 2003, iface.Selector{}},
		{"ActiveClient = a, ifname=eth1", "a", 2003, eth1},
		{"ActiveClient = a:2004", "a", 2004, iface.Selector{}},
		{"ActiveClient = a:2004, 2004", "a", 2004, iface.Selector{}},
		{"ActiveClient = a, ssh", "a", 22, iface.Selector{}},
		// IPv6.
		{"ActiveClient = 2001:db8::1, 2004", "2001:db8::1", 2004, iface.Selector{}},
		{"ActiveClient = [2001:db8::1], 2004", "2001:db8::1", 2004, iface.Selector{}},
		{"ActiveClient = [2001:db8::1]:2004", "2001:db8::1", 2004, iface.Selector{}},
		{"ActiveClient = 2001:0db8:0::0001", "2001:db8::1", 2003, iface.Selector{}},
		{"ActiveClient = fe80::1%eth0, 2004", "fe80::1%eth0", 2004, iface.Selector{}},
		{"ActiveClient = ::ffff:10.0.0.1", "10.0.0.1", 2003, iface.Selector{}},
		// Options, with spaces anywhere.
		{"ActiveClient = a,2004,ifname=eth1", "a", 2004, eth1},
		{"ActiveClient = a, 2004, ifname = eth1", "a", 2004, eth1},
		{"ActiveClient = a, 2004, ifname =eth1", "a", 2004, eth1},
		{"ActiveClient = a, 2004, ifname= eth1", "a", 2004, eth1},
		{"ActiveClient = a 2004 ifname\t=\teth1", "a", 2004, eth1},
		{"ActiveClient = a, 2004, ifaddr=10.0.0.0/8", "a", 2004, ten},
		{"ActiveClient = a, 2004, ifaddr = 10.0.0.0/8 ; ifname = eth1", "a", 2004, both},
		{"ActiveClient = a, 2004, ifname=eth1, ifaddr=10.0.0.0/8", "a", 2004, both},
		{`ActiveClient = a, 2004, ifname="Ethernet 2"`, "a", 2004, iface.Selector{Name: "Ethernet 2"}},
		{`ActiveClient = a, ifname={4D36E972-E325-11CE-BFC1-08002BE10318}`, "a", 2003, iface.Selector{Name: "{4D36E972-E325-11CE-BFC1-08002BE10318}"}},
		{`ActiveClient = a, ifname=\Device\NPF_{4D36E972-E325-11CE-BFC1-08002BE10318}`, "a", 2003, iface.Selector{Name: `\Device\NPF_{4D36E972-E325-11CE-BFC1-08002BE10318}`}},
		{`ActiveClient = a, ifname="vEthernet (Größe, x)"`, "a", 2003, iface.Selector{Name: "vEthernet (Größe, x)"}},
		{`ActiveClient = a, 2004, ifname=\Device\NPF_{1E5A}`, "a", 2004, iface.Selector{Name: `\Device\NPF_{1E5A}`}},
		{"ActiveClient = a, 2004, ifname=br=1", "a", 2004, iface.Selector{Name: "br=1"}},
		{"ActiveClient = a, ifaddr=10.1.2.3", "a", 2003, iface.Selector{Net: netip.MustParsePrefix("10.1.2.3/32")}},
		{"ActiveClient = a, ifaddr=0.0.0.0/0", "a", 2003, iface.Selector{Net: netip.MustParsePrefix("0.0.0.0/0")}},
		{"ActiveClient = a, ifaddr=2001:db8::/64", "a", 2003, iface.Selector{Net: netip.MustParsePrefix("2001:db8::/64")}},
		{"ActiveClient = a, ifaddr=[2001:db8::5]/64", "a", 2003, iface.Selector{Net: netip.MustParsePrefix("2001:db8::/64")}},
		{"ActiveClient = a, ifaddr=::ffff:10.0.0.0/104", "a", 2003, ten},
		// Comments: after a blank, and glued to a word, as libpcap's agent reads it.
		{"ActiveClient = a, 2004 # the old one", "a", 2004, iface.Selector{}},
		{"ActiveClient = a, 2004\t# the old one, ifname=eth9", "a", 2004, iface.Selector{}},
		{"ActiveClient = a, 2004#old", "a", 2004, iface.Selector{}},
		{"ActiveClient = a, 2004, #old", "a", 2004, iface.Selector{}},
		{"ActiveClient = a, 2004, ifname=eth#1", "a", 2004, iface.Selector{Name: "eth#1"}},
		{"ActiveClient = a, 2004, ifname=eth1 # not eth9", "a", 2004, eth1},
		// Quotation marks around all of it.
		{`ActiveClient = "a, 2004"`, "a", 2004, iface.Selector{}},
	}
	for _, tt := range tests {
		got := target(t, tt.line)
		want := Target{Line: 2, Host: tt.host, Port: tt.port, Select: tt.sel, Fanout: 1}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.line, got, want)
		}
	}
	if got := target(t, "ActiveClient = a, 2004, ifname=eth1, fanout = 4"); got.Fanout != 4 || !reflect.DeepEqual(got.Select, eth1) {
		t.Errorf("fanout: got %+v", got)
	}
}

func TestActiveClientErrors(t *testing.T) {
	tests := []struct{ line, want string }{
		{"ActiveClient = a, 2003, ifnmae=eth1", `unknown option "ifnmae"; did you mean ifname?`},
		{"ActiveClient = a, 2003, ifadr=10.0.0.0/8", `unknown option "ifadr"; did you mean ifaddr?`},
		{"ActiveClient = a, 2003, colour=red", `unknown option "colour"; known: ifname, ifaddr, fanout`},
		{"ActiveClient = a, 2003, eth1", `unknown option "eth1"; an option is written NAME=VALUE`},
		{"ActiveClient = a, 2003 ; to the HQ", `unknown option "to"; an option is written NAME=VALUE, a comment begins with #`},
		{"ActiveClient = a, 2003, =eth1", `unknown option ""; `},
		{"ActiveClient = a, 2003, ifaddr=10.0.0.0/33", `x.ini:2: ifaddr "10.0.0.0/33": prefix longer than 32 bits`},
		{"ActiveClient = a, 2003, ifaddr=2001:db8::/129", `ifaddr "2001:db8::/129": prefix longer than 128 bits`},
		{"ActiveClient = a, 2003, ifaddr=10.0.0.0/255.255.0.0", `ifaddr "10.0.0.0/255.255.0.0": write the length of the prefix, /16`},
		{"ActiveClient = a, 2003, ifaddr=10.0.0.0/x", `ifaddr "10.0.0.0/x": the length of the prefix is a number of 0 to 32`},
		{"ActiveClient = a, 2003, ifaddr=10.0.0.0/-1", `the length of the prefix is a number of 0 to 32`},
		{"ActiveClient = a, 2003, ifaddr=host.example.com", `names are not resolved`},
		{"ActiveClient = a, 2003, ifaddr=fe80::1%eth0", `remove the %eth0`},
		{"ActiveClient = a, 2003, ifname=", "ifname: no value"},
		{"ActiveClient = a, 2003, ifname=, ifaddr=10.0.0.0/8", "ifname: no value"},
		{"ActiveClient = a, 2003, ifname= ifaddr=10.0.0.0/8", "ifname: no value"},
		{"ActiveClient = a, 2003, ifname eth1", "ifname: no = after it"},
		{"ActiveClient = a, 2003, ifname=" + strings.Repeat("e", 255), "longer than 254 bytes"},
		{`ActiveClient = a, 2003, ifname="eth1`, "no quotation mark at the end"},
		{`ActiveClient = a, 2003, ifname=et"h1`, "quotation marks stand around a name"},
		{"ActiveClient = a, 2003, fanout=0", `fanout "0": write a number of sessions, 1 to 64`},
		{"ActiveClient = a, 2003, fanout=65", `fanout "65"`},
		{"ActiveClient = a, 0", `port "0": write a number of 1 to 65535, or DEFAULT for 2003`},
		{"ActiveClient = a, 65536", `port "65536"`},
		{"ActiveClient = a, -1", `port "-1"`},
		{"ActiveClient = a, 2003x", `port "2003x"`},
		{"ActiveClient = a, eth1-is-no-service", "no such service is known here"},
		{"ActiveClient = a:2003, 2004", "two ports, 2003 and 2004; write one"},
		{"ActiveClient = a:", "no port after the colon"},
		{"ActiveClient = ,", "no host; write HOST, PORT"},
		{"ActiveClient = ifname=eth1", "no host; write HOST, PORT"},
		{"ActiveClient = 10.0.0.256, 2003", `host "10.0.0.256": not an IPv4 address`},
		{"ActiveClient = 2003", `host "2003": not an IPv4 address`},
		{"ActiveClient = 10.0.0.0/8, 2003", `host "10.0.0.0/8": write one address or name`},
		{"ActiveClient = http://a/, 2003", "host"},
		{"ActiveClient = 2001:db8::g, 2003", `host "2001:db8::g": not an IPv6 address`},
		{"ActiveClient = [2001:db8::1, 2003", `no ] after the IPv6 address`},
		{"ActiveClient = [10.0.0.1], 2003", `not an IPv6 address within the brackets`},
		{"ActiveClient = [2001:db8::1]2003", "only :PORT may follow the brackets"},
		{"ActiveClient = fe80::1, 2003", `as in fe80::1%eth0`},
		{"ActiveClient = 0.0.0.0, 2003", "no sensor can have this address"},
		{"ActiveClient = 224.0.0.1, 2003", "no sensor can have this address"},
		{"ActiveClient = -a.example.com", "begins or ends with -"},
		{"ActiveClient = a..example.com", "a part between dots is empty"},
		{"ActiveClient = " + strings.Repeat("a", 64), "longer than 63 letters"},
		{"ActiveClient = " + strings.Repeat("a.", 130) + "a", "longer than 253 letters"},
		{"ActiveClient = sénsor", "xn--"},
		{"ActiveClient = a!b", `'!' is not allowed in one`},
		{"ActiveClient =", "ActiveClient: empty value"},
		{"ActiveClient = # 10.0.0.1, 2003", "ActiveClient: empty value"},
		{"ActiveClient 10.0.0.1, 2003", "ActiveClient: no = after it; write ActiveClient = VALUE"},
		{"ActiveClient: 10.0.0.1, 2003", "ActiveClient: no = after it"},
	}
	for _, tt := range tests {
		_, problems := ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+tt.line+"\n"))
		if len(problems) != 1 || problems[0].Warning || problems[0].Line != 2 || !strings.Contains(problems[0].String(), tt.want) {
			t.Errorf("%q:\n got %v\nwant one error on line 2 with %q", tt.line, problems, tt.want)
		}
	}
}

// A line with an unknown option is an error and comes back disabled; one that is bad
// otherwise does not come back.
func TestUnknownOptionDisablesLine(t *testing.T) {
	a, problems := ParseAgent("x.ini", []byte("ActiveClient = a, 2003, ifnmae=eth1\nActiveClient = a, 99999, ifnmae=eth1\n"))
	if problems.Err() == nil {
		t.Fatal("no error")
	}
	if len(problems) != 3 {
		t.Errorf("problems %v, want 3: all that is wrong with a line is told", problems)
	}
	if len(a.Targets) != 1 || a.Targets[0].Line != 1 || !strings.Contains(a.Targets[0].Disabled, "did you mean ifname?") {
		t.Errorf("targets %+v", a.Targets)
	}
}

func TestActiveClientWarnings(t *testing.T) {
	a, problems := ParseAgent("x.ini", []byte("NullAuthPermit=1\nActiveClient = a, ifname=eth1, ifname=eth2\nActiveClient = A, 2003, ifname=eth2\n"))
	if problems.Err() != nil || len(problems) != 2 || len(a.Targets) != 2 {
		t.Fatalf("targets %v, problems %v", a.Targets, problems)
	}
	if a.Targets[0].Select.Name != "eth2" {
		t.Errorf("selected %q, want the last one", a.Targets[0].Select.Name)
	}
	for i, want := range []string{"ifname is given twice, eth2 counts", "the same as line 2"} {
		if !problems[i].Warning || !strings.Contains(problems[i].Text, want) {
			t.Errorf("problem %d: %v, want a warning with %q", i, problems[i], want)
		}
	}
}

// What is good as it stands and can hardly be meant.
func TestActiveClientDoubts(t *testing.T) {
	for line, want := range map[string]string{
		"ActiveClient = a, ifaddr=10.1.2.3/8":             "ifaddr 10.1.2.3/8 means the whole network 10.0.0.0/8; write that, or 10.1.2.3 for the one address",
		"ActiveClient = a, ifaddr=2001:db8::5/32":         "ifaddr 2001:db8::5/32 means the whole network 2001:db8::/32",
		"ActiveClient = a, ifname=*":                      "ifname *: this is every interface of the host, with loopback",
		"ActiveClient = a, ifname=*?, fanout = 2":         "each that comes later",
		"ActiveClient = a, ifaddr=10.0.0.0/8/10.1.0.0/16": "ifaddr: 10.1.0.0/16 lies within 10.0.0.0/8; remove one of them",
		"ActiveClient = a, ifaddr=10.1.2.3/8/fd00::/8":    "ifaddr 10.1.2.3/8 means the whole network",
	} {
		a, problems := ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+line+"\n"))
		if len(problems) != 1 || !problems[0].Warning || problems[0].Line != 2 || !strings.Contains(problems[0].Text, want) || len(a.Targets) != 1 {
			t.Errorf("%q: %v", line, problems)
		}
	}
	a, _ := ParseAgent("x.ini", []byte("ActiveClient = a, ifaddr=10.1.2.3/8\n"))
	if got := a.Targets[0].Select.Net.String(); got != "10.0.0.0/8" {
		t.Errorf("network %s", got)
	}
}

func TestMoreThanTenLines(t *testing.T) {
	var text strings.Builder
	text.WriteString("NullAuthPermit = YES\n")
	for i := range 300 {
		fmt.Fprintf(&text, "ActiveClient = 10.0.%d.%d, 2003\n", i/200, i%200+1)
	}
	a, problems := ParseAgent("x.ini", []byte(text.String()))
	if len(problems) > 0 || len(a.Targets) != 300 {
		t.Fatalf("%d targets, problems %v", len(a.Targets), problems)
	}
	for i, x := range a.Targets {
		if x.Line != i+2 {
			t.Fatalf("target %d is said to be on line %d", i, x.Line)
		}
	}
}

// Two equal lines are two sessions, as in the C agent: the library must not merge them.
func TestEqualLinesAreKept(t *testing.T) {
	a, _ := ParseAgent("x.ini", []byte("ActiveClient = a\n# between\nActiveClient = a\n"))
	if len(a.Targets) != 2 || a.Targets[0].Line != 1 || a.Targets[1].Line != 3 {
		t.Errorf("targets %+v", a.Targets)
	}
}

func TestParseTargets(t *testing.T) {
	tests := []struct {
		value string
		want  []string // String of each
	}{
		{"10.0.0.1,2003", []string{"10.0.0.1, 2003"}},
		{"10.0.0.1", []string{"10.0.0.1, 2003"}},
		{"a,DEFAULT,b,2004", []string{"a, 2003", "b, 2004"}},
		{"a,2004,b", []string{"a, 2004", "b, 2003"}},
		{"a 2004;b,\t2005", []string{"a, 2004", "b, 2005"}},
		{"[2001:db8::1]:2004,b", []string{"2001:db8::1, 2004", "b, 2003"}},
		{"a:2004,b:2005", []string{"a, 2004", "b, 2005"}},
	}
	for _, tt := range tests {
		list, err := ParseTargets(tt.value)
		if err != nil {
			t.Errorf("%q: %v", tt.value, err)
			continue
		}
		var got []string
		for _, x := range list {
			got = append(got, x.String())
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.value, got, tt.want)
		}
	}
	for value, want := range map[string]string{
		"":                    "write HOST,PORT",
		"a,b,2003":            "each host but the last needs its port",
		"a,2003,ifname=eth1":  "cannot be given here; use -i",
		"10.0.0.1,0":          `port "0"`,
		"10.0.0.1,2003,1.2.3": `host "1.2.3": not an IPv4 address`,
	} {
		if _, err := ParseTargets(value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", value, err, want)
		}
	}
}

func TestTargetKey(t *testing.T) {
	same := [][2]string{
		{"a, 2003", "A"},
		{"2001:db8::1", "[2001:db8:0::1], DEFAULT"},
		{"a, ifaddr=[2001:db8::]/32", "a, 2003, ifaddr = 2001:db8::/32"},
	}
	for _, s := range same {
		if x, y := target(t, "ActiveClient="+s[0]), target(t, "ActiveClient="+s[1]); x.Key() != y.Key() {
			t.Errorf("%q and %q have keys %q and %q", s[0], s[1], x.Key(), y.Key())
		}
	}
	seen := make(map[string]string)
	for _, line := range []string{"a", "b", "a, 2004", "a, ifname=eth0", "a, ifname=eth1", "a, ifaddr=10.0.0.0/8", "a, ifaddr=10.0.0.0/9", "a, ifname=eth0, ifaddr=10.0.0.0/8"} {
		key := target(t, "ActiveClient="+line).Key()
		if other, dup := seen[key]; dup {
			t.Errorf("%q and %q have the same key %q", line, other, key)
		}
		seen[key] = line
	}
}
