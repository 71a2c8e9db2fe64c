package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// TestRootGoodHost: nothing fails, all ports and sizes pass; a running agent of the host goes on in the same session.
func TestRootGoodHost(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	dir := t.TempDir()
	ini := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(ini, []byte("ActiveClient = "+sensorAddress+", 2003, ifname=lo\nNullAuthPermit = YES\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runDir := filepath.Join(dir, "run")
	a := harness.StartIn(t, w.host, nil, harness.Program(t, "rpcapd"), "-f", ini, "--run-dir", runDir, "--user", "root")
	type session struct {
		State            string
		Since            time.Time
		Connects, Errors uint64
	}
	status := func() (st struct{ Sessions []session }) {
		b, err := os.ReadFile(filepath.Join(runDir, "status.json"))
		if err != nil || json.Unmarshal(b, &st) != nil {
			st.Sessions = nil
		}
		return st
	}
	a.Await("a capture", func() bool { st := status(); return len(st.Sessions) == 1 && st.Sessions[0].State == "capturing" })
	before := status().Sessions[0]
	x := w.doctorOf(t, nil, "-f", ini, "--run-dir", runDir)
	keep(t, "A good host", x.text, "-f", ini, "--run-dir", runDir)
	if x.code != 0 || x.report.Summary.Failed != 0 {
		t.Errorf("exit status %d:\n%s", x.code, x.text)
	}
	for _, check := range []string{"config", "agent", "right", "ring", "fanout", "dns", "tcp", "session", "data-ports", "path-mtu", "super-packets"} {
		x.want(t, check, ok)
	}
	x.want(t, "data-ports", ok, "2003 to 2034")
	if after := status().Sessions[0]; after.State != before.State || after.Connects != before.Connects || after.Errors != before.Errors || !after.Since.Equal(before.Since) {
		t.Errorf("the agent was disturbed: %+v, before %+v", after, before)
	}
	w.sensor.Says("test call of an agent's host", 1)
}

// TestRootPortDropped: a firewall drops one port.
func TestRootPortDropped(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	w.rules(t, "udp dport 2005 drop")
	x := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "tcp,session,data-ports,path-mtu")
	keep(t, "A firewall drops one port", x.text)
	x.want(t, "data-ports", failed, "UDP 2005: no echo", "2003 to 2004, 2006 to 2034: good", "nft add rule inet filter input udp dport 2005 accept")
	x.want(t, "path-mtu", ok)
	if x.code != 1 {
		t.Errorf("exit status %d", x.code)
	}
}

// TestRootPortRejected: a firewall answers for a port that the sensor has open.
func TestRootPortRejected(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	w.rules(t, "udp dport 2004 reject")
	x := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "data-ports")
	x.want(t, "data-ports", failed, "UDP 2004: rejected, although the sensor has the port open")
}

// TestRootBlackHole: long datagrams are lost without a word.
func TestRootBlackHole(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	w.rules(t, "udp length > 1400 drop")
	x := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "data-ports,path-mtu,super-packets")
	keep(t, "Long datagrams are lost", x.text)
	x.want(t, "data-ports", ok)
	x.want(t, "path-mtu", failed, "1392 bytes pass", "-t 1392")
	x.want(t, "super-packets", notChecked)
}

// TestRootSuperPacketsLost: what segmentation offload sends is dropped silently.
func TestRootSuperPacketsLost(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	w.rules(t, "meta length > 2000 drop")
	x := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "data-ports,path-mtu,super-packets")
	if r := x.worst(t, "super-packets"); r.State == warning {
		netlab.Missing(t, "this kernel makes no super-packets here: "+r.Seen)
	}
	keep(t, "Super-packets are lost", x.text)
	x.want(t, "path-mtu", ok)
	x.want(t, "super-packets", failed, "none arrived, single ones do", "--gso off")
	off := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "super-packets", "--gso", "off")
	off.want(t, "super-packets", notChecked)
}

// TestRootNoSensor: nothing listens, and then nothing answers at all; doctor ends soon.
func TestRootNoSensor(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	x := w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "dns,tcp,session,data-ports")
	keep(t, "The sensor is down", x.text)
	x.want(t, "tcp", failed, "connection refused", "systemctl start rpcap-sensor")
	x.want(t, "session", notChecked)
	x.want(t, "data-ports", notChecked)
	w.rules(t, "tcp dport 2003 drop")
	begun := time.Now()
	x = w.doctorOf(t, nil, "-n", "-a", sensorAddress, "--check", "tcp,data-ports")
	x.want(t, "tcp", failed, "no answer within", "tcp dport 2003 accept")
	if took := time.Since(begun); took > harness.Patience {
		t.Errorf("two runs took %v", took)
	}
}

// TestRootNameFails: no name server answers.
func TestRootNameFails(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	x := w.doctorOf(t, nil, "-n", "-a", "sensor.test.invalid", "--check", "dns,tcp")
	x.want(t, "dns", failed, "sensor.test.invalid", "write the sensor's address")
	x.want(t, "tcp", notChecked)
}

// TestRootNoCapability: an ordinary user without the right to capture.
func TestRootNoCapability(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	ordinary := func(cmd *netlab.Cmd) {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 1000, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 1000, HostID: os.Getgid(), Size: 1}}
	}
	x := w.doctorOf(t, ordinary, "-n", "-a", sensorAddress, "--check", "right,ring,fanout")
	keep(t, "No right to capture", x.text)
	x.want(t, "right", failed, "setcap cap_net_raw+ep")
	x.want(t, "ring", notChecked, "root")
}

// TestRootWrongPassword: the ini and the sensor do not agree.
func TestRootWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	w.start(t)
	x := w.doctorOf(t, nil, "-a", sensorAddress, "--check", "session,data-ports")
	x.want(t, "session", failed, "NullAuthPermit = YES")
	x.want(t, "data-ports", notChecked)
}
