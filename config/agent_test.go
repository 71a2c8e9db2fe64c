package config

import (
	"reflect"
	"strings"
	"testing"
)

const someHash = "$2a$11$abcdefghijklmnopqrstuuJv0Zr2yXUTXU9m1u9cgj8y1b7k1d3bK"

// agent parses a file that must have no problem at all.
func agent(t *testing.T, text string) Agent {
	t.Helper()
	a, problems := ParseAgent("x.ini", []byte(text))
	if len(problems) > 0 {
		t.Fatalf("%q: problems %v", text, problems)
	}
	return a
}

// What the two installers of the C agent write.
func TestInstallersForms(t *testing.T) {
	for _, text := range []string{
		"ActiveClient = 203.0.113.9,2003\nNullAuthPermit = YES\n",
		"ActiveClient = 203.0.113.9, 2003\r\n\r\nNullAuthPermit = YES\r\n",
	} {
		a := agent(t, text)
		if len(a.Targets) != 1 || a.Targets[0].Address() != "203.0.113.9:2003" || !a.NullAuth {
			t.Errorf("%q: got %+v", text, a)
		}
	}
}

func TestAgentKeys(t *testing.T) {
	tests := []struct {
		line string
		want func(*Agent)
	}{
		{"NullAuthPermit = YES", func(a *Agent) { a.NullAuth = true }},
		{"nullauthpermit=yes", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = \"YES\"", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = YES # for the lab", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = on", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = True", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = 1", func(a *Agent) { a.NullAuth = true }},
		{"NullAuthPermit = NO", func(*Agent) {}},
		{"NullAuthPermit = NO # YES", func(*Agent) {}},
		{"NullAuthPermit = off", func(*Agent) {}},
		{"NullAuthPermit = 0", func(*Agent) {}},
		{"OnClose = reconnect", func(*Agent) {}},
		{"OnClose = Stop", func(a *Agent) { a.OnClose = CloseStop }},
		{"Sampling = obey", func(*Agent) {}},
		{"Sampling = ignore", func(a *Agent) { a.IgnoreSampling = true }},
		{"Promiscuous = allow", func(*Agent) {}},
		{"Promiscuous = NEVER", func(a *Agent) { a.NoPromiscuous = true }},
		{"MaxSnaplen = 128", func(a *Agent) { a.MaxSnaplen = 128 }},
		{"MaxSnaplen = 262144", func(a *Agent) { a.MaxSnaplen = 262144 }},
		{"MaxSnaplen = 0", func(*Agent) {}},
		{"MaxRate = 100M", func(a *Agent) { a.MaxRate = 100_000_000 }},
		{"MaxRate = 1.5 Gbit/s", func(a *Agent) { a.MaxRate = 1_500_000_000 }},
		{"MaxRate = 500k", func(a *Agent) { a.MaxRate = 500_000 }},
		{"MaxRate = 64000", func(a *Agent) { a.MaxRate = 64000 }},
		{"MaxRate = 10 Mbps", func(a *Agent) { a.MaxRate = 10_000_000 }},
		{"MaxRate = 0", func(*Agent) {}},
		{"MaxCPU = 50", func(a *Agent) { a.MaxCPU = 50 }},
		{"MaxCPU = 50 %", func(a *Agent) { a.MaxCPU = 50 }},
		{"MaxCPU = 250%", func(a *Agent) { a.MaxCPU = 250 }},
		{"MaxCPU = 0", func(*Agent) {}},
		{"Driver = pcap", func(*Agent) {}},
		{"Driver = Raw", func(a *Agent) { a.RawDriver = true }},
		{"DataPorts = 1-65535", func(a *Agent) { a.DataPorts = PortRange{1, 65535} }},
		{"DataPorts = 2003 - 2066", func(a *Agent) { a.DataPorts = PortRange{2003, 2066} }},
		{"DataPorts = 2003", func(a *Agent) { a.DataPorts = PortRange{2003, 2003} }},
		{"Lenient = yes", func(a *Agent) { a.Lenient = true }},
		{"User = rpcapd", func(a *Agent) { a.User = "rpcapd" }},
	}
	for _, tt := range tests {
		got, problems := ParseAgent("x.ini", []byte(tt.line))
		for _, p := range problems {
			if p.Line != 0 { // the missing ActiveClient line is of no interest here
				t.Errorf("%q: %v", tt.line, p)
			}
		}
		want := Agent{nullAuthSet: got.nullAuthSet}
		tt.want(&want)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.line, got, want)
		}
	}
}

func TestAgentKeyErrors(t *testing.T) {
	tests := []struct{ line, want string }{
		{"NullAuthPermit = YESSIR", `x.ini:1: NullAuthPermit "YESSIR": write YES or NO`},
		{"NullAuthPermit =", "NullAuthPermit: empty value"},
		{"OnClose = redial", `OnClose "redial": write reconnect or stop`},
		{"Sampling = maybe", `Sampling "maybe": write obey or ignore`},
		{"Promiscuous = yes", `Promiscuous "yes": write allow or never`},
		{"MaxSnaplen = 262145", `MaxSnaplen "262145": write a number of bytes, 1 to 262144`},
		{"MaxSnaplen = -1", "MaxSnaplen"},
		{"MaxSnaplen = 0x40", "MaxSnaplen"},
		{"MaxRate = 100", "less than 64000 bits per second; 100M is 100 megabits"},
		{"MaxRate = 10MB/s", "in bits per second, not in bytes"},
		{"MaxRate = M", "write bits per second"},
		{"MaxRate = 1e9", "write bits per second"},
		{"MaxRate = 1..5G", "write bits per second"},
		{"MaxRate = -5M", "write bits per second"},
		{"MaxRate = inf", "write bits per second"},
		{"MaxRate = 99999999999T", "write bits per second"},
		{"Driver = npcap", "write pcap or raw"},
		{"MaxCPU = half", "write a percentage of one core"},
		{"MaxCPU = -1", "write a percentage of one core"},
		{"MaxCPU = 10001", "write a percentage of one core"},
		{"DataPorts = 0-65535", `DataPorts "0-65535": write a range of ports, LOW-HIGH, as in 1024-65535`},
		{"DataPorts = 1024-65536", "write a range of ports"},
		{"DataPorts = -1", "write a range of ports"},
		{"DataPorts = 2003-", "write a range of ports"},
		{"DataPorts = 2003, 2004", "write a range of ports"},
		{"DataPorts = 3000-2000", `DataPorts "3000-2000": the first port is above the last; write 2000-3000`},
		{"User = a b", `User "a b": write the name of one user`},
		{"Account = alice", "write NAME, HASH as rpcapd passwd prints it"},
		{"Account = alice, secret", `Account "alice": what follows the name is no bcrypt hash`},
		{"Account = alice, $2a$31$" + someHash[7:], "bcrypt cost 31"},
		{"Account = alice, " + someHash[:59], "no bcrypt hash"},
		{"MaxRate 100M", "MaxRate: no = after it"},
		{"NullAuthPermit = YES\x01", "not printable"},
		{"NullAuthPermit = \xff\xfe", "not printable"},
	}
	for _, tt := range tests {
		_, problems := ParseAgent("x.ini", []byte(tt.line))
		if len(problems) != 1 || problems[0].Warning || problems[0].Line != 1 || !strings.Contains(problems[0].String(), tt.want) {
			t.Errorf("%q:\n got %v\nwant one error on line 1 with %q", tt.line, problems, tt.want)
		}
	}
}

// What follows the name of an account may be a password in clear text.
func TestAccountErrorKeepsSecret(t *testing.T) {
	_, problems := ParseAgent("x.ini", []byte("Account = alice, hunter2\n"))
	if problems.Err() == nil || strings.Contains(problems.Err().Error(), "hunter2") {
		t.Errorf("got %v", problems)
	}
}

func TestAgentWarnings(t *testing.T) {
	const good = "ActiveClient = a\nNullAuthPermit = YES\n"
	tests := []struct {
		text string
		line int
		want string
	}{
		{"", 0, "no ActiveClient line: nothing is forwarded"},
		{"# only a comment\n", 0, "no ActiveClient line"},
		{"ActiveClient = a\n", 0, "no sensor can authenticate"},
		{"ActiveClient = a\nNullAuthPermit = YES\nAccount = b, " + someHash, 0, "need none of the accounts"},
		{good + "PassiveClient = 10.0.0.1\n", 3, "PassiveClient has no effect: this agent never listens"},
		{good + "passiveclient =\n", 3, "PassiveClient has no effect"},
		{good + "NullAuthPermit = YES\n", 3, "is already on line 2; this one counts"},
	}
	for _, tt := range tests {
		_, problems := ParseAgent("x.ini", []byte(tt.text))
		if len(problems) != 1 || !problems[0].Warning || problems[0].Line != tt.line || !strings.Contains(problems[0].String(), tt.want) {
			t.Errorf("%q:\n got %v\nwant one warning on line %d with %q", tt.text, problems, tt.line, tt.want)
		}
		if problems.Err() != nil {
			t.Errorf("%q: a warning is an error: %v", tt.text, problems.Err())
		}
	}
}

// TestDoubtfulLines: what is not understood is an error, and a warning of the same words in a lenient file, wherever
// that says so.
func TestDoubtfulLines(t *testing.T) {
	const good = "ActiveClient = a\nNullAuthPermit = YES\n"
	tests := []struct {
		text string
		line int
		want string
	}{
		{good + "ActveClient = b\n", 3, `x.ini:3: ActveClient: unknown key (did you mean ActiveClient?)`},
		{good + "Colour = red\n", 3, `Colour: unknown key (known: ActiveClient, IgnoreInterfaces, MaxSessions, Name, NullAuthPermit`},
		{good + "MyActiveClientX = b\n", 3, `MyActiveClientX: unknown key`},
		{good + "- = b\n", 3, `-: unknown key`},
		{good + "\"ActiveClient = b\n", 3, "unknown key"},
		{good + "= b\n", 3, "unknown key"},
		{good + "hello world\n", 3, `"hello world" is not understood; a setting is written NAME = VALUE`},
		{good + "[rpcapd]\nActiveClient = b\n", 3, `section "[rpcapd]": this file has no sections`},
		{good + "[rpcapd\n", 3, `this file has no sections`},
		{good + "MaxSnaplan = 96\n", 3, `x.ini:3: MaxSnaplan: unknown key (did you mean MaxSnaplen?)`},
		{good + "OnClose = stop\u00a0\n", 3, `U+00A0 (no-break space) in column 15`},
		{good + "\u3000OnClose = stop\n", 3, `U+3000 (ideographic space) in column 1`},
		{good + "OnClose = \u2003stop\n", 3, `U+2003 in column 11`},
		{good + "\ufeffOnClose = stop\n", 3, `U+FEFF (byte-order mark)`},
	}
	for _, tt := range tests {
		_, problems := ParseAgent("x.ini", []byte(tt.text))
		if len(problems) != 1 || problems[0].Warning || !problems[0].Doubtful || problems[0].Line != tt.line || !strings.Contains(problems[0].String(), tt.want) {
			t.Errorf("%q:\n got %v\nwant one error on line %d with %q", tt.text, problems, tt.line, tt.want)
			continue
		}
		lenient, again := ParseAgent("x.ini", []byte(tt.text+"\nlenient = yes\n"))
		if len(again) != 1 || !again[0].Warning || again[0].Text != problems[0].Text || again.Err() != nil || !lenient.Lenient || len(lenient.Targets) == 0 {
			t.Errorf("%q, lenient:\n got %v", tt.text, again)
		}
	}
}

// Of a key of which there is one, the last line counts, as in the C agent.
func TestLastLineCounts(t *testing.T) {
	a, _ := ParseAgent("x.ini", []byte("ActiveClient=a\nNullAuthPermit = NO\nNullAuthPermit = YES\n"))
	if !a.NullAuth {
		t.Error("the first line won")
	}
}

func TestSectionsDoNotHideLines(t *testing.T) {
	a, _ := ParseAgent("x.ini", []byte("Lenient = YES\n[x]\nActiveClient = a\n[y]\nActiveClient = b\n"))
	if len(a.Targets) != 2 {
		t.Errorf("targets %v", a.Targets)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, problems := ParseAgent("rpcapd.ini", []byte(strings.Join([]string{
		"# comment",
		"ActiveClient = 10.0.0.1, 2003, ifaddr=10.0.0.0/33",
		"Colour = red",
		"ActiveClient = 10.0.0.1, 99999, ifname=",
		"MaxRate = fast",
		"ActiveClient = good",
	}, "\n")))
	var got []string
	for _, p := range problems {
		text, _, _ := strings.Cut(p.String(), ";")
		got = append(got, text)
	}
	want := []string{
		`rpcapd.ini:2: ifaddr "10.0.0.0/33": prefix longer than 32 bits`,
		`rpcapd.ini:3: Colour: unknown key (known: ActiveClient, IgnoreInterfaces, MaxSessions, Name, NullAuthPermit, Account, OnClose, Sampling, Promiscuous, MaxSnaplen, MaxRate, MaxCPU, DataPorts, User, Driver, Lenient)`,
		`rpcapd.ini:4: port "99999": write a number of 1 to 65535, or DEFAULT for 2003`,
		`rpcapd.ini:4: ifname: no value`,
		`rpcapd.ini:5: MaxRate "fast": write bits per second, as in 500k, 100M or 1.5G, or 0 for no limit`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := strings.Count(problems.Err().Error(), "\n") + 1; n != 5 {
		t.Errorf("Err has %d lines, want the 5 errors", n)
	}
}

// A wrong file must not print a message for each of its lines.
func TestProblemsAreBounded(t *testing.T) {
	_, problems := ParseAgent("x.ini", []byte(strings.Repeat("ActiveClient = a, 0\nhello\n", 1000)))
	if len(problems) != 2*maxProblems+2 {
		t.Fatalf("%d problems", len(problems))
	}
	text := problems.Err().Error()
	if !strings.Contains(text, "and 950 more errors") || !strings.Contains(problems[len(problems)-1].Text, "and 950 more lines that are not understood") {
		t.Errorf("the rest is not counted: %v", problems[len(problems)-2:])
	}
}

func TestAppendRoundTrip(t *testing.T) {
	a := agent(t, strings.Join([]string{
		"ActiveClient = 10.0.0.1, 2003",
		"ActiveClient = [2001:db8::1], 2004, ifname = eth1",
		"ActiveClient = sensor.example.com, ifaddr=10.0.0.0/8, fanout=4",
		`ActiveClient = b, ifname="Ethernet 2", ifaddr=10.0.0.1`,
		"NullAuthPermit = no",
		"Account = alice, " + someHash,
		"OnClose = stop", "Sampling = ignore", "Promiscuous = never",
		"MaxSnaplen = 128", "MaxRate = 100M", "MaxCPU = 50", "DataPorts = 1-2066", "User = nobody", "Driver = raw", "Lenient = yes",
	}, "\n"))
	again := agent(t, string(a.Append(nil)))
	for i := range a.Targets {
		a.Targets[i].Line, again.Targets[i].Line = 0, 0
	}
	if !reflect.DeepEqual(a, again) {
		t.Errorf("got\n%+v\nwant\n%+v", again, a)
	}
}

// What other agents have to read as well: no options, a final newline, YES.
func TestAppendPlainForm(t *testing.T) {
	a := CommandLine{Targets: []Target{{Host: "2001:db8::1", Port: 2003, Fanout: 1}}, NullAuth: true}.Agent()
	text := string(a.Append(nil))
	if !strings.HasSuffix(text, "\nActiveClient = 2001:db8::1, 2003\n\nNullAuthPermit = YES\n") || !strings.HasPrefix(text, "#") {
		t.Errorf("got\n%s", text)
	}
}

func TestProblemTextIsBounded(t *testing.T) {
	_, problems := ParseAgent("x.ini", []byte("ActiveClient = "+strings.Repeat("x", 500_000)+", 0\n"))
	for _, p := range problems {
		if len(p.Text) > maxText+10 {
			t.Errorf("a problem of %d bytes", len(p.Text))
		}
	}
	if len(problems) == 0 {
		t.Error("no problem")
	}
}
