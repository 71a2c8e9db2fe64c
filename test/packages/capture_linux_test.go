package packages

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestBootCapture: two machines with the packages, joined by a veth, and real frames from an
// interface of the one into a file of the other:
//
//	agent:  traf0 (10.8.0.1/24) ─► rpcapd ─► eth1 10.9.0.1 ═veth═ 10.9.0.2 eth1 ─► rpcap-sensor ─► all.pcapng
func TestBootCapture(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		agent, sensor := newMachine(t, suite), newMachine(t, suite)
		link := exec.Command("ip", "link", "add", "eth1", "netns", strconv.Itoa(agent.leader), "type", "veth", "peer", "name", "eth1", "netns", strconv.Itoa(sensor.leader))
		if out, err := link.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		agent.run("ip addr add 10.9.0.1/24 dev eth1 && ip link set eth1 up && ip link add traf0 type veth peer name traf1 && ip link set traf1 up && ip addr add 10.8.0.1/24 dev traf0 && ip link set traf0 up && ip neigh add 10.8.0.2 lladdr 02:00:00:00:00:02 dev traf0")
		sensor.run("ip addr add 10.9.0.2/24 dev eth1 && ip link set eth1 up")

		sensor.installDeb(t, "rpcap-sensor", newVersion)
		if out, _ := sensor.try("systemctl is-active rpcap-sensor"); strings.TrimSpace(out) != "inactive" {
			t.Errorf("the sensor listens before anybody asked it to: %s", out)
		}
		sensor.edit(sensorIni, "[rule one]\nInterface = traf0\n[output]\nFile = /var/lib/rpcap-sensor/all.pcapng\n")
		sensor.run("systemctl enable --now rpcap-sensor")

		out := agent.installDeb(t, "rpcapd", newVersion, "RPCAPD_SENSOR=10.9.0.2") // one command, and no edit
		if !strings.Contains(out, "reached, authenticated, waiting for rules") {
			t.Errorf("the installation does not say that the sensor was reached:\n%s", out)
		}
		agent.until(settleLimit, "rpcapd status", "capturing")
		const frames = 200 // the last of them is waited for below
		agent.run(fmt.Sprintf("bash -c 'for i in $(seq %d); do echo frame-$i-of-rpcapd >/dev/udp/10.8.0.2/9; done'", frames))
		sensor.until(settleLimit, "grep -c -a frame-200-of-rpcapd /var/lib/rpcap-sensor/all.pcapng", "1")
		sensor.run("systemctl stop rpcap-sensor")
		data, err := os.ReadFile(filepath.Join(sensor.root, "/var/lib/rpcap-sensor/all.pcapng"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range frames {
			if n := bytes.Count(data, fmt.Appendf(nil, "frame-%d-of-rpcapd", i+1)); n != 1 {
				t.Errorf("frame %d arrived %d times", i+1, n)
			}
		}
		sensor.wants("stat -c '%U:%G %a' /var/lib/rpcap-sensor/all.pcapng", "rpcap-sensor:rpcap-sensor 640")
	})
}
