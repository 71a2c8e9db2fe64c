package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"rpcapd/iface"
)

func TestSelectsSeveral(t *testing.T) {
	for _, c := range []struct{ options, name, names, networks string }{
		{"ifname=eth0", "eth0", "", ""},
		{"ifname=eth*", "", "eth*", ""},
		{"ifname=eth0/eth1", "", "eth0 eth1", ""},
		{"ifname=eth*/!eth9/lo", "", "eth* !eth9 lo", ""},
		{"ifname=!lo", "", "!lo", ""},
		{"ifname=eth[0-3]", "", "eth[0-3]", ""},
		{"ifname=eth?", "", "eth?", ""},
		{"ifname=eth0/eth0/eth1", "", "eth0 eth1", ""},
		{`ifname="Ethernet 2"`, "Ethernet 2", "", ""},
		{`ifname="Ethernet 2/Wi-Fi"`, "", "Ethernet 2|Wi-Fi", ""},
		{`ifname="Ethernet 2 / Wi-Fi *"`, "", "Ethernet 2|Wi-Fi *", ""},
		{`ifname="Ethernet 2"/"Wi-Fi 1"/eth*`, "", "Ethernet 2|Wi-Fi 1|eth*", ""},
		{`ifname=eth*/!"Ethernet 2"`, "", "eth*|!Ethernet 2", ""},
		{`ifname=\Device\NPF_{4D36E972}`, `\Device\NPF_{4D36E972}`, "", ""},
		{`ifname=\Device\NPF_*`, "", `\Device\NPF_*`, ""},
		{"ifaddr=10.0.0.0/8", "", "", "10.0.0.0/8"},
		{"ifaddr=10.0.0.0/8/192.168.0.0/16", "", "", "10.0.0.0/8/192.168.0.0/16"},
		{"ifaddr=10.0.0.1/10.0.0.2", "", "", "10.0.0.1/10.0.0.2"},
		{"ifaddr=10.0.0.1/fd00::/8/192.0.2.7", "", "", "10.0.0.1/fd00::/8/192.0.2.7"},
		{"ifaddr=[fd00::]/16/[fd01::1]", "", "", "fd00::/16/fd01::1"},
		{"ifname=eth*, ifaddr=10.0.0.0/8", "", "eth*", "10.0.0.0/8"},
		{"ifname=eth*, ifaddr=10.0.0.0/8/fd00::/8, fanout=2", "", "eth*", "10.0.0.0/8/fd00::/8"},
	} {
		got := target(t, "ActiveClient = a, "+c.options).Select
		sep := " "
		if strings.Contains(c.names, "|") {
			sep = "|"
		}
		if got.Name != c.name || strings.Join(got.Names, sep) != c.names || got.NetText() != c.networks {
			t.Errorf("%s: %+v", c.options, got)
		}
		if several := c.names != "" || strings.Count(c.networks, "/") > 1 || strings.Contains(c.networks, "1/10"); got.Many() != several {
			t.Errorf("%s: several is %v", c.options, got.Many())
		}
		again := target(t, "ActiveClient = "+target(t, "ActiveClient = a, "+c.options).String()).Select
		if !reflect.DeepEqual(again, got) {
			t.Errorf("%s: saved and read %+v", c.options, again)
		}
	}
}

// TestTyposDoNotWiden: what is left of a name or a variable is no pattern for all.
func TestTyposDoNotWiden(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"ActiveClient = a, ifname=eth*/", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifname=/eth0", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifname=eth0//eth1", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifname=/", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifname=!", "nothing stands behind a !"},
		{"ActiveClient = a, ifname=eth*/!", "nothing stands behind a !"},
		{"ActiveClient = a, ifname=!!lo", "two ! in succession"},
		{`ActiveClient = a, ifname="! lo"`, "a blank behind a !"},
		{"ActiveClient = a, ifname=! lo", "nothing stands behind a !"},
		{"ActiveClient = a, ifname=!*", "!* leaves out every interface"},
		{"ActiveClient = a, ifname=eth*/*", "* is every interface, whatever else the line names"},
		{"ActiveClient = a, ifname=eth *", `unknown option "*"`},
		{"ActiveClient = a, ifname=eth0/!eth0", "eth0 is left out by !eth0"},
		{"ActiveClient = a, ifname=eth0/!eth*", "eth0 is left out by !eth*"},
		{"ActiveClient = a, ifname=eth[0", "the pattern has no end"},
		{"ActiveClient = a, ifname=eth[0/1]", "the pattern has no end"},
		{"ActiveClient = a, ifname=" + strings.Repeat("e*/", 65) + "x*", ""},
		{"ActiveClient = a, ifname=" + names(65), "more than 64 names"},
		{"ActiveClient = a, ifname=x*/" + strings.Repeat("e", 255), "longer than 254 bytes"},
		{"ActiveClient = a, ifaddr=10.0.0.0/8/", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifaddr=10.0.0.0//8", "nothing stands before or behind a /"},
		{"ActiveClient = a, ifaddr=10.0.0.0/8/16", `"16": write an IPv4 or IPv6 address`},
		{"ActiveClient = a, ifaddr=10.0.0.0/8/eth0", `"eth0": write an IPv4 or IPv6 address`},
		{"ActiveClient = a, ifaddr=10.0.0.0/8/192.168.0.0/255.255.0.0", "write the length of the prefix, /16"},
		{"ActiveClient = a, ifaddr=!10.0.0.0/8", "only ifname can leave something out"},
		{"ActiveClient = a, ifaddr=10.0.0.0/8/!10.1.0.0/16", "only ifname can leave something out"},
		{"IgnoreInterfaces = docker0\nActiveClient = a, ifname=docker0", "ifname docker0: IgnoreInterfaces on line 2 leaves it out with docker0; remove one of the two"},
		{"IgnoreInterfaces = veth*\nActiveClient = a, ifname=veth7", "IgnoreInterfaces on line 2 leaves it out with"},
		{"IgnoreInterfaces = veth*\nActiveClient = a, ifname=eth0/veth*", "IgnoreInterfaces on line 2 leaves it out with"},
		{"IgnoreInterfaces = *\nActiveClient = a", "leaves out every interface"},
		{"IgnoreInterfaces = !eth0\nActiveClient = a", "write it without the !"},
		{"IgnoreInterfaces = docker0,, veth[\nActiveClient = a", "the pattern has no end"},
		{"MaxSessions = 0\nActiveClient = a, ifname=eth*", "write a number of 1 to 1024"},
		{"MaxSessions = 1\nActiveClient = a, ifname=eth*\nActiveClient = b\nActiveClient = c", "the lines with one interface make 2 sessions already"},
	} {
		_, problems := ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+c.lines+"\n"))
		if c.want == "" && problems.Err() != nil || c.want != "" && (problems.Err() == nil || !strings.Contains(problems.Err().Error(), c.want)) {
			t.Errorf("%q:\n got %v\nwant %q", c.lines, problems, c.want)
		}
	}
}

func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("e%d", i)
	}
	return strings.Join(list, "/")
}

func TestIgnoreInterfaces(t *testing.T) {
	a, problems := parseAgent("x.ini", []byte("NullAuthPermit = YES\nActiveClient = a, ifname=eth*\nIgnoreInterfaces = docker0, veth* # of containers\nIgnoreInterfaces = \"vEthernet (WSL)\"/br-*\tx\n"), nil)
	want := iface.Patterns{"docker0", "veth*", "vEthernet (WSL)", "br-*", "x"}
	if len(problems) > 0 || !reflect.DeepEqual(a.Ignore, want) {
		t.Errorf("%q, %v", a.Ignore, problems)
	}
	if _, problems = ParseAgent("x.ini", []byte("NullAuthPermit = YES\nActiveClient = a\nIgnoreInterfaces = Ethernet 2\n")); len(problems) != 1 || !strings.Contains(problems[0].Text, "quotation marks") {
		t.Errorf("a name with a blank: %v", problems)
	}
	if p := a.CheckInterface("x.ini", iface.Selector{Name: "veth1"}); len(p) != 1 || p[0].Line == 0 || !strings.Contains(p[0].Text, `leaves out with "veth*" what -i names, veth1`) {
		t.Errorf("-i veth1: %v", p)
	}
	if p := a.CheckInterface("x.ini", iface.Selector{Name: "eth1"}); p != nil {
		t.Errorf("-i eth1: %v", p)
	}
}

func TestMaxSessionsDoubts(t *testing.T) {
	for lines, want := range map[string]string{
		"MaxSessions = 5\nActiveClient = a":                                      "MaxSessions has no effect",
		"ActiveClient = a, fanout=64\nActiveClient = b, ifname=eth*":             "so MaxSessions = 64 leaves none for those with a pattern",
		"MaxSessions = 2\nActiveClient = a, fanout=2\nActiveClient=b,ifname=!lo": "so MaxSessions = 2 leaves none",
	} {
		_, problems := ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+lines+"\n"))
		if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%q: %v", lines, problems)
		}
	}
}

// FuzzInterface: a value means one interface of exactly that name, or patterns none of which is empty or for all beside others,
// and what is saved means the same. So no typo means more than it shows.
func FuzzInterface(f *testing.F) {
	for _, s := range []string{"eth0", "eth*/!lo", "!", "a//b", `"x y"/z`, "[!a]*", "*", "a/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s, warnings, err := ParseInterface(value)
		if err != nil || value == "" {
			return
		}
		if s.IsZero() || s.Name != "" && (s.Name != value || s.Many()) {
			t.Fatalf("%q means %+v", value, s)
		}
		stranger := &iface.Interface{Name: "\x01 a name that nobody has written \x02"}
		only := true
		for _, name := range s.Names {
			only = only && strings.HasPrefix(name, "!")
			if strings.Trim(name, "! \t") == "" {
				t.Fatalf("%q has an empty name: %q", value, s.Names)
			}
		}
		if s.Matches(stranger) && !only && !strings.ContainsAny(value, "*") {
			t.Fatalf("%q means an interface that has nothing to do with it", value)
		}
		if everything := s.Matches(stranger) && s.Matches(&iface.Interface{Name: "lo"}) && s.Matches(&iface.Interface{Name: "e"}); everything && !only && len(warnings) == 0 && !strings.Contains(value, "[") && strings.Trim(value, "*?/") == "" {
			t.Fatalf("%q means everything, and nobody is warned", value)
		}
	})
}
