package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/ports"
)

// begin runs the program until it ends, without anything of an environment. As root it is run as nobody.
func begin(t *testing.T, args ...string) (said string, code int) {
	t.Helper()
	exe := os.Args[0]
	cmd := exec.Command(exe, args...)
	cmd.Env, cmd.Dir = []string{asCommand + "=1"}, "/"
	if os.Getuid() == 0 {
		copied := filepath.Join(openDirectory(t), "rpcap-sensor")
		b, err := os.ReadFile(exe)
		if err == nil {
			err = os.WriteFile(copied, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd.Path = copied
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// openDirectory is a directory that everybody may enter.
func openDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "startup-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestStartFails: somebody who starts it for the first time, in a place where it cannot work, is told the thing, the place
// and the cure, in the last line, and nothing of agents that could not come.
func TestStartFails(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	taken, takenUDP := tcp.Addr().String(), udp.LocalAddr().(*net.UDPAddr).Port
	free, freeUDP := fmt.Sprintf("127.0.0.1:%d", ports.Free(t)), fmt.Sprint(ports.Free(t))
	closed := openDirectory(t)
	if err := os.Chmod(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"port taken":          {[]string{"--listen", taken, "--udp-port", freeUDP}, []string{"TCP port " + portOf(taken), "address already in use", "ss -lntup", "take another port"}},
		"capture, port taken": {[]string{"capture", "-w", "-", "--listen", taken, "--udp-port", freeUDP}, []string{"TCP port " + portOf(taken), "take another port with --listen and --udp-port"}},
		"data port taken":     {[]string{"--listen", free, "--udp-port", fmt.Sprint(takenUDP), "--udp-ports", "1"}, []string{fmt.Sprint("data port ", takenUDP), "address already in use", "take another port"}},
		"page's port taken":   {[]string{"--listen", free, "--udp-port", freeUDP, "--http", taken}, []string{"HTTP on " + taken, "address already in use"}},
		"low port":            {[]string{"--listen", "127.0.0.1:80", "--udp-port", freeUDP}, []string{"TCP port 80", "permission denied", "1024", "CAP_NET_BIND_SERVICE"}},
		"low data port":       {[]string{"--listen", free, "--udp-port", "100", "--udp-ports", "1"}, []string{"data port 100", "permission denied", "1024"}},
		"address elsewhere":   {[]string{"--listen", "192.0.2.77:2003"}, []string{"192.0.2.77", "no interface of this machine"}},
		"no right to write":   {[]string{"--listen", free, "-w", closed + "/x.pcapng"}, []string{closed + "/x.pcapng", "permission denied", "another directory"}},
		"no directory":        {[]string{"--listen", free, "-w", closed + "/no/x.pcapng"}, []string{closed + "/no/x.pcapng", "mkdir -p " + closed + "/no"}},
		"no tcpdump":          {[]string{"--listen", free, "--filter", "tcp"}, []string{"tcpdump", "install"}},
		"no file":             {[]string{"-f", "/nonexistent.ini"}, []string{"/nonexistent.ini", "rpcap-sensor.ini(5)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "low") {
				if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil && strings.TrimSpace(string(b)) == "0" {
					t.Skip("this system lets everybody have low ports")
				}
			}
			said, code := begin(t, tc.args...)
			lines := strings.Split(strings.TrimSpace(said), "\n")
			last := lines[len(lines)-1]
			if code != exitFailed || !strings.HasPrefix(last, "rpcap-sensor: ") {
				t.Errorf("exit code %d:\n%s", code, said)
			}
			for _, w := range tc.want {
				if !strings.Contains(last, w) {
					t.Errorf("%q is not in %q", w, last)
				}
			}
			for _, w := range []string{"no agent has connected", "0 connections", "bind:", "listen tcp"} {
				if strings.Contains(said, w) {
					t.Errorf("%q in\n%s", w, said)
				}
			}
		})
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
