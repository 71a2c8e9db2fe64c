//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/agent"
)

// program is rpcapd as a process of its own. It forwards a file, so that it needs
// no rights and gives none up, to a port on which nobody listens.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "INVOCATION_ID=", "NOTIFY_SOCKET=")
	return cmd
}

// await waits for the status of an agent to be as wanted.
func await(t *testing.T, dir string, want func(*agent.Status) bool) *agent.Status {
	t.Helper()
	var last *agent.Status
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if st, err := agent.ReadStatus(dir); err == nil {
			if last = st; want(st) {
				return st
			}
		}
	}
	t.Fatalf("the agent's status is not as wanted: %+v", last)
	return nil
}

func TestProcess(t *testing.T) {
	dir := t.TempDir()
	ini := writeFile(t, "rpcapd.ini", "ActiveClient = 127.0.0.1, 1\n")
	var errs bytes.Buffer
	cmd := program(t, "-f", ini, "-n", "-r", emptyCapture(t), "--run-dir", dir)
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 && st.Config == ini })

	signal := func(s os.Signal) {
		t.Helper()
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(ini, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		signal(syscall.SIGHUP)
	}
	write("ActiveClient = 127.0.0.1, 1\nActiveClient = 127.0.0.1, 2\n")
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 2 })
	write("ActiveClient = 127.0.0.1, 1\nActiveClient = 127.0.0.1, 2\nActiveClient = 127.0.0.1, 99999\n")
	write("ActiveClient = 127.0.0.1, 2\n")
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 && st.Sessions[0].Sensor == "127.0.0.1:2" })

	// rpcapd reload tells whether the agent took the file.
	reload := func(text string) (int, string) {
		t.Helper()
		if err := os.WriteFile(ini, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs, _ := cli(t, "reload", "--run-dir", dir)
		return code, out + errs
	}
	if code, text := reload("ActiveClient = 127.0.0.1, 99999\n"); code != exitFailed || !strings.Contains(text, "keeps its old configuration") || !strings.Contains(text, ini+":1: ") {
		t.Errorf("a bad file: exit %d, %s", code, text)
	}
	if code, text := reload("ActiveClient = 127.0.0.1, 3\n"); code != exitOK || !strings.Contains(text, "reloaded: process ") {
		t.Errorf("a good file: exit %d, %s", code, text)
	}
	if code, out, errs, _ := cli(t, "setup", "-f", ini, "--run-dir", dir, "--no-dial", "--sensor", "127.0.0.1:4"); code != exitOK || !strings.Contains(out, "uses the new lines") {
		t.Errorf("setup: exit %d, %s%s", code, out, errs)
	}
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 2 })

	start := time.Now()
	signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if d := time.Since(start); d > 40*time.Second {
		t.Errorf("took %v to stop", d)
	}
	for _, want := range []string{"agent started", "configuration reloaded", "agent stopped"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, errs.String())
		}
	}
}

// A status file that an agent left behind when it was killed is no agent.
func TestReloadOfNobody(t *testing.T) {
	for what, names := range map[string][]string{"no files": nil, "left over": {agent.StatusFile, "rpcapd.lock"}} {
		dir := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(`{"pid": 1}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, errs, _ := cli(t, "reload", "--run-dir", dir); code != exitAbsent || !strings.Contains(errs, "no agent is running") {
			t.Errorf("%s: exit %d, %s", what, code, errs)
		}
	}
}

// The starting process ends with 0 only when the agent runs, in a session of its own.
func TestDetach(t *testing.T) {
	dir := t.TempDir()
	out, err := program(t, "-d", "-n", "-a", "127.0.0.1,1", "-r", emptyCapture(t), "--run-dir", dir).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	st, err := agent.ReadStatus(dir) // an init script asks at once
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(st.PID, syscall.SIGKILL) })
	if code, text, errs, _ := cli(t, "status", "--pid", "--run-dir", dir); code != 0 || strings.TrimSpace(text) != strconv.Itoa(st.PID) {
		t.Errorf("status --pid: exit %d, %q, %s; want %d", code, text, errs, st.PID)
	}
	if st.PID == os.Getpid() {
		t.Fatal("it is not a process of its own")
	}
	if group, err := syscall.Getpgid(st.PID); err != nil || group != st.PID {
		t.Errorf("process %d is in group %d, %v: not the leader of a session", st.PID, group, err)
	}
	if err := syscall.Kill(st.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, agent.StatusFile)); os.IsNotExist(err) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it did not stop")
		}
	}
}

// What goes wrong in the background is told in the foreground.
func TestDetachTellsFailure(t *testing.T) {
	for want, args := range map[string][]string{
		"no-such.pcap: no such file or directory": {"-d", "-n", "-a", "127.0.0.1,1", "-r", "/no-such.pcap"},
		"no-such.ini: no such file or directory":  {"-d", "-f", "/no-such.ini"},
		"not started: 1 error in":                 {"-d", "-f", writeFile(t, "x.ini", "ActiveClient =\n")},
	} {
		out, err := program(t, append(args, "--run-dir", t.TempDir())...).CombinedOutput()
		if code := exitCode(err); code != exitFailed || !strings.Contains(string(out), want) {
			t.Errorf("%q: exit %d, %s", args, code, out)
		}
	}
}

func exitCode(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return 0
}

// Under systemd -d does not detach: the process would be taken for dead.
func TestNoDetachUnderSystemd(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, "-d", "-n", "-a", "127.0.0.1,1", "-r", emptyCapture(t), "--run-dir", dir)
	cmd.Env = append(cmd.Env, "INVOCATION_ID=x", "SYSTEMD_EXEC_PID=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	st := await(t, dir, func(st *agent.Status) bool { return st.PID > 0 })
	if st.PID != cmd.Process.Pid {
		t.Errorf("runs as process %d, started as %d", st.PID, cmd.Process.Pid)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
