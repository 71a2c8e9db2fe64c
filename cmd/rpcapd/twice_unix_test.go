//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/agent"
)

// stayRoot are the options with which a process of root stays one: built with cgo the agent changes its user by executing
// itself again, and another user cannot enter the folder of a test's program.
func stayRoot() []string {
	if os.Getuid() != 0 {
		return nil
	}
	return []string{"--user", "root"}
}

// TestSameIniTwice: a second agent does not start, neither with another run directory nor after the file was replaced and
// read again.
func TestSameIniTwice(t *testing.T) {
	dir := t.TempDir()
	ini := writeFile(t, "rpcapd.ini", "ActiveClient = 127.0.0.1, 1\nNullAuthPermit = YES\n")
	if err := os.Chmod(ini, 0o644); err != nil { // started by root, the agent becomes another user
		t.Fatal(err)
	}
	first := program(t, append(stayRoot(), "-f", ini, "--run-dir", dir)...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 })
	second := func() {
		t.Helper()
		var errs bytes.Buffer
		cmd := program(t, append(stayRoot(), "-f", ini, "--run-dir", t.TempDir())...)
		cmd.Stderr = &errs
		err := cmd.Run()
		want := fmt.Sprintf("rpcapd: not started: %s: process %d already uses it", ini, first.Process.Pid)
		if exitCode(err) != exitFailed || !strings.Contains(errs.String(), want) {
			t.Errorf("%v, want exit 1 and %q:\n%s", err, want, errs.String())
		}
	}
	second()
	if code, out, errs, _ := cli(t, "setup", "-f", ini, "--run-dir", dir, "--no-dial", "--sensor", "127.0.0.1:2"); code != exitOK || !strings.Contains(out, "uses the new lines") {
		t.Fatalf("setup: exit %d, %s%s", code, out, errs)
	}
	second()
	// What sends nothing twice may run beside it.
	other := t.TempDir()
	dry := program(t, append(stayRoot(), "-f", ini, "-y", "--run-dir", other)...)
	if err := dry.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, other, func(st *agent.Status) bool { return len(st.Sessions) == 2 })
	_ = dry.Process.Kill()
	_ = dry.Wait()
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	next := program(t, append(stayRoot(), "-f", ini, "--run-dir", dir)...)
	if err := next.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = next.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return st.PID == next.Process.Pid })
}

// TestReloadSignalsTheAgent: the status file belongs to an unprivileged user, who may write any process into it.
func TestReloadSignalsTheAgent(t *testing.T) {
	dir := t.TempDir()
	ini := writeFile(t, "rpcapd.ini", "ActiveClient = 127.0.0.1, 1\n")
	cmd := program(t, append(stayRoot(), "-f", ini, "-n", "-r", emptyCapture(t), "--run-dir", dir)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 })
	victim := program(t)
	victim.Env = append(os.Environ(), asSleeper+"=1")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = victim.Process.Kill() })
	forged := fmt.Sprintf(`{"pid": %d, "config": %q}`, victim.Process.Pid, ini)
	if err := os.WriteFile(filepath.Join(dir, agent.StatusFile), []byte(forged), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs, _ := cli(t, "reload", "--run-dir", dir)
	if want := fmt.Sprintf("reloaded: process %d uses ", cmd.Process.Pid); code != exitOK || !strings.Contains(out, want) {
		t.Errorf("exit %d, want %q\n%s%s", code, want, out, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, agent.StatusFile), []byte(forged), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs, _ := cli(t, "status", "--pid", "--run-dir", dir); code != 0 || strings.TrimSpace(out) != fmt.Sprint(cmd.Process.Pid) {
		t.Errorf("status --pid: exit %d, %s%s", code, out, errs)
	}
	ended := make(chan error, 1)
	go func() { ended <- victim.Wait() }()
	select {
	case err := <-ended:
		t.Errorf("the process that the file named has ended: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
}

// TestPipesInTheRunDirectory: whoever may write there can put a pipe where the agent writes. It still ends at once.
func TestPipesInTheRunDirectory(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, "-n", "-a", "127.0.0.1,1", "-r", emptyCapture(t), "--run-dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	before := await(t, dir, func(st *agent.Status) bool { return st.PID > 0 })
	for _, name := range []string{"status.json.tmp", "rpcapd.prom.tmp"} {
		err := syscall.Mkfifo(filepath.Join(dir, name), 0o666)
		for ; errors.Is(err, syscall.EEXIST); err = syscall.Mkfifo(filepath.Join(dir, name), 0o666) { // it is writing now
			time.Sleep(time.Millisecond)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	await(t, dir, func(st *agent.Status) bool { return st.Updated.After(before.Updated.Add(4 * time.Second)) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(40 * time.Second):
		t.Error("SIGTERM does not end it")
	}
}
