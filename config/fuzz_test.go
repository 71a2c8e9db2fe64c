package config

import (
	"strings"
	"testing"
)

// checkProblems holds for every file: a message has a place that exists and a text
// of one line, and there are not too many of them.
func checkProblems(t *testing.T, data []byte, problems Problems) {
	lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
	if len(problems) > 3*maxProblems+3 {
		t.Fatalf("%d problems", len(problems))
	}
	for _, p := range problems {
		if p.Text == "" || strings.ContainsAny(p.Text, "\n\r\x00") || p.Line < 0 {
			t.Fatalf("bad problem %+v", p)
		}
		if p.Line > lines && len(data) > 1 && data[0] != 0xff && data[0] != 0xfe { // not UTF-16
			t.Fatalf("problem on line %d of %d: %v", p.Line, lines, p)
		}
		if strings.Contains(p.Text, "values on") {
			t.Fatalf("the library and the index disagree: %v", p)
		}
	}
}

func FuzzParseAgent(f *testing.F) {
	for _, s := range []string{
		twoLines, "\xef\xbb\xbf" + twoLines, string(utf16Bytes(twoLines, false)),
		"ActiveClient = [2001:db8::1]:2004, ifname = \"Ethernet 2\", ifaddr=10.0.0.0/33, fanout=4 # x\r\n",
		"ActiveClient = a, ifnmae=eth1\nAccount = alice, " + someHash + "\nMaxRate = 1.5 Gbit/s\nMaxCPU=50%\n",
		"OnClose=stop\nSampling=ignore\nPromiscuous=never\nMaxSnaplen=64\nUser=`a\nPassiveClient=\n[x]\n-=1\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, problems := ParseAgent("x.ini", data)
		checkProblems(t, data, problems)
		if problems.Err() != nil {
			return
		}
		for _, x := range a.Targets {
			if x.Host == "" || x.Port == 0 || x.Fanout < 1 || x.Line < 1 || x.Disabled != "" {
				t.Fatalf("bad target %+v of a good file", x)
			}
		}
		// What is saved means the same.
		b, again := ParseAgent("x.ini", a.Append(nil))
		if again.Err() != nil {
			t.Fatalf("saved form:\n%s\n%v", a.Append(nil), again.Err())
		}
		if string(a.Append(nil)) != string(b.Append(nil)) {
			t.Fatalf("saved form changes:\n%s\n%s", a.Append(nil), b.Append(nil))
		}
	})
}

func FuzzParseSensor(f *testing.F) {
	for _, s := range []string{
		"Listen = 192.0.2.1\nAlias = 10.0.0.5, web1\n[rule a]\nPort=2003\nAddress=10.0.0.0/8\nInterface=eth*\n",
		"[rule a]\nFilter = tcp # x\nSampling=1/10\nTransport=tcp\nUser=u\nPassword=\"p # q\"\n[data]\nFirstPort=1\nPorts=64\n[output]\nFile=-\n",
		"[rule]\n[rule a\n[http]\nx\n[rule `a]\nFilter=`x\nFilter=\"\"\"x\n[DEFAULT]\nPort=1\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, problems := ParseSensor("x.ini", data)
		checkProblems(t, data, problems)
		if problems.Err() != nil {
			return
		}
		if len(s.Rules) == 0 || s.Data.Count < 1 || s.Data.Count > maxDataPorts || int(s.Data.First)+s.Data.Count-1 > 65535 {
			t.Fatalf("bad sensor %+v of a good file", s)
		}
		for _, r := range s.Rules {
			if r.Name == "" || r.Port == 0 || r.Snaplen > maxSnaplen || (r.User == "") != (r.Password == "") {
				t.Fatalf("bad rule %+v of a good file", r)
			}
		}
	})
}
