package packages

import (
	"strings"
	"testing"
	"time"
)

const (
	ini       = "/etc/rpcapd/rpcapd.ini"
	sensorIni = "/etc/rpcap-sensor/rpcap-sensor.ini"
	edited    = "# edited by hand\nActiveClient = 192.0.2.1, 2003\nNullAuthPermit = YES\n"
	broken    = "ActiveClient = 192.0.2.1, 2003, ifnmae=eth1\nMaxRate = 7\n"
)

// onDebian runs a test on each of the systems.
func onDebian(t *testing.T, test func(t *testing.T, suite string)) {
	full(t)
	for _, suite := range suites {
		t.Run(suite, func(t *testing.T) { test(t, suite) })
	}
}

// installDeb puts a package into the system and installs it as apt would.
func (s *system) installDeb(t *testing.T, program, version string, env ...string) string {
	t.Helper()
	name := "/root/" + program + "-" + version + ".deb"
	s.put(deb(t, program, version), name)
	return s.run("dpkg --force-unsafe-io -i "+name, env...)
}

// TestDebLife: the configuration survives everything but purge, and nothing is ever asked.
func TestDebLife(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		expect := func(when, text string) {
			t.Helper()
			if got := s.read(ini); got != text {
				t.Errorf("%s: the ini is\n%s", when, got)
			}
			s.wants("stat -c '%U:%G %a' "+ini, "root:rpcapd 640")
		}
		s.installDeb(t, "rpcapd", oldVersion)
		expect("installation", s.read("/usr/share/rpcapd/rpcapd.ini"))
		s.wants("rpcapd version", oldVersion)
		s.wants("rpcapd check", "good, 0 sensor lines")
		s.wants("getent passwd rpcapd", "nologin")
		s.wants("passwd --status rpcapd", "rpcapd L ")
		if out := s.run("dpkg-query -f '${Conffiles}' -W rpcapd"); strings.Contains(out, "rpcapd.ini") {
			t.Errorf("conffiles: %s", out)
		}

		s.edit(ini, edited)
		s.edit("/etc/default/rpcapd", "RPCAPD_OPTIONS=\"-z 32M\"\n")
		s.installDeb(t, "rpcapd", newVersion)
		expect("upgrade", edited)
		s.wants("rpcapd version", newVersion)
		s.installDeb(t, "rpcapd", oldVersion)
		expect("downgrade", edited)
		s.installDeb(t, "rpcapd", oldVersion)
		expect("the same again", edited)
		s.run("dpkg -r rpcapd")
		expect("removal", edited)
		if s.exists("/usr/sbin/rpcapd") || s.exists("/usr/share/rpcapd") {
			t.Error("removal has left the program")
		}
		s.installDeb(t, "rpcapd", newVersion)
		expect("reinstallation", edited)

		s.wants("cat /etc/default/rpcapd", "-z 32M")

		s.edit(ini, broken)
		s.installDeb(t, "rpcapd", oldVersion)
		expect("downgrade with a broken file", broken)
		s.wants("dpkg-query -f '${Status}' -W rpcapd", "install ok installed")

		s.write(ini+".extrahop", edited, 0o640)
		s.run("dpkg -P rpcapd")
		if s.exists("/etc/rpcapd") {
			t.Error("purge has left /etc/rpcapd")
		}
		s.wants("getent passwd rpcapd", "nologin")
		s.wants("passwd --status rpcapd", "rpcapd L ")
		if out := s.run("find / -xdev -newer /root -name '*rpcapd*' -not -path '/root/*' -not -path '/proc/*' -not -path '/tmp/*' 2>/dev/null || :"); strings.TrimSpace(out) != "" {
			t.Errorf("purge has left\n%s", out)
		}
		s.installDeb(t, "rpcapd", newVersion)
		expect("installation after purge", s.read("/usr/share/rpcapd/rpcapd.ini"))
	})
}

// TestDebSensorLife is the same for the sensor; what it captured is never removed.
func TestDebSensorLife(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		s.installDeb(t, "rpcap-sensor", oldVersion)
		s.wants("stat -c '%U:%G %a' "+sensorIni, "root:rpcap-sensor 640")
		s.wants("rpcap-sensor version", oldVersion)
		s.edit(sensorIni, "[rule mine]\n")
		s.installDeb(t, "rpcap-sensor", newVersion)
		s.run("dpkg -r rpcap-sensor")
		if got := s.read(sensorIni); got != "[rule mine]\n" {
			t.Errorf("the ini is %q", got)
		}
		s.write("/var/lib/rpcap-sensor/all.pcapng", "frames", 0o640)
		s.run("dpkg -P rpcap-sensor")
		if s.exists(sensorIni) || !s.exists("/var/lib/rpcap-sensor/all.pcapng") {
			t.Error("purge: the ini is left, or what was captured is gone")
		}
	})
}

// TestDebConflict: a program of another package is not overwritten, and the reason and the
// cure are said before anything is unpacked.
func TestDebConflict(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		s.write("/root/other/DEBIAN/control", "Package: other-agent\nVersion: 9\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: another agent\n", 0o644)
		s.write("/root/other/usr/sbin/rpcapd", "#!/bin/sh\necho other\n", 0o755)
		s.run("dpkg-deb --root-owner-group -b /root/other /root/other.deb && dpkg -i /root/other.deb")
		s.put(deb(t, "rpcapd", newVersion), "/root/rpcapd.deb")
		out, code := s.try("dpkg -i /root/rpcapd.deb")
		if code == 0 || !strings.Contains(out, "conflicts with the installed package other-agent") || !strings.Contains(out, "apt-get remove other-agent") {
			t.Errorf("status %d\n%s", code, out)
		}
		s.wants("/usr/sbin/rpcapd", "other")
		s.run("dpkg --audit")
		s.run("dpkg -r other-agent && dpkg -i /root/rpcapd.deb")
		s.wants("rpcapd version", newVersion)
	})
}

// TestDebForeignInitScript: the script of the C agent's installer is stopped and moved aside; one
// that a package owns is left.
func TestDebForeignInitScript(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		const script = "#!/bin/sh\n# /opt/extrahop/sbin/rpcapd -v -d -L -f /opt/extrahop/etc/rpcapd.ini\necho \"$1\" >>/root/calls\nexit 3\n"
		s.write("/etc/init.d/rpcapd", script, 0o755)
		s.write("/opt/extrahop/etc/rpcapd.ini", edited, 0o644)
		out := s.installDeb(t, "rpcapd", newVersion)
		for _, want := range []string{"belongs to no package", "rpcapd.dpkg-old", "rpcapd setup --migrate"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not said:\n%s", want, out)
			}
		}
		if got := s.read("/root/calls"); got != "stop\n" {
			t.Errorf("the script was called with %q", got)
		}
		if got := s.read("/etc/init.d/rpcapd.dpkg-old"); got != script {
			t.Errorf("the copy is %q", got)
		}
		if s.exists("/etc/init.d/rpcapd") && strings.Contains(s.read("/etc/init.d/rpcapd"), "extrahop") {
			t.Error("the script is still there")
		}
	})
}

// TestDebUnattended: the sensor comes from the environment of the installation.
func TestDebUnattended(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		start := time.Now()
		out := s.installDeb(t, "rpcapd", newVersion, "RPCAPD_SENSOR=192.0.2.7", "RPCAPD_PORT=2010")
		if took := time.Since(start); took > 20*time.Second || !strings.Contains(out, "192.0.2.7 is written, but it could not be used now") {
			t.Errorf("took %v\n%s", took, out)
		}
		s.wants("rpcapd check", "connects to 192.0.2.7:2010")
		s.wants("stat -c '%U:%G %a' "+ini, "root:rpcapd 640")
		s.wants("grep -c '^#' "+ini, "") // the explanations are still there
	})
}
