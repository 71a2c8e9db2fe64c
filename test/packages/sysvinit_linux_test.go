package packages

import (
	"strings"
	"testing"
)

// TestDebSysvinit: where init is sysvinit's, the package starts the agent by its init script, an upgrade
// restarts it unless its file has errors, and removal stops it. All of it is one command:
// processes end with theirs.
func TestDebSysvinit(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite, "sysvinit-core")
		if s.exists("/usr/lib/systemd/systemd") {
			t.Fatal("the system has systemd: nothing would be shown")
		}
		s.write("/sbin/runlevel", "#!/bin/sh\necho N 2\n", 0o755) // as after a boot: without one invoke-rc.d starts nothing
		s.put(deb(t, "rpcapd", oldVersion), "/root/old.deb")
		s.put(deb(t, "rpcapd", newVersion), "/root/new.deb")
		s.write("/root/good.ini", edited, 0o644)
		s.write("/root/broken.ini", broken, 0o644)
		out := s.run(strings.Join([]string{
			"set -e",
			"exec 2>&1 </dev/null",
			"dpkg -i /root/old.deb",
			"echo \"== installed: $(service rpcapd status)\"",
			"ls /etc/rc2.d | grep rpcapd",
			"getent passwd rpcapd",
			"cat /root/good.ini >" + ini,
			"service rpcapd reload",
			"sleep 1; echo \"== reloaded: $(rpcapd status | grep 192.0.2.1)\"",
			"grep '^Uid\\|^CapEff' /proc/$(pidof rpcapd)/status",
			"before=$(pidof rpcapd)",
			"cat /root/broken.ini >" + ini,
			"service rpcapd reload || echo == refused",
			"dpkg -i /root/new.deb",
			"[ $before = $(pidof rpcapd) ] && echo == goes on",
			"cat /root/good.ini >" + ini,
			"dpkg -i /root/new.deb",
			"[ $before != $(pidof rpcapd) ] && echo == restarted",
			"service rpcapd stop",
			"dpkg -i /root/old.deb",
			"pidof rpcapd || echo == stays stopped",
			"service rpcapd start",
			"dpkg -r rpcapd",
			"pidof rpcapd || echo == stopped",
			"dpkg -P rpcapd",
			"ls /etc/rc2.d /etc/init.d | grep rpcapd || echo == nothing left",
		}, "\n"))
		for _, want := range []string{
			"== installed: rpcapd is running", "rpcapd:x:", "== reloaded: 192.0.2.1:2003", "== refused", "rpcapd.ini:1: ", "is not restarted",
			"== goes on", "== restarted", "== stays stopped", "== stopped", "== nothing left", "CapEff:\t0000000000002000",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
		if strings.Contains(out, "Uid:\t0") {
			t.Error("the agent runs as root")
		}
	})
}
