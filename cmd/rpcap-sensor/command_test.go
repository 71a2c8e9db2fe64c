package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"rpcapd/config"
)

// execute runs the command line and returns what it printed and its exit code.
func execute(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var read [2]func() string
	var files [2]*os.File
	for i := range files {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		text := make(chan string)
		go func() {
			b, _ := io.ReadAll(r)
			r.Close()
			text <- string(b)
		}()
		files[i], read[i] = w, func() string { w.Close(); return <-text }
	}
	code = run(args, files[0], files[1])
	return read[0](), read[1](), code
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rpcap-sensor.ini")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestHelpTeaches(t *testing.T) {
	out, _, code := execute(t, "--help")
	for _, want := range []string{"tcpdump -n -r -", "ActiveClient", "SIGUSR1", "--udp-ports", "check", "version", "2003"} {
		if !strings.Contains(out, want) {
			t.Errorf("help lacks %q", want)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestVersion(t *testing.T) {
	out, _, code := execute(t, "version")
	if code != exitOK || !strings.HasPrefix(out, "rpcap-sensor dev") {
		t.Errorf("%q, exit code %d", out, code)
	}
}

// TestUsageErrors: a mistake in the command line is exit code 2, names the mistake and says what would be right.
func TestUsageErrors(t *testing.T) {
	empty := write(t, "\n")
	for _, tc := range []struct {
		args string
		want string
	}{
		{"--nonsense", "nonsense"},
		{"tcp port 80", "--filter"},
		{"--listen 10.0.0.1:x", "10.0.0.1:2003"},
		{"--listen :0", "1 to 65535"},
		{"--listen host:2003", "no IPv4 or IPv6 address"},
		{"--address 10.0.0.0/33", "192.168.4.0/24"},
		{"--agent x", "--agents"},
		{"--agents x", "--agents"},
		{"version x", "version takes none"},
		{"check a b", "check takes one file"},
		{"--agents=", "--agents has an empty value"},
		{"--address=", "--address has an empty value"},
		{"--filter=", "--filter has an empty value"},
		{"--write=", "--write has an empty value"},
		{"capture --agent= -w x", "--agents has an empty value"},
		{"--user u", "--password-file"},
		{"--udp-port 0", "1 to 65535"},
		{"--log-level loud", "debug, info, warn"},
		{"--log-format xml", "console or json"},
		{"-f " + empty + " --interface eth0", "--interface describes a rule"},
		{"-f " + empty + " --listen :2003", "--listen"},
	} {
		_, msg, code := execute(t, strings.Fields(tc.args)...)
		if code != exitUsage || !strings.Contains(msg, tc.want) {
			t.Errorf("%s: exit code %d, %s", tc.args, code, msg)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-f", "/does/not/exist.ini"}, "/does/not/exist.ini"},
		{[]string{"-w", "/does/not/exist.pcapng"}, "/does/not/exist.pcapng"},
		{[]string{"--user", "u", "--password-file", write(t, "\n")}, "first line"},
		{[]string{"--snaplen", "300000"}, "snap length 300000"},
		{[]string{"--udp-ports", "65"}, "count 65"},
		{[]string{"--interface", "[a"}, "pattern"},
		{[]string{"--filter", "tcp prt 80"}, "tcp prt 80"},
	} {
		_, msg, code := execute(t, tc.args...)
		if code == exitOK || !strings.Contains(msg, tc.want) {
			t.Errorf("%v: exit code %d, %s", tc.args, code, msg)
		}
	}
}

func TestCheck(t *testing.T) {
	out, msg, code := execute(t, "check", "-f", write(t, "[rule web]\nPort = 2004\nInterface = eth1\n"))
	if code != exitOK || !strings.Contains(out, "1 rule") {
		t.Errorf("good file: exit code %d, %s%s", code, out, msg)
	}
	out, msg, code = execute(t, "check", "-f", write(t, "[rule web]\nPort = x\nAddress = 10.0.0.0/33\n"))
	if code != exitFailed || !strings.Contains(out, ":2:") || !strings.Contains(out, ":3:") {
		t.Errorf("bad file: exit code %d, %s%s", code, out, msg)
	}
	if out, msg, code = execute(t, "check", write(t, "[rule web]\nAllowAgnts = 10.0.0.0/8\n[rul x]\n")); code != exitFailed ||
		!strings.Contains(out, ":2: AllowAgnts: unknown key (did you mean AllowAgents?)") || !strings.Contains(out, ":3: [rul]: unknown section") {
		t.Errorf("typos: exit code %d, %s%s", code, out, msg)
	}
	_, msg, code = execute(t, "check", "/does/not/exist.ini")
	if code != exitFailed || !strings.Contains(msg, "/usr/share/rpcap-sensor/rpcap-sensor.ini") {
		t.Errorf("missing file: exit code %d, %s", code, msg)
	}
	if out, _, code = execute(t, "check", write(t, "[rule web]\n")); code != exitOK || !strings.Contains(out, "1 rule") {
		t.Errorf("file without -f: exit code %d, %s", code, out)
	}
}

// TestHelp: whoever writes the lines of the help into an ini has one that lets this sensor in, and no way to have frames
// sent is offered without its ports.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"capture", "--help"}} {
		out, _, code := execute(t, args...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d", args, code)
		}
		var ini strings.Builder
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, "  ActiveClient") || strings.HasPrefix(line, "  NullAuthPermit") {
				ini.WriteString(strings.TrimSpace(line) + "\n")
			}
		}
		c, problems := config.ParseAgent("rpcapd.ini", []byte(ini.String()))
		if len(problems) > 0 || len(c.Targets) != 1 || !c.NullAuth {
			t.Errorf("%v: %q: %v", args, ini.String(), problems)
		}
		if !strings.Contains(out, "TCP to the ports of --udp-port") {
			t.Errorf("%v: --tcp without its ports", args)
		}
	}
}

func TestParseListen(t *testing.T) {
	for text, want := range map[string]string{
		":2003": "invalid IP 2003", "2004": "invalid IP 2004", "10.0.0.1:2003": "10.0.0.1 2003", "[::1]:99": "::1 99",
		"10.0.0.1": "10.0.0.1 0", "::1": "::1 0", "*:5": "invalid IP 5",
	} {
		a, p, err := parseListen(text)
		if got := a.String() + " " + strconv.Itoa(int(p)); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

func TestEmptyFilter(t *testing.T) {
	if _, msg, code := execute(t, "capture", "-w", "x", " "); code != exitUsage || !strings.Contains(msg, "the filter is empty") {
		t.Errorf("exit code %d, %s", code, msg)
	}
}

// TestUpgradeIni: a file that an earlier version started with is usable after it, and means what it meant.
func TestUpgradeIni(t *testing.T) {
	const old = "[rule web]\nPort = 2004\nFiltr = tcp\n[rul b]\nPort = 2005\n"
	file := write(t, old)
	out, msg, code := execute(t, "upgrade-ini", file)
	c, problems, err := config.LoadSensor(file)
	if code != exitOK || err != nil || problems.Err() != nil || len(c.Rules) != 1 || !strings.Contains(out, ":3"[1:]) || !strings.Contains(out, file+".old") {
		t.Errorf("exit code %d, %s%s, %v, %v", code, out, msg, c.Rules, problems)
	}
	if kept, err := os.ReadFile(file + ".old"); err != nil || string(kept) != old {
		t.Errorf("%q, %v", kept, err)
	}
	// Sections that were taken together are again; the mode stays, and the copy of the last time.
	const twice = "[tap]\nInterface = a\n[rule web]\nPort = 2004\n[tap]\nMTU = 1500\nMTUU = 9\n"
	if err := errors.Join(os.WriteFile(file, []byte(twice), 0o644), os.Chmod(file, 0o646)); err != nil {
		t.Fatal(err)
	}
	out, msg, code = execute(t, "upgrade-ini", file)
	c, problems, err = config.LoadSensor(file)
	if code != exitOK || err != nil || problems.Err() != nil || len(c.TAP) != 1 || c.TAP[0].MTU != 1500 || !strings.Contains(out, "line 5: the keys of this [tap] were moved to the first one") ||
		!strings.Contains(out, file+".old.1\n") {
		t.Errorf("exit code %d, %s%s, %v, %v", code, out, msg, c.TAP, problems)
	}
	for name, want := range map[string]string{".old": old, ".old.1": twice} {
		if kept, err := os.ReadFile(file + name); err != nil || string(kept) != want {
			t.Errorf("%s: %q, %v", name, kept, err)
		}
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{"": 0o646, ".old.1": 0o640} {
			if info, err := os.Stat(file + name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	for _, text := range []string{"[rule web]\n", "[rule web]\nFiltr = tcp\nPort = x\n"} { // nothing to do; nothing that it could do
		file := write(t, text)
		if out, _, code := execute(t, "upgrade-ini", file); code != exitOK || out != "" {
			t.Errorf("%q: exit code %d, %s", text, code, out)
		}
		if now, err := os.ReadFile(file); err != nil || string(now) != text {
			t.Errorf("%q: %q, %v", text, now, err)
		}
	}
}
