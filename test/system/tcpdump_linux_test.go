package system

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// tcpdump captures on an interface while a test runs.
type tcpdump struct {
	*harness.Running
	file string
}

// Each frame takes a place of the snap length in tcpdump's ring when frames are to be
// shown at once: these sizes hold the largest super-packet, and nearly two thousand places,
// more than any of these tests sends while tcpdump waits for a processor.
const (
	dumpSnaplen = "70000"  // bytes
	dumpRing    = "131072" // KiB
)

// startTCPDump captures whole frames. Started by root, tcpdump changes its user, which it
// cannot in a user namespace of one user: there dumpcap, of the same library, does its work.
func startTCPDump(t *testing.T, n *netlab.Namespace, name string) *tcpdump {
	t.Helper()
	d := &tcpdump{file: filepath.Join(t.TempDir(), "tcpdump.pcap")}
	if severalUsers(t) {
		d.Running = harness.StartIn(t, n, nil, harness.Tool(t, "tcpdump"), "-i", name, "-n", "-s", dumpSnaplen, "-B", dumpRing,
			"-U", "--immediate-mode", "-Z", "root", "-w", d.file)
		d.Says("listening on", 1)
		return d
	}
	d.Running = harness.StartIn(t, n, nil, harness.Tool(t, "dumpcap"), "-i", name, "-s", dumpSnaplen, "-B", "64", "-P", "-w", d.file)
	d.Says("File: ", 1)
	return d
}

// droppedPattern finds the number in the last words of tcpdump and of dumpcap.
var droppedPattern = regexp.MustCompile(`(?:(\d+) packets dropped by kernel|received/dropped on interface .*: \d+/(\d+) )`)

// frames waits for the end marker and returns what tcpdump saw.
func (d *tcpdump) frames() []frame {
	d.T.Helper()
	d.Await("the end marker", func() bool {
		return slices.ContainsFunc(readFrames(d.T, d.file), func(f frame) bool { return isMarker(f.data, markEnd) })
	})
	d.Stop(syscall.SIGINT, patience)
	if m := droppedPattern.FindStringSubmatch(d.Text()); m == nil || m[1]+m[2] != "0" {
		d.T.Fatalf("%s lost frames itself: %s", d.Name, strings.TrimSpace(d.Text()))
	}
	return readFrames(d.T, d.file)
}

// asAnybody lets a command of a user namespace of one user run in a further one, where
// it is not root: tcpdump then keeps its user when it reads.
func asAnybody(t *testing.T, cmd *netlab.Cmd) *netlab.Cmd {
	t.Helper()
	if severalUsers(t) {
		return cmd
	}
	const anybody = 1000
	a := cmd.SysProcAttr
	a.Cloneflags |= syscall.CLONE_NEWUSER
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: anybody, HostID: os.Getuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: anybody, HostID: os.Getgid(), Size: 1}}
	return cmd
}

// reread has a tool read a capture file and write it anew as pcap, so that its reader
// is what is tested.
func reread(t *testing.T, n *netlab.Namespace, path string) map[string][]frame {
	t.Helper()
	out := make(map[string][]frame)
	for name, args := range map[string][]string{
		"tcpdump": append(keepUser(t), "-n", "-r", path, "-w"),
		"tshark":  {"-n", "-F", "pcap", "-r", path, "-w"},
	} {
		to := filepath.Join(t.TempDir(), name+".pcap")
		cmd := asAnybody(t, n.Command(harness.Tool(t, name), append(args, to)...))
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s cannot read %s: %v: %s", name, path, err, text)
		}
		out[name] = readFrames(t, to)
	}
	return out
}

// keepUser is tcpdump's option against changing its user.
func keepUser(t *testing.T) []string {
	t.Helper()
	if severalUsers(t) {
		return []string{"-Z", "root"}
	}
	return nil
}
