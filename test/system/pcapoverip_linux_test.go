package system

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// TestRootPcapOverIP is the whole chain: interface, agent, sensor, and two clients of [pcap-over-ip], beside a file.
// tshark says nothing and gets every frame that tcpdump saw on the interface; the other client asks for some of them.
func TestRootPcapOverIP(t *testing.T) {
	const port = "127.0.0.1:57012"
	s := newStage(t)
	sen := startSensor(t, s.sensor, "-f", ruleFile(t, "[rule all]\n[pcap-over-ip]\n"))
	sen.Says("listening for PCAP-over-IP clients", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	sen.forwarding(1)
	dump := startTCPDump(t, s.host, "eth0")

	live := filepath.Join(t.TempDir(), "live.pcapng")
	shark := harness.StartIn(t, s.sensor, nil, harness.Tool(t, "tshark"), "-i", "TCP@"+port, "-w", live)
	sen.Says("client connected", 1)
	var asking net.Conn
	must(t, s.sensor.Do(func() (err error) {
		asking, err = filterClient(sen, "filter=icmp; agents="+exportV4)
		return err
	}))
	defer asking.Close()

	begin := time.Now()
	s.mark(t, markBegin)
	s.traffic(t, 1500)
	s.mark(t, markEnd)
	shark.Await("the end marker in tshark's file", func() bool {
		return slices.ContainsFunc(readFrames(t, live), func(f frame) bool { return isMarker(f.data, markEnd) })
	})
	t.Logf("all frames had reached tshark's file after %v", time.Since(begin).Round(time.Millisecond))
	want := window(t, "tcpdump", dump.frames())
	sen.end()
	<-shark.Done()
	if code := shark.ProcessState.ExitCode(); code != 0 {
		t.Errorf("tshark: exit code %d", code)
	}
	sameFrames(t, window(t, "tshark", readFrames(t, live)), want)
	sameFrames(t, window(t, "the file", readFrames(t, sen.file)), want)

	must(t, asking.SetReadDeadline(time.Now().Add(patience)))
	b, err := io.ReadAll(asking)
	must(t, err)
	file := filepath.Join(t.TempDir(), "asked.pcapng")
	must(t, os.WriteFile(file, b, 0o600))
	got := readFrames(t, file)
	wanted := slices.DeleteFunc(want, func(f frame) bool { return !isICMPv4(f.data) })
	if len(wanted) == 0 {
		t.Error("no ICMP in the traffic: nothing was proved")
	}
	sameFrames(t, got, wanted)
}

func isICMPv4(b []byte) bool {
	return len(b) > 23 && bytes.Equal(b[12:14], []byte{8, 0}) && b[23] == 1
}

// TestRootPcapOverIPReload: a reload does not touch the clients.
func TestRootPcapOverIPReload(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	file := ruleFile(t, "[rule all]\n[pcap-over-ip]\n")
	sen := startSensor(t, s.sensor, "-f", file)
	var c net.Conn
	must(t, s.sensor.Do(func() (err error) {
		c, err = net.Dial("tcp", "127.0.0.1:57012")
		return err
	}))
	defer c.Close()
	sen.Says("client connected", 1)
	sen.reload(t, file, "[rule other]\n[pcap-over-ip]\n", rulesReloaded)
	if bytes.Contains([]byte(sen.Text()), []byte("client disconnected")) {
		t.Error("a reload has ended a client's stream")
	}
	sen.Stop(syscall.SIGTERM, patience)
	must(t, c.SetReadDeadline(time.Now().Add(patience)))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("no orderly end: %v", err)
	}
}

// TestRootPcapOverIPNoLoop has an agent capture the interface over which a client gets its frames.
func TestRootPcapOverIPNoLoop(t *testing.T) {
	t.Parallel()
	const local = "127.0.0.1"
	s := newStage(t)
	sen := startSensor(t, s.sensor, "-f", ruleFile(t, "[rule all]\n[pcap-over-ip]\n"))
	a := startAgent(t, s.sensor, "ActiveClient = "+local+", 2003, ifname=lo")
	a.capturing(1)
	sen.forwarding(1)
	var c net.Conn
	must(t, s.sensor.Do(func() (err error) {
		c, err = net.Dial("tcp", local+":57012")
		return err
	}))
	defer c.Close()
	sen.Says("client connected", 1)
	must(t, ping(s.sensor, local, local, 3, 56))
	time.Sleep(300 * time.Millisecond) // a loop turns some ten times in it
	must(t, ping(s.sensor, local, local, 3, 56))
	time.Sleep(500 * time.Millisecond) // an agent holds no frame longer than about 20 ms
	sen.Stop(syscall.SIGTERM, patience)

	must(t, c.SetReadDeadline(time.Now().Add(patience)))
	b, err := io.ReadAll(c)
	must(t, err)
	file := filepath.Join(t.TempDir(), "loop.pcapng")
	must(t, os.WriteFile(file, b, 0o600))
	pings := 0
	for _, f := range readFrames(t, file) {
		if isICMPv4(f.data) {
			pings++
		} else if len(f.data) > 38 && f.data[23] == 6 {
			t.Errorf("the stream has its own packets: %x", f.data[:min(len(f.data), 54)])
			break
		}
	}
	if pings < 12 {
		t.Errorf("%d echo packets instead of 12 at least: nothing was proved", pings)
	}
}
