package main

import (
	"os"
	"strings"
	"testing"

	"rpcapd/config"
)

// TestSetupKeepsRestrictions: a sensor that is named again is not offered more than before.
func TestSetupKeepsRestrictions(t *testing.T) {
	const old = "ActiveClient = s.example, 2003, ifname=eth1, fanout=2\n# mine\nActiveClient = s.example, 2003, ifaddr=10.0.0.0/8\nActiveClient = other, 2003, ifname=eth2\nActiveClient = free, 2003, fanout=4\nNullAuthPermit = YES\n"
	for _, c := range []struct {
		args []string
		want string // what becomes of the lines
		says []string
	}{
		{[]string{"--sensor", "S.example"}, old, []string{":1: keeps ifname=eth1; name other interfaces", ":3: keeps ifaddr=10.0.0.0/8;", "nothing to change"}},
		{[]string{"--sensor", "free"}, old, []string{"nothing to change"}},
		{
			[]string{"--sensor", "s.example", "--replace"}, strings.NewReplacer("ActiveClient = other", "#ActiveClient = other", "ActiveClient = free", "#ActiveClient = free").Replace(old),
			[]string{":1: keeps ifname=eth1", "made a comment"},
		},
		{
			[]string{"--sensor", "s.example", "--fanout", "3"},
			"ActiveClient = s.example, 2003, ifname=eth1, fanout=3\nActiveClient = s.example, 2003, ifaddr=10.0.0.0/8, fanout=3\n# mine\n" + old[strings.Index(old, "ActiveClient = other"):],
			[]string{":1: keeps ifname=eth1"},
		},
		{
			[]string{"--sensor", "s.example", "--interface", "eth5"}, "ActiveClient = s.example, 2003, ifname=eth5\n# mine\n" + old[strings.Index(old, "ActiveClient = other"):],
			[]string{"line 1 removed: ActiveClient = s.example, 2003, ifname=eth1"},
		},
		{[]string{"--sensor", "new.example"}, strings.Replace(old, "NullAuth", "ActiveClient = new.example, 2003\nNullAuth", 1), []string{"added: ActiveClient = new.example, 2003"}},
	} {
		ini := writeFile(t, "rpcapd.ini", old)
		code, out, errs, _ := cli(t, append([]string{"setup", "-f", ini, "--no-dial", "--no-reload"}, c.args...)...)
		text, err := os.ReadFile(ini)
		if err != nil {
			t.Fatal(err)
		}
		if code != 0 || string(text) != c.want {
			t.Errorf("%q: exit %d, %s\n%s\nwant\n%s", c.args, code, errs, text, c.want)
		}
		for _, word := range c.says {
			if !strings.Contains(out, word) {
				t.Errorf("%q: %q is missing in\n%s", c.args, word, out)
			}
		}
		if a, problems := config.ParseAgent(ini, text); problems.Err() != nil || !a.NullAuth {
			t.Errorf("%q: %v", c.args, problems)
		}
	}
}

// A line that a typo has disabled is not replaced by one without its restriction.
func TestSetupKeepsNoTypo(t *testing.T) {
	const old = "Lenient = yes\nActiveClient = s.example, 2003, ifnmae=eth1\n"
	ini := writeFile(t, "rpcapd.ini", old)
	if code, out, errs, _ := cli(t, "setup", "-f", ini, "--no-dial", "--no-reload", "--sensor", "s.example"); code != exitFailed || !strings.Contains(errs, ini+":2: the line for this sensor is disabled: ") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if text, err := os.ReadFile(ini); err != nil || string(text) != old {
		t.Errorf("%v\n%s", err, text)
	}
}
