package packages

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// settleLimit is how long a service may take to be as expected.
const settleLimit = 20 * time.Second

// pid is the main process of the agent's unit.
func (s *system) pid(unit string) string { return s.property(unit, "MainPID") }

// journal returns the messages of a unit since the machine was booted.
func (s *system) journal(unit string) string {
	s.t.Helper()
	return s.run("journalctl --no-pager -o cat -u " + unit)
}

// TestBootFresh: the installed service runs as an ordinary user with one capability, says once
// that there is no line, costs nothing, and takes a line up on reload.
func TestBootFresh(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", newVersion)
		s.wants("systemctl is-enabled rpcapd", "enabled")
		s.wants("systemctl is-active rpcapd", "active")
		const says = "no ActiveClient line in /etc/rpcapd/rpcapd.ini"
		s.until(settleLimit, "journalctl --no-pager -o cat -u rpcapd", says)
		pid := s.pid("rpcapd")
		s.wants("stat -c %U /proc/"+pid, "rpcapd")
		s.wants("cat /proc/"+pid+"/status", "CapEff:\t0000000000002000", "CapPrm:\t0000000000002000", "CapBnd:\t0000000000002000", "NoNewPrivs:\t1", "Seccomp:\t2")
		s.wants("stat -c '%U %a' /run/rpcapd", "rpcapd 755")

		before, err := strconv.Atoi(s.property("rpcapd", "CPUUsageNSec"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second) // what is measured is a time
		after, err := strconv.Atoi(s.property("rpcapd", "CPUUsageNSec"))
		if err != nil {
			t.Fatal(err)
		}
		if used := time.Duration(after - before); used > 30*time.Millisecond {
			t.Errorf("idle, it used %v of 3 s", used)
		}
		if n := strings.Count(s.journal("rpcapd"), "no ActiveClient line"); n != 1 {
			t.Errorf("said %d times that there is no line:\n%s", n, s.journal("rpcapd"))
		}

		s.edit(ini, edited)
		s.run("systemctl reload rpcapd")
		s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")
		if s.pid("rpcapd") != pid {
			t.Error("a reload has started another process")
		}
		s.edit(ini, broken)
		if out, code := s.try("systemctl reload rpcapd"); code == 0 {
			t.Errorf("the reload of a broken file did not fail:\n%s", out)
		}
		s.wants("rpcapd status", "192.0.2.1:2003")
		s.wants("systemctl is-active rpcapd", "active")
		if s.pid("rpcapd") != pid {
			t.Error("a refused reload has ended the process")
		}
	})
}

// TestBootUpgrade: an upgrade restarts the agent, unless its file has errors; the
// package is configured in any case, and what runs goes on.
func TestBootUpgrade(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", oldVersion)
		s.edit(ini, edited)
		s.run("systemctl reload rpcapd")
		pid := s.pid("rpcapd")
		s.edit(ini, broken)
		out := s.installDeb(t, "rpcapd", newVersion)
		for _, want := range []string{"rpcapd.ini:1: ", "rpcapd.ini:2: ", "is not restarted", "systemctl restart rpcapd"} {
			if !strings.Contains(out, want) {
				t.Errorf("the upgrade does not say %q:\n%s", want, out)
			}
		}
		s.wants("dpkg-query -f '${Status}' -W rpcapd", "install ok installed")
		if got := s.pid("rpcapd"); got != pid {
			t.Errorf("process %s is now %s", pid, got)
		}
		s.wants("rpcapd status", "rpcapd "+oldVersion, "192.0.2.1:2003")

		// The same for one that the service cannot read, as after a copy by root.
		s.edit(ini, edited)
		s.run("chown root:root " + ini)
		if out := s.installDeb(t, "rpcapd", newVersion); !strings.Contains(out, "permission denied") || s.pid("rpcapd") != pid {
			t.Errorf("process %s is now %s with a file that the service cannot read:\n%s", pid, s.pid("rpcapd"), out)
		}
		s.run("chgrp rpcapd " + ini)

		s.installDeb(t, "rpcapd", newVersion)
		if s.pid("rpcapd") == pid {
			t.Error("the old process runs after an upgrade with a good file")
		}
		s.until(settleLimit, "rpcapd status", "rpcapd "+newVersion)

		s.run("systemctl stop rpcapd")
		s.installDeb(t, "rpcapd", oldVersion)
		if out, _ := s.try("systemctl is-active rpcapd"); strings.TrimSpace(out) != "inactive" {
			t.Errorf("a stopped service is %s after a change of version", out)
		}
		s.run("systemctl start rpcapd")
		s.run("dpkg -r rpcapd")
		if out, _ := s.try("systemctl is-active rpcapd; pidof rpcapd"); strings.TrimSpace(out) != "inactive" {
			t.Errorf("after removal: %s", out)
		}
		s.installDeb(t, "rpcapd", newVersion)
		s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")
		s.run("dpkg -P rpcapd")
		if s.exists(ini) || s.exists("/run/rpcapd") {
			t.Error("purge has left files")
		}
	})
}

// TestBootComesBack: what kills the agent does not end the service.
func TestBootComesBack(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", newVersion)
		s.edit(ini, edited)
		s.run("systemctl reload rpcapd")
		s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")
		pid := s.pid("rpcapd")
		s.run("kill -9 " + pid)
		s.until(settleLimit, "systemctl show -p NRestarts rpcapd", "NRestarts=1")
		s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")

		s.run("systemctl stop rpcapd")
		if out := s.property("rpcapd", "Result"); out != "success" {
			t.Errorf("SIGTERM ended it with %s", out)
		}
	})
}

// TestBootInstances: several agents, each with its own file and run directory.
func TestBootInstances(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", oldVersion)
		s.write("/etc/rpcapd/two.ini", strings.ReplaceAll(edited, "192.0.2.1", "192.0.2.2"), 0o640)
		s.run("chgrp rpcapd /etc/rpcapd/two.ini; systemctl enable --now rpcapd@two")
		s.until(settleLimit, "rpcapd status --run-dir /run/rpcapd-two", "192.0.2.2:2003")
		s.run("systemctl restart rpcapd")
		s.wants("rpcapd status --run-dir /run/rpcapd-two", "192.0.2.2:2003")
		s.run("systemctl reload rpcapd@two")
		s.installDeb(t, "rpcapd", newVersion)
		s.until(settleLimit, "rpcapd status --run-dir /run/rpcapd-two", "rpcapd "+newVersion)
		s.run("dpkg -r rpcapd")
		if out, _ := s.try("pidof rpcapd"); strings.TrimSpace(out) != "" {
			t.Errorf("processes %s are left", out)
		}
	})
}

// TestBootJournal: messages carry their priority and their fields.
func TestBootJournal(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", newVersion)
		s.edit(ini, edited)
		s.run("systemctl reload rpcapd")
		var priority, version bool
		for line := range strings.Lines(s.run("journalctl --no-pager -o json -u rpcapd _COMM=rpcapd")) {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			message, _ := entry["MESSAGE"].(string)
			if strings.Contains(message, "no ActiveClient line") {
				priority = entry["PRIORITY"] == "4"
			}
			if strings.Contains(message, "agent started") {
				version = entry["RPCAPD_VERSION"] == newVersion && (entry["PRIORITY"] == "6" || entry["PRIORITY"] == "5")
			}
		}
		if !priority || !version {
			t.Errorf("priority of a warning: %v; field of the start: %v\n%s", priority, version, s.run("journalctl --no-pager -o verbose -u rpcapd"))
		}
	})
}

// TestBootWatchdog: an agent that hangs is replaced.
func TestBootWatchdog(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", newVersion)
		if s.property("rpcapd", "WatchdogUSec") == "0" {
			t.Fatal("the unit has no watchdog")
		}
		s.write("/etc/systemd/system/rpcapd.service.d/watchdog.conf", "[Service]\nWatchdogSec=2\n", 0o644)
		s.run("systemctl daemon-reload && systemctl restart rpcapd")
		pid := s.pid("rpcapd")
		time.Sleep(6 * time.Second) // three times what a watchdog that is not fed would take
		if s.pid("rpcapd") != pid {
			t.Fatal("a healthy agent was replaced")
		}
		s.run("kill -STOP " + pid)
		s.until(settleLimit, "journalctl --no-pager -o cat -u rpcapd", "Watchdog timeout")
		s.until(settleLimit, "systemctl show -p MainPID,SubState rpcapd", "SubState=running")
		if s.pid("rpcapd") == pid {
			t.Error("the process that hung is still there")
		}
	})
}

// TestBootUnits: systemd reads the units without a complaint, and counts the exposure that
// was promised.
func TestBootUnits(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newMachine(t, suite)
		s.installDeb(t, "rpcapd", newVersion)
		s.installDeb(t, "rpcap-sensor", newVersion)
		for _, unit := range []string{"rpcapd.service", "rpcapd@x.service", "rpcap-sensor.service", "rpcap-sensor@x.service"} {
			out, code := s.try("systemd-analyze verify --man=no --recursive-errors=no " + unit)
			for line := range strings.Lines(out) {
				if strings.TrimSpace(line) != "" {
					t.Errorf("verify %s: status %d: %s", unit, code, line)
				}
			}
			out = s.run("systemd-analyze security " + unit + " | tail -1")
			_, rest, _ := strings.Cut(out, "level for "+unit+": ")
			score, err := strconv.ParseFloat(strings.Fields(rest + " ?")[0], 64)
			if err != nil || score > 1.8 {
				t.Errorf("%s", out)
			}
			t.Log(strings.TrimSpace(out))
		}
	})
}
