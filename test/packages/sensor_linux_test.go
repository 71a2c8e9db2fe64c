package packages

import (
	"strings"
	"testing"
	"time"
)

// TestBootSensor: the sensor's service is not started before its rules are written; a filter is compiled
// inside its sandbox, a broken file is refused at reload and survives an upgrade, and what kills it
// does not end it.
func TestBootSensor(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite, "tcpdump")
		s.installDeb(t, "rpcap-sensor", oldVersion)
		if out, _ := s.try("systemctl is-active rpcap-sensor; systemctl is-enabled rpcap-sensor"); out != "inactive\ndisabled\n" {
			t.Errorf("after installation: %s", out)
		}
		const good = "[rule one]\nFilter = tcp port 443\n[output]\nFile = /var/lib/rpcap-sensor/all.pcapng\n"
		s.edit(sensorIni, good)
		s.run("systemctl enable --now rpcap-sensor")
		pid := s.pid("rpcap-sensor")
		s.wants("stat -c %U /proc/"+pid, "rpcap-sensor")
		s.wants("cat /proc/"+pid+"/status", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")
		s.until(settleLimit, "ss -ltn", ":2003")

		s.edit(sensorIni, good+"[rule two]\nPort = 2004\n")
		s.run("systemctl reload rpcap-sensor")
		s.until(settleLimit, "ss -ltn", ":2004")
		s.edit(sensorIni, "[rule one]\nPort = 99999\n")
		if out, code := s.try("systemctl reload rpcap-sensor"); code == 0 {
			t.Errorf("a broken file was taken: %s", out)
		}
		out := s.installDeb(t, "rpcap-sensor", newVersion)
		if !strings.Contains(out, "is not restarted") || !strings.Contains(out, "rpcap-sensor.ini:2: ") || s.pid("rpcap-sensor") != pid {
			t.Errorf("with a broken file: process %s is now %s\n%s", pid, s.pid("rpcap-sensor"), out)
		}
		s.edit(sensorIni, good)
		s.installDeb(t, "rpcap-sensor", newVersion)
		if s.pid("rpcap-sensor") == pid {
			t.Error("with a good file it was not restarted")
		}
		s.write("/etc/rpcap-sensor/two.ini", "[rule two]\nPort = 2010\n[data]\nFirstPort = 3000\n", 0o640)
		s.run("chgrp rpcap-sensor /etc/rpcap-sensor/two.ini; systemctl enable --now rpcap-sensor@two")
		s.until(settleLimit, "ss -ltn", ":2010")
		s.run("systemctl reload rpcap-sensor@two")
		s.run("kill -9 " + s.pid("rpcap-sensor"))
		s.until(settleLimit, "systemctl show -p NRestarts rpcap-sensor", "NRestarts=1")
		s.until(settleLimit, "ss -ltn", ":2003")
		s.write("/etc/systemd/system/rpcap-sensor.service.d/watchdog.conf", "[Service]\nWatchdogSec=2\n", 0o644)
		s.run("systemctl daemon-reload && systemctl restart rpcap-sensor")
		pid = s.pid("rpcap-sensor")
		time.Sleep(6 * time.Second) // three times what a watchdog that is not fed would take
		if s.pid("rpcap-sensor") != pid {
			t.Error("a healthy sensor was replaced")
		}
		s.run("kill -STOP " + pid)
		s.until(settleLimit, "journalctl --no-pager -o cat -u rpcap-sensor", "Watchdog timeout")
		s.until(settleLimit, "systemctl show -p SubState rpcap-sensor", "SubState=running")
		s.run("dpkg -P rpcap-sensor")
		if out, _ := s.try("pidof rpcap-sensor"); strings.TrimSpace(out) != "" || s.exists(sensorIni) {
			t.Error("purge has left the process or the ini")
		}
	})
}

// TestBootSensorTap: the drop-in of the documentation is what a TAP interface needs, and nothing more.
func TestBootSensorTap(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcap-sensor", newVersion)
		s.run("mkdir -p /dev/net && rm -f /dev/net/tun && mknod -m 666 /dev/net/tun c 10 200") // as udev makes it
		s.edit(sensorIni, "[rule one]\n[tap]\nInterface = rpcap0\n")
		s.run("mkdir -p /etc/systemd/system/rpcap-sensor.service.d && cp /usr/share/doc/rpcap-sensor/examples/tap.conf /etc/systemd/system/rpcap-sensor.service.d && systemctl daemon-reload")
		if _, code := s.try("systemctl start rpcap-sensor"); code != 0 {
			t.Fatalf("it did not start:\n%s\n%s", s.journal("rpcap-sensor"), s.run("ls -l /dev/net/tun; ip link"))
		}
		s.until(settleLimit, "ip -o link show rpcap0", "UP")
		s.wants("cat /proc/"+s.pid("rpcap-sensor")+"/status", "CapEff:\t0000000000001000") // CAP_NET_ADMIN
		t.Log(s.journal("rpcap-sensor"))
		s.run("systemctl stop rpcap-sensor")
		if out, code := s.try("ip link show rpcap0"); code == 0 {
			t.Errorf("the interface is left: %s", out)
		}
	})
}
