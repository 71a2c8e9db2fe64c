package consumers

import (
	"bytes"
	"os"
	"path/filepath"
	"rpcapd/test/harness"
	"syscall"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// recordings are traffic that real agents were given to forward.
var recordings = []string{"eh-mtu1472.injected.pcap", "up-udp.injected.pcap"}

// frames reads a pcap file; one that is being written ends where its last whole frame does.
func frames(t *testing.T, name string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	for {
		data, _, err := r.ReadPacketData()
		if err != nil {
			return all
		}
		all = append(all, data)
	}
}

// TestRootTCPReplay: what tcpreplay sends out of a recording arrives on the TAP interface of another machine, frame for
// frame and in order.
func TestRootTCPReplay(t *testing.T) {
	tcpreplay, tcpdump := tool(t, "tcpreplay"), tool(t, "tcpdump")
	s := newStage(t, "")
	var want [][]byte
	out := filepath.Join(t.TempDir(), "tap.pcap")
	args := []string{"-i", "rpcap0", "-n", "-s", "70000", "-B", "65536", "-U", "--immediate-mode", "-w", out}
	if os.Getuid() == 0 {
		if !severalUsers(t) {
			t.Skip("tcpdump gives root up, which it cannot as the root of a user namespace with one user; run as root")
		}
		args = append(args, "-Z", "root")
	}
	dump := harness.StartIn(t, s.sensor, nil, tcpdump, args...)
	dump.Says("listening on", 1)
	s.client.SetMTU("eth0", 9100) // recordings have jumbo frames
	s.host.SetMTU("eth0", 9100)
	for _, name := range recordings {
		path, err := filepath.Abs(filepath.Join("../testdata/vectors", name))
		if err != nil {
			t.Fatal(err)
		}
		list := frames(t, path)
		if len(list) == 0 {
			t.Fatalf("%s has no frames", name)
		}
		want = append(want, list...)
		if text, err := s.client.Command(tcpreplay, "-q", "-i", "eth0", "--mbps=50", path).CombinedOutput(); err != nil {
			t.Fatalf("tcpreplay: %v\n%s", err, text)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%d frames arrived of %d", len(frames(t, out)), len(want))
		}
	})
	dump.Await("all frames", func() bool { return len(frames(t, out)) >= len(want) })
	dump.Stop(syscall.SIGINT, harness.Patience)
	got := frames(t, out)
	if len(got) != len(want) {
		t.Errorf("%d frames, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("frame %d:\n%x, want\n%x", i, got[i], want[i])
		}
	}
	t.Logf("%d frames of %d recordings", len(got), len(recordings))
}

// severalUsers reports whether the user namespace has more than one user.
func severalUsers(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := bytes.Fields(b)
	return len(f) > 3 || len(f) == 3 && string(f[2]) != "1"
}
