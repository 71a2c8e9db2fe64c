package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func prefixes(words ...string) (list []netip.Prefix) {
	for _, w := range words {
		list = append(list, netip.MustParsePrefix(w))
	}
	return list
}

func TestSensorFile(t *testing.T) {
	const text = `# sensor
Listen = 192.0.2.1
Alias = 10.0.0.5, web1
Alias = 2001:db8::5 "web 2"

[rule web.front]
Port = 2010
Address = 192.168.4.0/24, 10.0.0.9
Interface = eth*, ens5
Filter = tcp port 443 and host 10.0.0.1 # only the front end
Snaplen = 128
Promiscuous = yes
Sampling = 1/10
Transport = TCP
AllowAgents = 10.0.0.0/8 2001:db8::/32
User = alice
Password = "a # b, c "

[ Rule  rest ]
sampling = 10 ms

[DATA]
FirstPort = 3000
Ports = 4
[output]
File = -
`
	got, problems := ParseSensor("s.ini", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := Sensor{
		Listen:  netip.MustParseAddr("192.0.2.1"),
		Aliases: map[netip.Addr]string{netip.MustParseAddr("10.0.0.5"): "web1", netip.MustParseAddr("2001:db8::5"): "web 2"},
		Rules: []Rule{
			{
				Name: "web.front", Line: 6, Port: 2010, Addresses: prefixes("192.168.4.0/24", "10.0.0.9/32"),
				Interfaces: []string{"eth*", "ens5"}, Filter: "tcp port 443 and host 10.0.0.1", Snaplen: 128, Promiscuous: true,
				Sampling: Sampling{OneIn: 10}, TCP: true, AllowAgents: prefixes("10.0.0.0/8", "2001:db8::/32"),
				User: "alice", Password: "a # b, c ",
			},
			{Name: "rest", Line: 19, Port: 2003, Sampling: Sampling{Interval: 10 * time.Millisecond}},
		},
		Data:   DataPorts{First: 3000, Count: 4},
		Output: Output{File: "-"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%#v\nwant\n%#v", got, want)
	}
	for _, text := range []string{fmt.Sprint(got.Rules), fmt.Sprintf("%+v %#v", got.Rules[0], got.Rules[0])} {
		if strings.Contains(text, "a # b") {
			t.Errorf("prints the password: %s", text)
		}
	}
}

func TestSensorDefaults(t *testing.T) {
	got, problems := ParseSensor("s.ini", nil)
	want := Sensor{Rules: []Rule{{Name: "default", Port: 2003}}, Data: DataPorts{First: 2003, Count: 32}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Text, "every agent is accepted on port 2003") {
		t.Errorf("problems %v", problems)
	}
}

// No section inherits from another, whatever its name.
func TestRulesDoNotInherit(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("[rule a]\nInterface=eth0\nSnaplen=64\nFilter = `x\n[rule a.b]\nPort=2004\n[rule c]\n"))
	if len(problems) > 0 || len(got.Rules) != 3 || got.Rules[1].Snaplen != 0 || got.Rules[2].Port != 2003 || got.Rules[0].Filter != "`x" {
		t.Errorf("got %+v, problems %v", got.Rules, problems)
	}
}

func TestSensorProblems(t *testing.T) {
	const rule = "[rule a]\n"
	tests := []struct {
		text    string
		line    int
		warning bool
		want    string
	}{
		{rule + "Port = 0", 2, false, `Port "0"`},
		{rule + "Port = 70000", 2, false, "70000"},
		{rule + "Port = 1023", 2, false, "ports up to 1023 are the system's"},
		{rule + "Port = 80", 2, false, "choose one above, such as 2003"},
		{rule + "Address = 10.0.0.0/33", 2, false, `Address "10.0.0.0/33": prefix longer than 32 bits`},
		{rule + "Address = ,", 2, false, "write addresses or networks"},
		{rule + "AllowAgents = example.com", 2, false, "names are not resolved"},
		{rule + "Interface = eth[", 2, false, `Interface "eth[": the pattern has no end`},
		{rule + "Snaplen = 300000", 2, false, "1 to 262144"},
		{rule + "Promiscuous = perhaps", 2, false, "write YES or NO"},
		{rule + "Sampling = 0.5", 2, false, "write 1/N"},
		{rule + "Sampling = 1/0", 2, false, "write 1/N"},
		{rule + "Sampling = 1/4294967296", 2, false, "write 1/N"},
		{rule + "Sampling = 10us", 2, false, "write 1/N"},
		{rule + "Sampling = 2000000h", 2, false, "write 1/N"},
		{rule + "Transport = sctp", 2, false, "write udp or tcp"},
		{rule + "Password = x", 2, false, "rule a has a Password and no User"},
		{rule + "Snaplen = 96\nUser = x", 3, false, "rule a has a User and no Password"},
		{rule + "Password = " + strings.Repeat("x", 65536), 2, false, "Password is longer than 65535 bytes"},
		{rule + "Port", 2, false, "Port: no = after it"},
		{rule + "Port =", 2, false, "Port: empty value"},
		{rule + "Ports = 3", 2, false, `key "Ports" has no meaning here; it belongs in the section [data]`},
		{rule + "Alias = 10.0.0.1, a", 2, false, "it belongs before the first section"},
		{rule + "Adress = 10.0.0.1", 2, false, "Adress: unknown key (did you mean Address?)"},
		{"Lenient = yes\n" + rule, 1, false, "Lenient: unknown key"},
		{rule + "AllowAgnts = 10.0.0.0/8", 2, false, "AllowAgnts: unknown key (did you mean AllowAgents?)"},
		{"[rul web]\nAllowAgents = 10.0.0.1\n", 1, false, "[rul]: unknown section (did you mean rule?)"},
		{rule + "Filter = \"\"", 2, false, "Filter: empty value"},
		{rule + "Filter = \"  \" # none", 2, false, "Filter: empty value"},
		{rule + "AllowAgents = \"\"", 2, false, "AllowAgents: empty value"},
		{rule + "Interface = eth1\u200b", 2, false, "U+200B (zero width space) in column 17"},
		{rule + "User = x\nPassword = \"a\u00a0b\"", 3, true, "Password: the invisible character U+00A0 (no-break space) in column 14 is a part of it"},
		{rule + "User = x\nPassword = a\u00a0b", 3, false, "s.ini:3: Password: the invisible character U+00A0 (no-break space) in column 13; type"},
		{rule + "[tap]\n[tap x]\nMTU = 1500\nInterface = rpcap0", 5, false, "so has that of line 2"},
		{"[file]\nSync = never\nPath = a\nKeep = 2\n" + rule, 4, false, "has Keep or KeepBytes"},
		{"[pcap-over-ip]\nFormat = pcapng\nLinkType = RAW\n" + rule, 3, false, "has a LinkType"},
		{"[http]\nListen = 127.0.0.1\nKey = x\n" + rule, 3, false, "only one of Certificate and Key"},
		{rule + "[data]\nPorts = 1\n[Data]\nFirstPort = 1024", 4, true, "[data] is already on line 2; their keys are taken together"},
		{rule + "[tap]\n[tap]", 3, false, "give this one a name, as in [tap 2]"},
		{rule + rule, 2, false, "section [rule a] is already on line 1"},
		{"Port = 2003\n" + rule, 1, false, "it belongs in a section [rule NAME]"},
		{"[rule]\n" + rule, 1, false, "no name; write [rule NAME]"},
		{"[rule b\n" + rule, 1, false, "no ] at the end"},
		{"[data] x\n" + rule, 1, false, "nothing may follow the ]"},
		{"[data x]\n" + rule, 1, false, "write [data]"},
		{"[dota]\nPorts=x\n" + rule, 1, false, "[dota]: unknown section (did you mean data?)"},
		{"[http]\nListen = :80\n" + rule, 2, true, "listens on :80 and asks for no password"},
		{"[PCAP-over-IP]\nListen = :80\n" + rule, 2, true, "accepts everybody"},
		{"Listen = :2003\n" + rule, 1, false, "write the one address to listen on"},
		{"Alias = web1\n" + rule, 1, false, "write ADDRESS, NAME"},
		{"Alias = 10.0.0.1 a\nAlias = 10.0.0.1 b\n" + rule, 2, true, `10.0.0.1 has the name "a" already`},
		{"[data]\nPorts = 65\n" + rule, 2, false, "write a number of 1 to 64"},
		{"[data]\nPorts = 0\n" + rule, 2, false, "write a number of 1 to 64"},
		{"[data]\nFirstPort = 65530\nPorts = 7\n" + rule, 3, false, "7 ports from 65530 on go beyond 65535"},
	}
	for _, tt := range tests {
		_, problems := ParseSensor("s.ini", []byte(tt.text))
		if len(problems) != 1 || problems[0].Line != tt.line || problems[0].Warning != tt.warning || !strings.Contains(problems[0].String(), tt.want) {
			t.Errorf("%.60q:\n got %.300v\nwant one problem on line %d, warning %v, with %q", tt.text, problems, tt.line, tt.warning, tt.want)
		}
	}
}

func TestLoadSensorWarnsOfReadablePassword(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	path := filepath.Join(t.TempDir(), "s.ini")
	if err := os.WriteFile(path, []byte("[rule a]\nUser = u\nPassword = p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := LoadSensor(path); err != nil || len(problems) > 0 {
		t.Errorf("0600: %v, %v", problems, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := LoadSensor(path); err != nil || problems.Err() != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, "every user can read it") {
		t.Errorf("0644: %v, %v", problems, err)
	}
}
