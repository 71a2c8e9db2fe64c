package config

import (
	"strings"
	"testing"
)

func TestSensorDoubts(t *testing.T) {
	const rules = "Alias = 10.0.0.5, web1\n[rule dmz]\nPort = 2003\nAllowAgents = 10.0.0.0/8\n[rule rest]\nPort = 2004\n"
	for _, tt := range []struct {
		text string
		line int // 0: nothing to be said
		want string
	}{
		{"[file]\nPath = /x/%s\nRules = dnz\n", 9, `Rules "dnz": no rule has this name (did you mean dmz?)`},
		{"[file]\nPath = /x/%s\nRules = DMZ\n", 9, `did you mean dmz?`},
		{"[file]\nPath = /x/%s\nRules = [dmz]\n", 9, `no rule has this name`},
		{"[file]\nPath = /x/%s\nRules = d*, rest\n", 0, ""},
		{"[tap]\nAgents = wbe1\n", 8, `Agents "wbe1": no Alias has this name (did you mean web1?)`},
		{"[tap]\nAgents = dns*\n", 8, `Agents "dns*": no Alias has this name`},
		{"[tap]\nAgents = web*, 10.1.*, 10.0.0.7, 2001:db8::/32, fe80*\n", 0, ""},
		{"[tap]\nAgents = 10.0.0.7/8\n", 8, "Agents 10.0.0.7/8 means the whole network 10.0.0.0/8; write that, or 10.0.0.7 for the one address"},
		{"[pcap-over-ip]\nAllowClients = 10.0.0.7/8; 11.0.0.0/8\n", 8, "AllowClients 10.0.0.7/8 means the whole network"},
		{"[rule x]\nPort = 2005\nAllowAgents = 10.0.0.5/8\n", 9, "AllowAgents 10.0.0.5/8 means the whole network 10.0.0.0/8"},
		{"[rule x]\nPort = 2005\nAddress = 2001:db8::1/32 10.0.0.5/32\n", 9, "Address 2001:db8::1/32 means the whole network 2001:db8::/32"},
		{"[rule x]\nPort = 2005\nInterface = eth*, !eth1\n", 9, `Interface "!eth1": this is taken as a name and excludes nothing`},
		{"[rule x]\nPort = 2005\nInterface = -eth1\n", 9, `Interface "-eth1": this is taken as a name`},
		{"[rule x]\nPort = 2005\nInterface = veth-1, eth[!0]\n", 0, ""},
	} {
		_, problems := ParseSensor("s.ini", []byte(rules+tt.text))
		if tt.line == 0 {
			if len(problems) > 0 {
				t.Errorf("%q: %v", tt.text, problems)
			}
			continue
		}
		if len(problems) != 1 || !problems[0].Warning || problems[0].Line != tt.line || !strings.Contains(problems[0].Text, tt.want) {
			t.Errorf("%q:\n got %v\nwant a warning on line %d with %q", tt.text, problems, tt.line, tt.want)
		}
	}
}

func TestUnreachableRules(t *testing.T) {
	for _, tt := range []struct {
		first, later string
		reached      bool
	}{
		{"", "", false},
		{"", "Interface = eth1", false},
		{"", "AllowAgents = 10.0.0.0/8", false},
		{"Interface = eth*", "Interface = eth1, eth2", false},
		{"Interface = *", "Address = 10.0.0.0/8", false},
		{"Address = 10.0.0.0/8", "Address = 10.1.0.0/16, 10.2.0.1", false},
		{"AllowAgents = 10.0.0.0/8", "AllowAgents = 10.0.0.0/16", false},
		{"AllowAgents = 10.0.0.0/8\nInterface = eth0\nUser = a\nPassword = b", "AllowAgents = 10.0.0.1", false}, // the agent is given the first password only
		{"Port = 2004", "", true},
		{"Interface = eth1", "", true},
		{"Interface = eth1", "Interface = eth*", true},
		{"Interface = eth*", "Interface = eth1, ens1", true},
		{"Address = 10.0.0.0/8", "Address = 10.0.0.0/7", true},
		{"Address = 10.0.0.0/8", "Address = 2001:db8::/32", true},
		{"AllowAgents = 10.0.0.0/16", "AllowAgents = 10.0.0.0/8", true},
		{"AllowAgents = 10.0.0.0/16", "", true},
		{"Interface = eth0\nUser = a\nPassword = b\nAllowAgents = 10.0.0.0/8", "Interface = eth1", true},
	} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n"+tt.first+"\n[rule b]\n"+tt.later+"\n"))
		warned := len(problems) == 1 && problems[0].Warning && strings.Contains(problems[0].Text, "rule b is never used: rule a on line 1")
		if warned == tt.reached || tt.reached && len(problems) > 0 {
			t.Errorf("%q, then %q: %v", tt.first, tt.later, problems)
		}
	}
}
