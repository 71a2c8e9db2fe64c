package config

import (
	"slices"
	"strings"
	"testing"

	"rpcapd/iface"
)

func line(host string, port uint16, ifname string) Target {
	return Target{Host: host, Port: port, Select: iface.Selector{Name: ifname}, Fanout: 1}
}

func TestEditAgent(t *testing.T) {
	const shipped = "# first\n#ActiveClient = example, 2003\n#ActiveClient = example, 2003, ifname=eth1\n\n# may they?\n#NullAuthPermit = YES\n# last"
	for _, c := range []struct {
		name, old string
		edit      Edit
		want      string
		done      int
	}{
		{
			"behind the examples", shipped, Edit{Targets: []Target{line("10.0.0.1", 2003, "")}, NullAuth: true},
			"# first\n#ActiveClient = example, 2003\n#ActiveClient = example, 2003, ifname=eth1\nActiveClient = 10.0.0.1, 2003\n\n# may they?\n#NullAuthPermit = YES\nNullAuthPermit = YES\n# last\n", 2,
		},
		{"nothing to do", "ActiveClient 	=  Host:2003 , ifname = eth0 # mine\nnullauthpermit = yes\n", Edit{Targets: []Target{line("host", 2003, "eth0")}, NullAuth: true}, "ActiveClient 	=  Host:2003 , ifname = eth0 # mine\nnullauthpermit = yes\n", 0},
		{
			"another interface of the same sensor", "# a\nActiveClient = h, 1, ifname=eth0\n# b\nActiveClient = other, 1\n# c\n",
			Edit{Targets: []Target{line("h", 1, "eth1"), line("h", 1, "eth2")}},
			"# a\nActiveClient = h, 1, ifname=eth1\nActiveClient = h, 1, ifname=eth2\n# b\nActiveClient = other, 1\n# c\n", 3,
		},
		{
			"replace", "ActiveClient = a, 1\r\n# x\r\nActiveClient = b, 1\r\n", Edit{Targets: []Target{line("c", 1, "")}, Replace: true},
			"#ActiveClient = a, 1\r\n# x\r\n#ActiveClient = b, 1\r\nActiveClient = c, 1\r\n", 3,
		},
		{
			"keeps what stays and removes two", "ActiveClient = a, 1, ifname=x\nActiveClient = a, 1, ifname=y\nActiveClient = b, 1\nActiveClient = a, 1, ifname=z\n",
			Edit{Targets: []Target{line("a", 1, "y"), line("a", 1, "w")}},
			"ActiveClient = a, 1, ifname=w\nActiveClient = a, 1, ifname=y\nActiveClient = b, 1\n", 3,
		},
		{"an explicit NO stays", "NullAuthPermit = NO\n", Edit{Targets: []Target{line("a", 1, "")}, NullAuth: true}, "NullAuthPermit = NO\nActiveClient = a, 1\n", 1},
		{"a strange name", "", Edit{Targets: []Target{line("a", 1, "eth 0, x")}}, "ActiveClient = a, 1, ifname=\"eth 0, x\"\n", 1},
		{"before a section", "Lenient = yes\n[x]\ny=1\n", Edit{Targets: []Target{line("a", 1, "")}}, "Lenient = yes\nActiveClient = a, 1\n[x]\ny=1\n", 1},
	} {
		got, done, err := EditAgent("f.ini", []byte(c.old), c.edit)
		if err != nil || string(got) != c.want || len(done) != c.done {
			t.Errorf("%s: %v, %q\n%s\nwant\n%s", c.name, err, done, got, c.want)
			continue
		}
		if again, done, err := EditAgent("f.ini", got, c.edit); err != nil || len(done) != 0 || string(again) != string(got) {
			t.Errorf("%s: the second time: %v, %q\n%s", c.name, err, done, again)
		}
	}
}

func TestEditAgentAccount(t *testing.T) {
	one, err := NewAccount("s1", "first")
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewAccount("s1", "second")
	if err != nil {
		t.Fatal(err)
	}
	e := Edit{Targets: []Target{line("a", 1, "")}, NullAuth: true, Accounts: []Account{one}}
	text, _, err := EditAgent("f.ini", []byte("# x\n"), e)
	if err != nil {
		t.Fatal(err)
	}
	e.Accounts = []Account{two}
	if text, _, err = EditAgent("f.ini", text, e); err != nil {
		t.Fatal(err)
	}
	a, problems := ParseAgent("f.ini", text)
	if problems.Err() != nil || len(a.Accounts) != 1 || a.NullAuth || a.Authenticate("s1", "first") || !a.Authenticate("s1", "second") {
		t.Errorf("%v: %s", problems, text)
	}
}

func TestEditAgentRefuses(t *testing.T) {
	e := Edit{Targets: []Target{line("a", 1, "")}}
	for old, want := range map[string]string{
		"ActiveClient = x, 99999\n":  "it has errors, fix these first",
		"# \xff\xfe\n":               "not UTF-8 text",
		"\xff\xfeA\x00c\x00":         "not UTF-8 text",
		strings.Repeat("#\n", 1<<20): "larger than 1 MiB",
	} {
		if _, _, err := EditAgent("f.ini", []byte(old), e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", old, err)
		}
	}
}

// What an edit makes is read back as what was asked for, and nothing else is lost.
func FuzzEditAgent(f *testing.F) {
	f.Add([]byte("# c\nActiveClient = h, 1, ifname=eth0\n[s]\nx = y\n"), "h", "eth1", true)
	f.Add([]byte("NullAuthPermit = NO\r\nActiveClient = [::1]:5\r\n"), "::1", "a b", false)
	f.Fuzz(func(t *testing.T, old []byte, host, name string, replace bool) {
		list, err := ParseTargets(host)
		if err != nil || len(list) == 0 {
			return
		}
		list[0].Select.Name = name
		got, _, err := EditAgent("f.ini", old, Edit{Targets: list, Replace: replace, NullAuth: true})
		if err != nil {
			return
		}
		before, _ := ParseAgent("f.ini", old)
		now, problems := ParseAgent("f.ini", got)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		for _, b := range before.Targets {
			if !replace && !slices.ContainsFunc(list, func(x Target) bool { return sameSensor(b, x) }) && !slices.ContainsFunc(now.Targets, func(x Target) bool { return same(b, x) }) {
				t.Errorf("lost %s", b)
			}
		}
	})
}
