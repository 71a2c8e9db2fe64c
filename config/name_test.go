package config

import (
	"errors"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	env := map[string]string{"RPCAPD_NODE_NAME": "node1", "NODE_NAME": "other", "POD_NAME": "pod-7"}
	host := func() (string, error) { return "web1", nil }
	for _, c := range []struct{ value, want, problem string }{
		{"probe", "probe", ""},
		{"%h", "web1", ""},
		{`"%h in rack 7"`, "web1 in rack 7", ""},
		{"%n-%p", "node1-pod-7", ""}, // our own variable counts first
		{"100%%;x", "100%;x", ""},
		{"%x", "", "a % is followed by h (host), n (node), p (pod) or %"},
		{"a%", "", "a % is followed by h, n, p or %"},
		{strings.Repeat("x", 129), "", "a name has at most 128"},
		{`" "`, "", "empty value"},
	} {
		a, problems := parseAgent("x.ini", []byte("NullAuthPermit = YES\nActiveClient = a\nName = "+c.value+"\n"), nil)
		problems = append(problems, a.ExpandName("x.ini", host, func(v string) string { return env[v] })...)
		if c.problem != "" {
			if problems.Err() == nil || !strings.Contains(problems.Err().Error(), "x.ini:3: Name") || !strings.Contains(problems.Err().Error(), c.problem) {
				t.Errorf("%s: %v", c.value, problems)
			}
			continue
		}
		if len(problems) > 0 || a.SensorName != c.want {
			t.Errorf("%s: %q, %v", c.value, a.SensorName, problems)
		}
		if b, problems := ParseAgent("x.ini", a.Append(nil)); len(problems) > 0 || b.Name != a.Name {
			t.Errorf("%s: saved as %q: %v", c.value, b.Name, problems)
		}
	}
}

// A letter whose word the host does not tell keeps the agent from starting, and says what is missing.
func TestNameWithoutWord(t *testing.T) {
	none := func(string) string { return "" }
	for value, want := range map[string]string{
		"%n": "x.ini:2: Name %n is the name of the node, which the environment variable RPCAPD_NODE_NAME or NODE_NAME tells, and it is not set",
		"%p": "RPCAPD_POD_NAME or POD_NAME",
		"%h": "%h is the host name: no host",
	} {
		a, problems := parseAgent("x.ini", []byte("ActiveClient = a\nName = "+value+"\nNullAuthPermit = YES\n"), nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got := a.ExpandName("x.ini", func() (string, error) { return "", errors.New("no host") }, none)
		if got.Err() == nil || !strings.Contains(got.Err().Error(), want) {
			t.Errorf("%s: %v", value, got)
		}
	}
	// A word that is too long is told as well.
	a, _ := ParseAgent("x.ini", []byte("Name = %h\n"))
	if p := a.ExpandName("x.ini", func() (string, error) { return strings.Repeat("h", 200), nil }, none); p.Err() == nil || !strings.Contains(p.Err().Error(), "200 bytes") {
		t.Error(p)
	}
}
