package system

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// socket is a line of a file below /proc/PID/net.
type socket struct {
	table         string // tcp, tcp6, udp, …
	inode         string
	local, remote netip.AddrPort // of tcp and udp
	line          string
}

// Values of the state column of /proc/net/tcp and udp, from the kernel's tcp_states.h.
const (
	stateEstablished = "01" // of UDP: connected
	stateListen      = "0A"
)

// unixAccepting is the flag __SO_ACCEPTCON that /proc/net/unix shows of a listener.
const unixAccepting = 1 << 16

// TestRootNoListeningSocket looks at every socket of an agent that captures over UDP,
// over TCP, and that waits for its sensor.
func TestRootNoListeningSocket(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	startSensor(t, s.sensor)
	startSensor(t, s.sensor, "--listen", ":2004", "--udp-port", "3003", "--tcp")
	a := startAgent(t, s.host, strings.Join([]string{
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth0",
		"ActiveClient = " + sensorV6 + ", 2003, ifname=eth0",
		"ActiveClient = " + sensorV4 + ", 2004, ifname=eth0",
		"ActiveClient = " + sensorV4 + ", 2999, ifname=eth0", // nobody there
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth9", // no such interface
	}, "\n"))
	a.capturing(3)
	s.mark(t, markBegin)
	pid := a.Process.Pid

	own := ownSockets(t, pid)
	if len(own) < 8 {
		t.Fatalf("the agent has %d sockets: are they all seen? %v", len(own), own)
	}
	seen := map[string]int{}
	for _, x := range listSockets(t, pid) {
		if !slices.Contains(own, x.inode) {
			continue
		}
		seen[x.table]++
		x.check(t)
	}
	t.Logf("the agent's sockets: %v", seen)
	// Two sessions over UDP, one over TCP; each of the three captures has a ring.
	if seen["udp"] != 1 || seen["udp6"] != 1 || seen["tcp"] < 3 || seen["tcp6"] != 1 || seen["packet"] < 3 {
		t.Errorf("not the sockets that were expected: %v", seen)
	}

	ss, err := exec.LookPath("ss")
	if err != nil {
		t.Log("ss is not installed")
		return
	}
	out, err := s.host.Command(ss, "-lntuxp").CombinedOutput()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, fmt.Sprintf("pid=%d,", pid)) {
			continue
		}
		// -l shows a UDP socket only when it has no peer.
		t.Errorf("ss -lntuxp shows a socket of the agent: %s", line)
	}
	t.Logf("ss -lntuxp:\n%s", out)
}

// check fails the test for a socket that takes anything from anybody.
func (x *socket) check(t *testing.T) {
	t.Helper()
	f := strings.Fields(x.line)
	switch x.table {
	case "tcp", "tcp6":
		if !x.remote.Addr().IsValid() || x.remote.Addr().IsUnspecified() {
			t.Errorf("a TCP socket without a peer: %s", x.line)
		}
		if f[3] == stateListen {
			t.Errorf("a listening socket: %s", x.line)
		}
	case "udp", "udp6":
		if f[3] != stateEstablished || x.remote.Addr().IsUnspecified() || x.remote.Port() == 0 {
			t.Errorf("a UDP socket that is not connected: %s", x.line)
		}
	case "raw", "raw6":
		t.Errorf("a raw socket: %s", x.line)
	case "unix":
		if flags, err := strconv.ParseUint(f[3], 16, 32); err != nil || flags&unixAccepting != 0 || len(f) > 7 {
			t.Errorf("a UNIX socket that listens or has a name: %s (%v)", x.line, err)
		}
	case "packet", "netlink": // they hear what they asked for; nobody can connect to them
	default:
		t.Errorf("a socket of table %s", x.table)
	}
}

var socketLink = regexp.MustCompile(`^socket:\[(\d+)\]$`)

// ownSockets returns the inodes of the sockets that a process has open.
func ownSockets(t *testing.T, pid int) (inodes []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if m := socketLink.FindStringSubmatch(link); m != nil {
			inodes = append(inodes, m[1])
		}
	}
	return inodes
}

// listSockets reads all tables of the process's network namespace.
func listSockets(t *testing.T, pid int) (all []socket) {
	t.Helper()
	inodeColumn := map[string]int{
		"tcp": 9, "tcp6": 9, "udp": 9, "udp6": 9, "udplite": 9, "udplite6": 9, "raw": 9, "raw6": 9, "icmp": 9, "icmp6": 9,
		"unix": 6, "packet": 8, "netlink": 9,
	}
	for table, column := range inodeColumn {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if os.IsNotExist(err) && strings.HasPrefix(table, "udplite") {
			continue
		}
		must(t, err)
		for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			f := strings.Fields(line)
			if i == 0 {
				continue // the head of the table
			}
			x := socket{table: table, inode: f[column], line: line}
			if column == 9 && table != "netlink" {
				x.local, x.remote = parseEndpoint(t, f[1]), parseEndpoint(t, f[2])
			}
			all = append(all, x)
		}
	}
	return all
}

// parseEndpoint reads an address as /proc/net has it: 32-bit words in the byte order
// of the machine.
func parseEndpoint(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	must(t, err)
	for w := b; len(w) >= 4; w = w[4:] {
		binary.BigEndian.PutUint32(w, binary.NativeEndian.Uint32(w))
	}
	addr, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		t.Fatalf("read endpoint %q: %v", text, err)
	}
	return netip.AddrPortFrom(addr, uint16(n))
}
