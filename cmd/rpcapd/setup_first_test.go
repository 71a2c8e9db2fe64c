package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rpcapd/packaging/ini"
)

// TestSetupFirst: an installer writes a new ini, and leaves one that exists alone, whatever it is called with.
func TestSetupFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a folder", "rpcapd.ini")
	first := func(args ...string) (int, string) {
		code, out, errs, _ := cli(t, append([]string{"setup", "--first", "--root", t.TempDir(), "-f", file}, args...)...)
		return code, out + errs
	}
	read := func() string {
		text, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, bad := range [][]string{
		{"--sensor", "a\nAccount = x, 2003"}, {"--sensor", "a;b, 2003"}, {"--sensor", `a"b, 2003`}, {"--sensor", "a, 70000"},
		{"--sensor", "a, 2003", "--interface", "eth0\nNullAuthPermit = YES"}, {"--sensor", "a, 2003", "--interface", `e"th`},
		{"--sensor", "a, 2003", "--cidr", "10.0.0.0/33"}, {"--sensor", "a, 2003", "--cidr", "10.0.0.0/8\n"},
	} {
		if code, said := first(bad...); code == 0 || said == "" || read() != "" {
			t.Errorf("%q: exit %d, %s%s", bad, code, said, read())
		}
	}
	if code, said := first("--sensor", "sensor.example, 2044", "--interface", "Ethernet 2", "--cidr", "10.1.2.3/16"); code != 0 {
		t.Fatalf("exit %d, %s", code, said)
	}
	text := read()
	for _, line := range []string{"ActiveClient = sensor.example, 2044, ifname=\"Ethernet 2\"\n", "ActiveClient = sensor.example, 2044, ifaddr=10.1.0.0/16\n", "NullAuthPermit = YES\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
	for _, args := range [][]string{nil, {"--sensor", "other.example, 2003"}} {
		if code, said := first(args...); code != 0 || !strings.Contains(said, "exists, and stays as it is") || read() != text {
			t.Errorf("%q: exit %d, %s%s", args, code, said, read())
		}
	}
	if code, said := first("--sensor", "a;b, 2003"); code == 0 {
		t.Errorf("a mistake is passed over: %s", said)
	}
}

// Without a sensor the new ini is the one that is shipped.
func TestSetupFirstTemplate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rpcapd.ini")
	code, out, errs, _ := cli(t, "setup", "--first", "--root", t.TempDir(), "-f", file)
	if text, err := os.ReadFile(file); code != 0 || err != nil || string(text) != string(ini.Agent) {
		t.Errorf("exit %d, %v, %s%s", code, err, out, errs)
	}
}
