package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/config"
)

// The script of the C agent's installer in its two forms: Debian and RHEL.
const debianScript = `#!/bin/sh
# Provides: rpcapd
PATH=/sbin:/usr/sbin:/bin:/usr/bin
NAME=rpcapd
DAEMON=/opt/extrahop/sbin/$NAME
CONFIG=/opt/extrahop/etc/rpcapd.ini
DAEMON_ARGS="-v -d -L -f ${CONFIG} -t 1400 -i eth1"
test -x $DAEMON || exit 0
case "$1" in
start) start-stop-daemon --start --quiet --exec $DAEMON -- $DAEMON_ARGS || return 2 ;;
esac
`

const rhelScript = `#!/bin/bash
prog=/opt/extrahop/sbin/rpcapd
start() {
	daemon $prog -v -d -L -f /opt/extrahop/etc/rpcapd.ini >/dev/null 2>&1
}
`

func TestScriptArgs(t *testing.T) {
	for script, want := range map[string]string{
		debianScript: "-v -d -L -f /opt/extrahop/etc/rpcapd.ini -t 1400 -i eth1",
		rhelScript:   "-v -d -L -f /opt/extrahop/etc/rpcapd.ini",
		"exec foo\n": "",
	} {
		if got := strings.Join(scriptArgs(script, nil), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The script's variables may be set, or set otherwise, in the file of defaults that it reads.
func TestScriptArgsWithDefaults(t *testing.T) {
	const script = `DAEMON_ARGS="-v -d -L -f /opt/extrahop/etc/rpcapd.ini"
MORE=
. /etc/default/rpcapd
start-stop-daemon --start --exec /opt/extrahop/sbin/rpcapd -- $DAEMON_ARGS ${MORE:-} $EXTRA_ARGS
`
	for defaults, want := range map[string]string{
		"": "-v -d -L -f /opt/extrahop/etc/rpcapd.ini",
		"# EXTRA_ARGS=-x\nEXTRA_ARGS=\"-i eth1 -z 32M\"\n":   "-v -d -L -f /opt/extrahop/etc/rpcapd.ini -i eth1 -z 32M",
		"export MORE='-t 1400'\n":                            "-v -d -L -f /opt/extrahop/etc/rpcapd.ini -t 1400",
		"A=/srv\nDAEMON_ARGS=\"-v -f ${A}/r.ini -i eth2\"\n": "-v -f /srv/r.ini -i eth2",
	} {
		s := &setup{root: oldInstallation(t, script, "")}
		if err := os.WriteFile(s.in("/etc/default/rpcapd"), []byte(defaults), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(scriptArgs(script, s.scriptDefaults()), " "); got != want {
			t.Errorf("%q: got %q, want %q", defaults, got, want)
		}
	}
}

func oldInstallation(t *testing.T, script, ini string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{"/opt/extrahop/etc/rpcapd.ini": ini, "/etc/init.d/rpcapd": script, "/usr/bin/dpkg": "", "/etc/default/rpcapd": "# kept\nRPCAPD_OPTIONS=\"-c 3\"\n"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestMigrate(t *testing.T) {
	const old = "# EH\nPassiveClient = NULL\nActiveClient = 10.0.0.1, 2003, ifname=eth7\nActiveClient = 10.0.0.2\nActiveClient = s.example, DEFAULT\nNullAuthPermit = YES\n"
	root := oldInstallation(t, debianScript, old)
	ini := filepath.Join(root, "etc/rpcapd/rpcapd.ini")
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial", "--run-dir", t.TempDir())
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	data, err := os.ReadFile(ini)
	if err != nil {
		t.Fatal(err)
	}
	c, problems := config.ParseAgent(ini, data)
	var got []string
	for _, x := range c.Targets {
		got = append(got, x.String())
	}
	if want := "10.0.0.1, 2003, ifname=eth7|10.0.0.2, 2003, ifname=eth1|s.example, 2003, ifname=eth1"; strings.Join(got, "|") != want || problems.Err() != nil || !c.NullAuth {
		t.Errorf("%v\n%s", problems, data)
	}
	if text, err := os.ReadFile(ini + ".extrahop"); err != nil || string(text) != old {
		t.Errorf("the copy: %v\n%s", err, text)
	}
	if text, err := os.ReadFile(filepath.Join(root, "etc/default/rpcapd")); err != nil || string(text) != "# kept\nRPCAPD_OPTIONS=\"-c 3 -t 1400\"\n" {
		t.Errorf("the options: %v\n%s", err, text)
	}
	aside, err := os.Stat(filepath.Join(root, "etc/init.d/rpcapd.dpkg-old"))
	if err != nil || aside.Mode()&0o111 != 0 || exists(filepath.Join(root, "etc/init.d/rpcapd")) {
		t.Errorf("the script was not set aside: %v, %v", aside, err)
	}
	for _, want := range []string{"found its init script", "found its configuration", "PassiveClient has no effect", "-L is not taken over", "is kept as", "init script is"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if code, out, errs, _ = cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial"); code != 0 || !strings.Contains(out, "nothing to change") {
		t.Errorf("the second time: exit %d\n%s%s", code, out, errs)
	}
	if text, err := os.ReadFile(filepath.Join(root, "etc/default/rpcapd")); err != nil || string(text) != "# kept\nRPCAPD_OPTIONS=\"-c 3 -t 1400\"\n" {
		t.Errorf("the options, the second time: %v\n%s", err, text)
	}
	// Another configuration of the C agent does not take the place of the first copy.
	if err := os.WriteFile(filepath.Join(root, oldIni), []byte("ActiveClient = 10.0.0.3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs, _ = cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial"); code != 0 || !exists(ini+".extrahop.2") {
		t.Errorf("another configuration: exit %d\n%s%s", code, out, errs)
	}
	if text, err := os.ReadFile(ini + ".extrahop"); err != nil || string(text) != old {
		t.Errorf("the first copy: %v\n%s", err, text)
	}
}

// The command line of what runs counts more than that of the script, and it is stopped.
func TestMigrateRunning(t *testing.T) {
	root := oldInstallation(t, rhelScript, "ActiveClient = 10.0.0.1\n")
	program := filepath.Join(root, oldProgram)
	copyFile(t, "/proc/self/exe", program)
	cmd := exec.Command(program, "-v", "-n", "-i", "eth3", "-f", "/opt/extrahop/etc/rpcapd.ini")
	cmd.Env = append(os.Environ(), asSleeper+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	ini := filepath.Join(root, "etc/rpcapd/rpcapd.ini")
	for end := time.Now().Add(40 * time.Second); len(processesOf(program)) == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial")
	if code != 0 || !strings.Contains(out, "added: ActiveClient = 10.0.0.1, 2003, ifname=eth3\n") || !strings.Contains(out, "added: NullAuthPermit = YES") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	select {
	case <-done:
	case <-time.After(40 * time.Second):
		t.Error("it still runs")
	}
}

// A line that is not understood must not be lost in silence, nor the old agent stopped for it.
func TestMigrateRefuses(t *testing.T) {
	root := oldInstallation(t, rhelScript, "ActiveClient = 10.0.0.1, ifnmae=eth1\n")
	ini := filepath.Join(root, "etc/rpcapd/rpcapd.ini")
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial")
	if code == 0 || !strings.Contains(errs, "nothing is changed") || !strings.Contains(errs, `unknown option "ifnmae"`) {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if exists(ini) || !exists(filepath.Join(root, "etc/init.d/rpcapd")) {
		t.Error("something was changed")
	}
}

// The old agent is not stopped when the new ini cannot be changed.
func TestMigrateIntoBrokenIni(t *testing.T) {
	root := oldInstallation(t, rhelScript, "ActiveClient = 10.0.0.1\n")
	ini := writeFile(t, "rpcapd.ini", "ActiveClient =\n")
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial")
	if code == 0 || !strings.Contains(errs, "nothing is changed") || !strings.Contains(errs, "fix these first") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if !exists(filepath.Join(root, "etc/init.d/rpcapd")) {
		t.Error("the init script was set aside")
	}
}

// Two agents with files of their own are not made one in silence.
func TestMigrateSeveral(t *testing.T) {
	root := oldInstallation(t, rhelScript, "ActiveClient = 10.0.0.1\n")
	program := filepath.Join(root, oldProgram)
	copyFile(t, "/proc/self/exe", program)
	for _, ini := range []string{"/opt/extrahop/etc/rpcapd.ini", "/opt/extrahop/etc/two.ini"} {
		cmd := exec.Command(program, "-v", "-f", ini)
		cmd.Env = append(os.Environ(), asSleeper+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // killed
		})
	}
	for end := time.Now().Add(40 * time.Second); len(processesOf(program)) < 2 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	ini := filepath.Join(root, "etc/rpcapd/rpcapd.ini")
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial")
	if code == 0 || !strings.Contains(errs, "several C agents run here") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if exists(ini) || len(processesOf(program)) != 2 {
		t.Error("something was changed")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMigrateStrangeLines: what neither agent understands becomes a comment; what only the C agent may have understood
// stops the migration.
func TestMigrateStrangeLines(t *testing.T) {
	root := oldInstallation(t, debianScript, "ActiveClient = 10.0.0.1, 2003\nColour = red\nhello world\nNullAuthPermit = YES\n")
	ini := filepath.Join(root, "etc/rpcapd/rpcapd.ini")
	if err := os.MkdirAll(filepath.Dir(ini), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ini, []byte("# mine\nMaxSnaplan = 96\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	code, out, errs, _ := cli(t, "setup", "--migrate", "--root", root, "-f", ini, "--no-dial", "--run-dir", t.TempDir())
	text, err := os.ReadFile(ini)
	if code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	for _, want := range []string{"#MaxSnaplan = 96\n", "ActiveClient = 10.0.0.1, 2003, ifname=eth1\n", "# Colour = red\n", "# hello world\n", "# not understood in "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if _, problems := config.ParseAgent(ini, text); problems.Err() != nil {
		t.Error(problems)
	}

	root = oldInstallation(t, debianScript, "ActiveClient = 10.0.0.1, 2003\nMyActiveClient = 10.0.0.2, 2003\n")
	code, out, errs, _ = cli(t, "setup", "--migrate", "--root", root, "-f", filepath.Join(root, "new.ini"), "--no-dial", "--run-dir", t.TempDir())
	if code != 1 || !strings.Contains(errs, "nothing is changed") || !strings.Contains(errs, ":2: MyActiveClient: unknown key (did you mean ActiveClient?)") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
