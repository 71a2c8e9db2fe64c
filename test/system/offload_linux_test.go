package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// export is a way of datagrams whose offloads a test changes.
type export struct {
	agent  *agent
	sensor *sensor
	host   *netlab.Namespace // the agent's, whose eth1 leads to the sensor
	far    *netlab.Namespace // the sensor's, whose eth0 is the other end
	on     string            // the captured interface
}

// circumstance is how the kernel of both ends treats the export. The tests of the core
// run under each: what arrives must not depend on it.
type circumstance struct {
	name   string
	args   []string                      // of the agent
	before func(t *testing.T, e *export) // when the captures run and nothing is sent yet
	midway func(t *testing.T, e *export) // in mid-stream
	gso    func(status string) bool      // what the agent's status must say in the end
	anyOf  bool                          // of one session at least, not of all
}

var circumstances = []circumstance{
	{name: "all on", gso: isOn},
	{name: "GSO off", args: []string{"--gso", "off"}, gso: isOff},
	{name: "GRO off", before: withoutGRO, gso: isOn},
	{name: "both off", args: []string{"--gso", "off"}, before: withoutGRO, gso: isOff},
	{name: "device without offloads", before: withoutChecksums, gso: isOnOrDowngraded},
	{name: "device loses its offloads", midway: withoutChecksums, gso: isOnOrDowngraded},
	{name: "GSO refused in mid-stream", midway: refuseGSO, gso: isDowngraded, anyOf: true}, // a session with few runs has not been refused three
	{name: "EIO in mid-stream", midway: injectEIO, gso: isDowngraded, anyOf: true},
	{name: "GRO lost in mid-stream", midway: withoutGRO, gso: isOn},
	{name: "path shrinks in mid-stream", midway: shrink, gso: isOn},
}

func isOn(status string) bool         { return status == "on" }
func isOff(status string) bool        { return status == "off" }
func isDowngraded(status string) bool { return strings.HasPrefix(status, "off: ") }

// isOnOrDowngraded: kernels before 6.11 refuse super-packets with EIO where the device
// computes no checksums, later ones cut them themselves.
func isOnOrDowngraded(status string) bool { return isOn(status) || isDowngraded(status) }

// begin and change bring the circumstance about.
func (c *circumstance) begin(t *testing.T, e *export) {
	t.Helper()
	if c.before != nil {
		c.before(t, e)
	}
}

func (c *circumstance) change(t *testing.T, e *export) {
	t.Helper()
	if c.midway != nil {
		c.midway(t, e)
	}
}

// check looks at the status of all sessions; the captures have ended.
func (c *circumstance) check(t *testing.T, e *export) {
	t.Helper()
	if !kernelHasOffload(t) {
		return
	}
	e.agent.Await("the ended captures in the status", func() bool {
		st := e.agent.status()
		for _, s := range st.Sessions {
			if s.Capture == nil || s.Capture.Running {
				return false
			}
		}
		return len(st.Sessions) > 0
	})
	sessions, good := e.agent.status().Sessions, 0
	var said []string
	for _, s := range sessions {
		said = append(said, s.Capture.GSO)
		if c.gso(s.Capture.GSO) {
			good++
		}
	}
	if good == 0 || good < len(sessions) && !c.anyOf {
		t.Errorf("GSO is %q", said)
	}
}

// kernelHasOffload asks the kernel itself, not the code under test.
func kernelHasOffload(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	_, segment := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	_, gro := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO)
	return segment == nil && gro == nil
}

// sockets calls f with each socket of a running program that is of a type, by a descriptor of its own
// on the same socket. It returns how many there were.
func sockets(t *testing.T, p *harness.Running, kind int, f func(fd int) error) (n int) {
	t.Helper()
	pidfd, err := unix.PidfdOpen(p.Process.Pid, 0)
	must(t, err)
	defer unix.Close(pidfd)
	dir := fmt.Sprintf("/proc/%d/fd", p.Process.Pid)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err != nil || !strings.HasPrefix(to, "socket:") {
			continue
		}
		number, err := strconv.Atoi(e.Name())
		must(t, err)
		fd, err := unix.PidfdGetfd(pidfd, number, 0)
		if err != nil {
			continue // closed meanwhile
		}
		family, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if k, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); k == kind && (family == unix.AF_INET || family == unix.AF_INET6) {
			err = f(fd)
			n++
		}
		unix.Close(fd)
		must(t, err)
	}
	return n
}

// rest waits until nothing is under way: when nothing has come for a while.
func (e *export) rest() {
	came := func() (n uint64) {
		for _, p := range e.sensor.report() {
			n += p.datagrams
		}
		return n
	}
	last, since := came(), time.Now()
	e.sensor.Await("the end of the export", func() bool {
		time.Sleep(50 * time.Millisecond)
		if n := came(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
}

// withoutGRO has the sensor's kernel hand over each datagram by itself. What waits in the
// socket as a super-packet at that moment would come out as one.
func withoutGRO(t *testing.T, e *export) {
	t.Helper()
	e.rest()
	if sockets(t, e.sensor.Running, unix.SOCK_DGRAM, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 0)
	}) == 0 {
		t.Fatal("the sensor has no data socket")
	}
}

// shrink makes the path take less than the datagrams that are being sent.
func shrink(_ *testing.T, e *export) {
	e.host.SetMTU("eth1", 1460)
	e.far.SetMTU("eth0", 1460)
}

// refuseGSO makes the kernel refuse all further super-packets with EINVAL: it does so
// where UDP checksums are switched off.
func refuseGSO(t *testing.T, e *export) {
	t.Helper()
	if sockets(t, e.agent.Running, unix.SOCK_DGRAM, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	}) == 0 {
		t.Fatal("the agent has no data socket")
	}
}

// withoutChecksums has the uplink compute no checksums, and with them do no segmentation.
func withoutChecksums(t *testing.T, e *export) {
	t.Helper()
	value := struct{ command, data uint32 }{unix.ETHTOOL_STXCSUM, 0}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:], "eth1")
	must(t, e.host.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return os.NewSyscallError("ioctl SIOCETHTOOL", errno)
		}
		return nil
	}))
}

// injectEIO answers the next super-packet of each thread of the agent with EIO, as a way
// out with encryption does, or one without checksums on older kernels. It waits until
// one was refused, which needs traffic beside it.
func injectEIO(t *testing.T, e *export) {
	t.Helper()
	e.rest() // a last datagram of what was sent before would be refused by itself, and be lost
	log := filepath.Join(t.TempDir(), "strace")
	s := harness.StartIn(t, e.host, nil, harness.Tool(t, "strace"), "-f", "-p", strconv.Itoa(e.agent.Process.Pid), "-o", log,
		"-e", "trace=sendmsg", "-e", "inject=sendmsg:error=EIO:when=1")
	s.Says("attached", 1)
	traffic := make(chan struct{})
	go func() { // something to refuse
		defer close(traffic)
		for !s.Ended() {
			if err := sendRaw(e.host, e.on, fillers(e)...); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	s.Await("a refused send", func() bool {
		b, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(b), "INJECTED")
	})
	s.Process.Signal(unix.SIGINT) // it lets the agent go
	<-s.Done()
	<-traffic
	if strings.Contains(e.agent.Text(), "send 1 datagrams of") {
		t.Skip("a datagram was refused that was no part of a super-packet, and is rightly lost")
	}
}

// etherFiller is another EtherType for local experiments: frames that no test looks at.
const etherFiller = 0x88b6

// fillers are frames that make a super-packet.
func fillers(e *export) [][]byte {
	mac := e.host.MAC(e.on)
	f := ether(mac, mac, etherFiller, pattern(1, 1400))
	list := make([][]byte, 20)
	for i := range list {
		list[i] = f
	}
	return list
}

// TestRootOffloadEngages fails if segmentation or receive offload do not do their work on
// a kernel that has them, at small and at large frames.
func TestRootOffloadEngages(t *testing.T) {
	for _, x := range []struct {
		size, rate int
		frames     uint64
	}{{64, 150_000, 150_000}, {300, 100_000, 80_000}, {1514, 30_000, 20_000}} {
		t.Run(fmt.Sprintf("%d bytes", x.size), func(t *testing.T) {
			s := newStage(t)
			if !kernelHasOffload(t) {
				netlab.Missing(t, "the kernel has no UDP_SEGMENT or no UDP_GRO")
			}
			sen := startSensor(t, s.sensor)
			a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
			a.capturing(1)
			sen.forwarding(1)
			if sockets(t, sen.Running, unix.SOCK_DGRAM, func(fd int) error {
				on, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO)
				if on != 1 {
					t.Errorf("the sensor has not switched receive offload on: %d", on)
				}
				return err
			}) == 0 {
				t.Fatal("the sensor has no data socket")
			}
			before := s.sensor.Link("eth0").Attrs().Statistics.RxPackets
			_, err := generate(s.client, "eth0", [6]byte(s.host.MAC("eth0")), x.size, x.rate, x.frames)
			must(t, err)
			n := settle(t, a, sen)
			n.check(t)
			arrived := s.sensor.Link("eth0").Attrs().Statistics.RxPackets - before
			c := n.agent
			if run := float64(c.Datagrams) / float64(c.Sends); run < 30 {
				t.Errorf("%.1f datagrams a send: segmentation offload has not engaged: %+v", run, c)
			}
			// The link carries super-packets; cut on the way, there would be as many as datagrams.
			if arrived > c.Datagrams/5 {
				t.Errorf("%d packets arrived for %d datagrams", arrived, c.Datagrams)
			}
			if got := a.session().Capture.GSO; got != "on" {
				t.Errorf("GSO is %q", got)
			}
			t.Logf("%d datagrams, %.1f a send, %d packets on the link", c.Datagrams, float64(c.Datagrams)/float64(c.Sends), arrived)
		})
	}
}
