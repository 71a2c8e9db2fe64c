package system

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rpcapd/test/netlab"
)

// tcpdump captures on an interface while a test runs.
type tcpdump struct {
	*process
	file string
}

// Each frame takes a place of the snap length in tcpdump's ring when frames are to be
// shown at once: these sizes hold the largest super-packet, and nearly a thousand places.
const (
	dumpSnaplen = "70000" // bytes
	dumpRing    = "65536" // KiB
)

// startTCPDump captures whole frames; it stays root, which it cannot leave in a user
// namespace.
func startTCPDump(t *testing.T, n *netlab.Namespace, name string, filter ...string) *tcpdump {
	t.Helper()
	d := &tcpdump{file: filepath.Join(t.TempDir(), "tcpdump.pcap")}
	args := []string{"-i", name, "-n", "-s", dumpSnaplen, "-B", dumpRing, "-U", "--immediate-mode", "-Z", "root", "-w", d.file}
	d.process = start(t, n, nil, tool(t, "tcpdump"), append(args, filter...)...)
	d.says("listening on", 1)
	return d
}

var droppedPattern = regexp.MustCompile(`(\d+) packets dropped by kernel`)

// frames waits for the end marker and returns what tcpdump saw.
func (d *tcpdump) frames() []frame {
	d.t.Helper()
	d.await("the end marker", func() bool {
		return slices.ContainsFunc(readFrames(d.t, d.file), func(f frame) bool { return isMarker(f.data, markEnd) })
	})
	d.stop(syscall.SIGINT, patience)
	if m := droppedPattern.FindStringSubmatch(d.text()); m == nil || m[1] != "0" {
		d.t.Fatalf("tcpdump lost frames itself: %s", strings.TrimSpace(d.text()))
	}
	return readFrames(d.t, d.file)
}

// reread has a tool read a capture file and write it anew as pcap, so that its reader
// is what is tested.
func reread(t *testing.T, n *netlab.Namespace, path string) map[string][]frame {
	t.Helper()
	out := make(map[string][]frame)
	for name, args := range map[string][]string{
		"tcpdump": {"-n", "-Z", "root", "-r", path, "-w"},
		"tshark":  {"-n", "-F", "pcap", "-r", path, "-w"},
	} {
		to := filepath.Join(t.TempDir(), name+".pcap")
		cmd := n.Command(tool(t, name), append(args, to)...)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s cannot read %s: %v: %s", name, path, err, text)
		}
		out[name] = readFrames(t, to)
	}
	return out
}
