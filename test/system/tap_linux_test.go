package system

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// needTAP skips where TAP interfaces cannot be made.
func needTAP(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		netlab.Missing(t, err.Error())
		return
	}
	f.Close()
}

// TestRootTAPFrameForFrame: tcpdump on the sensor's TAP interface sees what tcpdump on the agent's interface saw, byte for
// byte: small and jumbo frames, what segmentation offload puts together, VLAN tags. The sensor's machine adds nothing.
func TestRootTAPFrameForFrame(t *testing.T) {
	s := newStage(t)
	needTAP(t)
	sen := startSensor(t, s.sensor, "-f", ruleFile(t, "[rule all]\n[tap]\nInterface = ids0\n"))
	sen.Says("TAP interface is open", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	sen.forwarding(1)
	origin, tap := startTCPDump(t, s.host, "eth0"), startTCPDump(t, s.sensor, "ids0")

	s.mark(t, markBegin)
	s.tagged(t)
	s.client.SetMTU("eth0", 9000)
	s.host.SetMTU("eth0", 9000)
	s.traffic(t, 9000)
	s.mark(t, markEnd)

	want, got := window(t, "tcpdump at the agent", origin.frames()), window(t, "tcpdump on the TAP interface", tap.frames())
	covers(t, want)
	fit := slices.DeleteFunc(slices.Clone(want), tooShort)
	for i := range min(len(fit), len(got)) {
		got[i].at = fit[i].at // a reader sees when the sensor wrote
	}
	sameFrames(t, got, fit)
	p := one(t, sen.end())
	unfit := uint64(len(want) - len(fit))
	if p.missing != 0 || p.written+p.dropped != 2*p.frames || p.dropped != unfit || unfit == 0 {
		t.Errorf("%d frames are too short; the sensor says: %+v", unfit, p)
	}
	sameFrames(t, window(t, "file", readFrames(t, sen.file)), want)
}

// tooShort tells a frame that no TAP interface takes: less than six bytes behind its addresses and VLAN tag. No real
// Ethernet has such.
func tooShort(f frame) bool {
	return len(f.data) < 20 && (string(f.data[12:14]) == "\x81\x00" || string(f.data[12:14]) == "\x88\xa8")
}

// TestRootTAPDeleted: the interface is deleted and set down under way; the sensor says so, makes it anew and goes on, and
// the file beside it does not notice.
func TestRootTAPDeleted(t *testing.T) {
	s := newStage(t)
	needTAP(t)
	sen := startSensor(t, s.sensor, "-f", ruleFile(t, "[rule all]\n[tap]\n"))
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	sen.forwarding(1)
	send := func(text string) { s.mark(t, text) }
	send(markBegin)
	s.sensor.Delete("rpcap0")
	sen.Says("the interface was deleted", 1)
	sen.Says("TAP interface is open", 2)
	s.sensor.Down("rpcap0")
	send("nobody sees this")
	sen.Says("ip link set rpcap0 up", 1)
	s.sensor.Up("rpcap0")
	dump := startTCPDump(t, s.sensor, "rpcap0")
	send("in between")
	send(markEnd)
	if n := len(dump.frames()); n != 2 {
		t.Errorf("%d frames on the interface that was made anew, want 2", n)
	}
	p := one(t, sen.end())
	if p.missing != 0 || p.dropped == 0 {
		t.Errorf("the sensor says: %+v", p)
	}
	all := readFrames(t, sen.file)
	if n := len(window(t, "file", all)); n < 4 {
		t.Errorf("%d frames in the file", n)
	}
}

// TestRootCaptureAgents: a capture of two agents with a filter holds exactly what was asked for, and ends by itself.
func TestRootCaptureAgents(t *testing.T) {
	s := newStage(t)
	file := t.TempDir() + "/out.pcapng"
	sen := harness.StartIn(t, s.sensor, nil, harness.Program(t, "rpcap-sensor"), "capture", "-c", "1000", "-w", file, "-i", "eth0", "--agents", "10.0.0.0/8", "udp", "port", "9")
	sen.Says("waiting for agents", 1)
	agents := []*agent{
		startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0"),
		startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003"),
	}
	for _, a := range agents {
		a.capturing(1)
	}
	begin := time.Now()
	for i := 0; !sen.Ended(); i++ {
		if time.Since(begin) > patience {
			t.Fatal("it does not end")
		}
		var frames [][]byte
		for j := range 35 {
			frames = append(frames, udpTo9(s, 35*i+j))
		}
		must(t, sendRaw(s.client, "eth0", frames...))
		must(t, exchangeUDP(s.client, s.host, hostV4, 18)) // the filter refuses it
	}
	if code := sen.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	all := readFrames(t, file)
	if len(all) != 1000 {
		t.Errorf("%d frames in the file", len(all))
	}
	for i := range all {
		if b := all[i].data; len(b) != 60 || string(b[36:38]) != "\x00\x09" {
			t.Fatalf("frame %d is not what the filter lets pass: %s", i, brief(&all[i]))
		}
	}
	for _, want := range []string{"1000 frames, 60.0 kB", "from 2 agents", "ended at 1000 frames", "0 lost on the way"} {
		if !strings.Contains(sen.Text(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// udpTo9 is a datagram to the discard port in a frame of 60 bytes.
func udpTo9(s *stage, number int) []byte {
	ip := []byte{0x45, 0, 0, 46, byte(number >> 8), byte(number), 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2, 1, 1, 0, 9, 0, 26, 0, 0}
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(ip[i])<<8 | uint32(ip[i+1])
	}
	sum = ^(sum + sum>>16)
	ip[10], ip[11] = byte(sum>>8), byte(sum)
	return ether(s.host.MAC("eth0"), s.client.MAC("eth0"), 0x0800, append(ip, pattern(number, 18)...))
}

// TestRootCaptureSignal: a capture from standard output, ended by its user, leaves a reader that has all.
func TestRootCaptureSignal(t *testing.T) {
	s := newStage(t)
	r, w, err := os.Pipe()
	must(t, err)
	sen := harness.StartIn(t, s.sensor, w, harness.Program(t, "rpcap-sensor"), "capture", "-w", "-", "udp port 9")
	w.Close()
	text, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	defer text.Close()
	reader := asAnybody(t, s.sensor.Command(harness.Tool(t, "tcpdump"), append(keepUser(t), "-n", "-l", "-r", "-")...))
	reader.Stdin, reader.Stdout = r, text
	must(t, reader.Start())
	r.Close()
	sen.Says("waiting for agents", 1)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	const frames = 50
	for i := range frames {
		must(t, sendRaw(s.client, "eth0", udpTo9(s, i)))
	}
	shown := func() int {
		b, err := os.ReadFile(text.Name())
		must(t, err)
		return strings.Count(string(b), "10.1.0.2.9: UDP")
	}
	sen.Await(fmt.Sprintf("%d frames in tcpdump", frames), func() bool { return shown() == frames })
	sen.Stop(syscall.SIGINT, patience)
	must(t, reader.Wait())
}

// TestRootTAPSelection: each interface gets what its section chooses, and the summary tells nothing of the rest as dropped.
func TestRootTAPSelection(t *testing.T) {
	s := newStage(t)
	needTAP(t)
	sen := startSensor(t, s.sensor, "-f", ruleFile(t, "[rule all]\n[tap]\nInterface = all0\n[tap web]\nInterface = web0\n"+
		"Filter = udp port 9 or ether proto 0x88b5\nAgents = 10.2.0.0/16\n[tap none]\nInterface = none0\nAgents = db*\n"))
	startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0").capturing(1)
	sen.forwarding(1)
	all, web, none := startTCPDump(t, s.sensor, "all0"), startTCPDump(t, s.sensor, "web0"), startTCPDump(t, s.sensor, "none0")
	s.mark(t, markBegin)
	must(t, sendRaw(s.client, "eth0", udpTo9(s, 1), udpTo9(s, 2)))
	must(t, exchangeUDP(s.client, s.host, hostV4, 18))
	s.mark(t, markEnd)
	everything := window(t, "all0", all.frames())
	chosen := window(t, "web0", web.frames())
	if len(chosen) != 4 || len(everything) <= len(chosen) {
		t.Errorf("%d frames on web0, %d on all0", len(chosen), len(everything))
	}
	none.Stop(syscall.SIGINT, patience)
	if n := len(readFrames(t, none.file)); n != 0 {
		t.Errorf("%d frames on none0", n)
	}
	sen.Stop(syscall.SIGTERM, patience)
	if want := "dropped 0, left out "; !strings.Contains(sen.Text(), want) {
		t.Errorf("%q is missing", want)
	}
}
