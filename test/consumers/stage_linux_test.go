package consumers

import (
	"os"
	"path/filepath"
	"testing"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// stage is the three machines of doc.go. The cable between client and host has no addresses until a test gives them.
type stage struct {
	t                    *testing.T
	client, host, sensor *netlab.Namespace
	sensorLog            *harness.Running
	file                 string // what the sensor writes besides
}

// newStage starts agent and sensor; more are lines of the [tap] section.
func newStage(t *testing.T, more string) *stage {
	t.Helper()
	lab := netlab.New(t)
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		netlab.Missing(t, err.Error())
	}
	f.Close()
	s := &stage{t: t, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // else the kernel sends what no test asked for
	}
	lab.Veth(s.client, "eth0", s.host, "eth0")
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	s.host.AddAddr("eth1", "10.2.0.2/24")
	s.sensor.AddAddr("eth0", "10.2.0.3/24")

	files, err := os.MkdirTemp("/run", "stage-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(files, 0o755); err != nil {
		t.Fatal(err)
	}
	sensorIni, agentIni := filepath.Join(files, "rpcap-sensor.ini"), filepath.Join(files, "rpcapd.ini")
	s.write(sensorIni, "[rule all]\nInterface = eth0\n[tap]\nInterface = rpcap0\n"+more)
	s.write(agentIni, "NullAuthPermit = YES\nActiveClient = 10.2.0.3, 2003, ifname=eth0\n")
	s.file = filepath.Join(t.TempDir(), "sensor.pcapng")
	s.sensorLog = harness.StartIn(t, s.sensor, nil, harness.Program(t, "rpcap-sensor"), "-f", sensorIni, "-w", s.file)
	s.sensorLog.Says("waiting for agents", 1)
	harness.StartIn(t, s.host, nil, harness.Program(t, "rpcapd"), "-f", agentIni, "--run-dir", filepath.Join(files, "run")).Says("capture started", 1)
	return s
}

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}
