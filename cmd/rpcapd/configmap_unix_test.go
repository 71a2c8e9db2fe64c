//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rpcapd/agent"
)

// volume is a folder as a kubelet makes it for a ConfigMap (atomic_writer.go of Kubernetes).
type volume struct {
	t   *testing.T
	dir string
}

// publish writes another version beside the old one, and lets one rename put it in force.
func (v volume) publish(name, ini string) {
	v.t.Helper()
	data := filepath.Join(v.dir, name)
	must := func(err error) {
		v.t.Helper()
		if err != nil {
			v.t.Fatal(err)
		}
	}
	must(os.Mkdir(data, 0o755))
	must(os.WriteFile(filepath.Join(data, "rpcapd.ini"), []byte(ini), 0o644))
	must(os.Symlink(name, filepath.Join(v.dir, "..data_tmp")))
	old, _ := os.Readlink(filepath.Join(v.dir, "..data"))
	must(os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
	if old != "" {
		must(os.RemoveAll(filepath.Join(v.dir, old)))
	}
}

// TestConfigMap: the agent reloads its ini when Kubernetes swaps the link, without a signal. A bad one changes nothing, and the
// status says so.
func TestConfigMap(t *testing.T) {
	v := volume{t, t.TempDir()}
	v.publish("..2026_11_28_1", "ActiveClient = 127.0.0.1, 1\n")
	ini := filepath.Join(v.dir, "rpcapd.ini")
	if err := os.Symlink("..data/rpcapd.ini", ini); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var errs bytes.Buffer
	cmd := program(t, "-n", "-r", emptyCapture(t), "--run-dir", dir)
	cmd.Env = append(cmd.Env, environmentPrefix+"FILE="+ini)
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 && st.Config == ini })

	v.publish("..2026_11_28_2", "ActiveClient = 127.0.0.1, 1\nActiveClient = 127.0.0.1, 2\n")
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 2 && st.Reload.Count == 1 })
	v.publish("..2026_11_28_3", "ActiveClient = 127.0.0.1, 1, ifnmae=eth0\n")
	st := await(t, dir, func(st *agent.Status) bool { return st.Reload.Count == 2 })
	if len(st.Sessions) != 2 || !strings.Contains(st.Reload.Error, "did you mean ifname?") {
		t.Errorf("a bad file: %+v", st)
	}
	v.publish("..2026_11_28_4", "ActiveClient = 127.0.0.1, 3\n")
	await(t, dir, func(st *agent.Status) bool {
		return st.Reload.Count == 3 && st.Reload.Error == "" && len(st.Sessions) == 1 && st.Sessions[0].Sensor == "127.0.0.1:3"
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(errs.String(), "the ini has changed"); n != 3 {
		t.Errorf("%d changes, want 3:\n%s", n, errs.String())
	}
}

// TestEnvironmentProcess: with nothing but variables the agent runs, and the commands find it.
func TestEnvironmentProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := program(t, "-r", emptyCapture(t))
	variables := []string{
		"RPCAPD_SENSOR=127.0.0.1", "RPCAPD_PORT=1", "RPCAPD_NULL_AUTH_PERMIT=YES", "RPCAPD_RUN_DIR=" + dir,
		"RPCAPD_SERVICE_HOST=10.0.0.1", "RPCAPD_PORT_2003_TCP=tcp://10.0.0.1:2003",
	}
	cmd.Env = append(cmd.Env, variables...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, dir, func(st *agent.Status) bool { return len(st.Sessions) == 1 && st.Sessions[0].Sensor == "127.0.0.1:1" })
	status := program(t, "status", "--probe", "live")
	status.Env = append(status.Env, variables...)
	if out, err := status.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
