package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/test/ports"
)

// sensorOnce is a sensor that authenticates, asks for the interfaces and is done, for each connection.
func sensorOnce(t *testing.T, auth rpcap.AuthRequest) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w := rpcap.NewConn(c, rpcap.MaxReplyAccepted)
			deadline := time.Now().Add(40 * time.Second)
			_ = w.WriteMessage(deadline, auth.Append(nil))
			if h, _, err := w.ReadMessage(deadline); err == nil && h.Type == rpcap.TypeAuthReply {
				_ = w.WriteMessage(deadline, rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest))
			}
			_, _, _ = w.ReadMessage(deadline) // until the agent hangs up
			c.Close()
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func TestSetup(t *testing.T) {
	port := sensorOnce(t, rpcap.AuthRequest{Type: rpcap.AuthNull})
	ini := filepath.Join(t.TempDir(), "etc", "rpcapd.ini")
	args := []string{"setup", "-f", ini, "--run-dir", t.TempDir(), "--sensor", "127.0.0.1:" + port, "--interface", "no-such-if"}
	code, out, errs, _ := cli(t, args...)
	for _, want := range []string{
		"added: ActiveClient = 127.0.0.1, " + port + ", ifname=no-such-if\n", "added: NullAuthPermit = YES\n", "waits for an interface",
		"sensor 127.0.0.1:" + port + ": reached, authenticated, waiting for rules\n", "the agent is not running; start it with: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if code != 0 || errs != "" || t.Failed() {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if info, err := os.Stat(ini); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 { // no mode bits there
		t.Errorf("%v, %v: not for its owner and group alone", info.Mode(), err)
	}
	if code, out, errs, _ = cli(t, args...); code != 0 || !strings.Contains(out, "nothing to change") {
		t.Errorf("the second time: exit %d\n%s%s", code, out, errs)
	}
}

// The first ini is the shipped one, word for word, with the lines asked for behind their examples.
func TestSetupFirstIni(t *testing.T) {
	shipped, err := os.ReadFile("../../packaging/ini/rpcapd.ini")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "etc", "rpcapd", "rpcapd.ini")
	if code, out, errs, _ := cli(t, "setup", "-f", path, "--no-dial", "--no-reload", "--sensor", "192.0.2.1"); code != 0 || strings.Contains(out, "warning") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for line := range strings.Lines(string(text)) {
		switch {
		case line == "ActiveClient = 192.0.2.1, 2003\n" && strings.HasPrefix(before, "#ActiveClient = "):
		case line == "NullAuthPermit = YES\n" && before == "#"+line:
		case strings.HasPrefix(line, "#"), line == "\n":
		default:
			t.Errorf("%q behind %q", line, before)
		}
		before = line
	}
	rest := strings.NewReplacer("\nActiveClient = 192.0.2.1, 2003\n", "\n", "\nNullAuthPermit = YES\n", "\n").Replace(string(text))
	if rest != string(shipped) {
		t.Errorf("not the shipped file:\n%s", rest)
	}
	if c, problems := config.ParseAgent(path, text); len(problems) > 0 || !c.NullAuth || len(c.Targets) != 1 {
		t.Errorf("%v, %+v", problems, c)
	}
}

// An ini that lets no sensor in is told of: an explicit NO stays.
func TestSetupWarns(t *testing.T) {
	path := writeFile(t, "rpcapd.ini", "NullAuthPermit = NO\n")
	if code, out, errs, _ := cli(t, "setup", "-f", path, "--no-dial", "--no-reload", "--sensor", "192.0.2.1"); code != 0 || !strings.Contains(out, "warning: no sensor can authenticate") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestSetupFromEnvironment(t *testing.T) {
	t.Setenv("RPCAPD_SENSOR", "127.0.0.1")
	t.Setenv("RPCAPD_PORT", "2044")
	ini := writeFile(t, "rpcapd.ini", "# mine\n")
	if code, out, errs, _ := cli(t, "setup", "-f", ini, "--no-dial", "--no-reload", "--cidr", "10.1.2.3/16"); code != 0 || !strings.Contains(out, "added: ActiveClient = 127.0.0.1, 2044, ifaddr=10.1.0.0/16\n") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// What is in the way is told; the lines are written all the same.
func TestSetupTellsWhatIsWrong(t *testing.T) {
	nobody := strconv.Itoa(ports.Free(t))
	withPassword := sensorOnce(t, rpcap.AuthRequest{Type: rpcap.AuthPassword, User: "s1", Password: "secret"})
	hangsUp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangsUp.Close()
	go func() {
		for {
			c, err := hangsUp.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for _, c := range []struct{ port, want string }{
		{nobody, ": not reached: " + notListening(t, nobody)},
		{withPassword, `reached, the sensor's password for account "s1" is not the one in the ini: rpcapd passwd s1 creates the line`},
		{strconv.Itoa(hangsUp.Addr().(*net.TCPAddr).Port), "reached, it closes the connection at once: check that a sensor listens on this port"},
	} {
		ini := writeFile(t, "rpcapd.ini", "")
		code, out, errs, _ := cli(t, "setup", "-f", ini, "--run-dir", t.TempDir(), "--sensor", "127.0.0.1:"+c.port)
		if code != exitUnused || !strings.Contains(out, c.want) || !strings.Contains(errs, "the lines are written, but 127.0.0.1:"+c.port+" cannot be used now") {
			t.Errorf("want %q, exit %d\n%s%s", c.want, code, out, errs)
		}
		if text, err := os.ReadFile(ini); err != nil || !strings.Contains(string(text), "ActiveClient = 127.0.0.1, "+c.port) {
			t.Errorf("%v: %s", err, text)
		}
		if strings.Contains(out+errs, "secret") {
			t.Error("the password is told")
		}
	}
}

// notListening is how this system says that nobody listens on a port.
func notListening(t *testing.T, port string) string {
	t.Helper()
	_, err := net.Dial("tcp", "127.0.0.1:"+port)
	call := (*os.SyscallError)(nil)
	if !errors.As(err, &call) {
		t.Fatalf("somebody listens on port %s, or %v", port, err)
	}
	return call.Err.Error()
}

// The same interface twice would send each frame twice.
func TestSetupTwiceTheSame(t *testing.T) {
	ini := writeFile(t, "rpcapd.ini", "")
	cli(t, "setup", "-f", ini, "--no-dial", "--no-reload", "--sensor", "192.0.2.1", "--sensor", "192.0.2.1:2003", "--interface", "a", "--interface", "a")
	if text, err := os.ReadFile(ini); err != nil || strings.Count(string(text), "ActiveClient") != 1 {
		t.Errorf("%v\n%s", err, text)
	}
}

// Who gives a password is told if sensors come in without one all the same.
func TestSetupAccountBesideNullAuth(t *testing.T) {
	for text, told := range map[string]bool{"NullAuthPermit = YES\n": true, "NullAuthPermit = NO\n": false, "": false} {
		s := &setup{file: writeFile(t, "rpcapd.ini", text), account: "s1", sensors: []string{"192.0.2.1"}, fanout: 1, noDial: true, noReload: true}
		var out strings.Builder
		s.out = func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
		s.readPassword = func() (string, error) { return "secret", nil }
		if err := s.run(t.Context()); err != nil || strings.Contains(out.String(), "without a password") != told {
			t.Errorf("%q: %v\n%s", text, err, out.String())
		}
	}
}

func TestSetupRefuses(t *testing.T) {
	ini := writeFile(t, "rpcapd.ini", "ActiveClient = 127.0.0.1, 0\n")
	for want, args := range map[string][]string{
		"no sensor; name one with --sensor":           {},
		`--sensor "127.0.0.1:0"`:                      {"--sensor", "127.0.0.1:0"},
		`--cidr "10.0.0.0/33": write an address`:      {"--sensor", "127.0.0.1", "--cidr", "10.0.0.0/33"},
		"it has errors, fix these first: " + ini:      {"--sensor", "127.0.0.1"},
		"there is no C agent here":                    {"--migrate", "--root", t.TempDir()},
		"--fanout 0: write a number":                  {"--sensor", "127.0.0.1", "--fanout", "0"},
		"is a directory":                              {"--sensor", "127.0.0.1", "-f", t.TempDir()},
		"argument \"host\" is not understood; a file": {"host"},
	} {
		code, out, errs, _ := cli(t, append([]string{"setup", "-f", ini}, args...)...)
		if code == 0 || !strings.Contains(errs, want) || out != "" {
			t.Errorf("%q: exit %d, %s%s", args, code, out, errs)
		}
	}
	if text, err := os.ReadFile(ini); err != nil || string(text) != "ActiveClient = 127.0.0.1, 0\n" {
		t.Errorf("the file was changed: %v, %s", err, text)
	}
}

// A sensor that says nothing holds a script no longer than --timeout; the status tells it from a failure.
func TestSetupTimeout(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ini := writeFile(t, "rpcapd.ini", "")
	start := time.Now()
	code, out, errs, _ := cli(t, "setup", "-f", ini, "--no-reload", "--timeout", "200ms", "--sensor", silent.Addr().String())
	if took := time.Since(start); code != exitUnused || took >= probeTimeout || !strings.Contains(errs, "the lines are written") {
		t.Errorf("exit %d after %v\n%s%s", code, took, out, errs)
	}
	if err := finish(unusedError{os.ErrDeadlineExceeded}, os.ErrPermission); errors.As(err, new(unusedError)) || !errors.Is(err, os.ErrPermission) {
		t.Errorf("a failed reload counts as written: %v", err)
	}
}
