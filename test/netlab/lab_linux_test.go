package netlab

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// pair is two hosts on a cable, with an IPv4 and an IPv6 address each.
func pair(t *testing.T) (a, b *Namespace) {
	t.Helper()
	lab := New(t)
	a, b = lab.Namespace("a"), lab.Namespace("b")
	lab.Veth(a, "eth0", b, "eth0")
	a.AddAddr("eth0", "10.1.0.1/24")
	b.AddAddr("eth0", "10.1.0.2/24")
	a.AddAddr("eth0", "fd01::1/64")
	b.AddAddr("eth0", "fd01::2/64")
	return a, b
}

// talk sends datagrams from a to b's address and returns how many arrive.
func talk(t *testing.T, a, b *Namespace, host, text string, n int) (arrived int) {
	t.Helper()
	var l net.PacketConn
	b.Must(func() (err error) {
		l, err = net.ListenPacket("udp", net.JoinHostPort(host, "7"))
		return err
	})
	defer l.Close()
	a.Must(func() error {
		c, err := net.Dial("udp", net.JoinHostPort(host, "7"))
		if err != nil {
			return err
		}
		defer c.Close()
		for range n {
			if _, err := c.Write([]byte(text)); err != nil {
				return err
			}
		}
		return nil
	})
	buf := make([]byte, 100)
	for arrived < n {
		l.SetReadDeadline(time.Now().Add(5 * time.Second))
		size, _, err := l.ReadFrom(buf)
		if err != nil {
			return arrived
		}
		if string(buf[:size]) != text {
			t.Fatalf("got %q", buf[:size])
		}
		arrived++
	}
	return arrived
}

// TestRootTalk: two hosts on a cable reach each other over both families, at once.
func TestRootTalk(t *testing.T) {
	a, b := pair(t)
	for _, host := range []string{"10.1.0.2", "fd01::2"} {
		if n := talk(t, a, b, host, "hello", 3); n != 3 {
			t.Errorf("%s: %d of 3 datagrams", host, n)
		}
	}
}

// TestRootRouter: a host in the middle forwards; routes, bridges, MTU and what takes
// links away do what they say.
func TestRootRouter(t *testing.T) {
	lab := New(t)
	a, r, b := lab.Namespace("a"), lab.Namespace("r"), lab.Namespace("b")
	lab.Veth(a, "eth0", r, "left")
	lab.Veth(r, "right", b, "eth0")
	r.AddBridge("br0", "right")
	a.AddAddr("eth0", "10.7.0.2/24")
	r.AddAddr("left", "10.7.0.1/24")
	r.AddAddr("br0", "10.8.0.1/24")
	b.AddAddr("eth0", "10.8.0.2/24")
	r.Sysctl("ipv4/ip_forward", "1")
	a.AddRoute("", "10.7.0.1")
	b.AddRoute("10.7.0.0/24", "10.8.0.1")
	if n := talk(t, a, b, "10.8.0.2", "through", 2); n != 2 {
		t.Errorf("%d of 2 datagrams", n)
	}
	a.SetMTU("eth0", 1400)
	if mtu := a.Link("eth0").Attrs().MTU; mtu != 1400 {
		t.Errorf("MTU %d", mtu)
	}
	r.Down("left")
	if n := talk(t, a, b, "10.8.0.2", "through", 1); n != 0 {
		t.Error("a datagram passes an interface that is down")
	}
	b.Delete("eth0")
	r.Must(func() error {
		if _, err := net.InterfaceByName("right"); err == nil {
			return errors.New("the other end of a deleted cable is still there")
		}
		return nil
	})
}

func TestRootVLAN(t *testing.T) {
	a, b := pair(t)
	for _, n := range []*Namespace{a, b} {
		if err := n.AddVLAN("eth0", "eth0.7", 7, false); err != nil {
			t.Skip(err)
		}
	}
	a.AddAddr("eth0.7", "10.7.0.1/24")
	b.AddAddr("eth0.7", "10.7.0.2/24")
	if n := talk(t, a, b, "10.7.0.2", "tagged", 2); n != 2 {
		t.Errorf("%d of 2 datagrams", n)
	}
}

func TestRootDropUDP(t *testing.T) {
	a, b := pair(t)
	for _, tc := range []struct{ every, want int }{{4, 6}, {1, 0}, {0, 8}} {
		err := b.DropUDP(7, tc.every)
		if errors.Is(err, ErrNoNFT) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := talk(t, a, b, "10.1.0.2", "x", 8); n != tc.want {
			t.Errorf("one of %d dropped: %d of 8 arrive, want %d", tc.every, n, tc.want)
		}
	}
}

func TestRootTun(t *testing.T) {
	lab := New(t)
	a := lab.Namespace("a")
	tun, err := a.AddTun("tun0")
	if err != nil {
		t.Skip(err)
	}
	a.AddAddr("tun0", "10.9.0.1/24")
	a.Must(func() error {
		c, err := net.Dial("udp", "10.9.0.2:7")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("through the tunnel"))
		return err
	})
	tun.SetReadDeadline(time.Now().Add(30 * time.Second))
	buf := make([]byte, 2000)
	for {
		n, err := tun.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasSuffix(buf[:n], []byte("through the tunnel")) {
			return // router solicitations come out too
		}
	}
}

func TestRootCommandRunsInside(t *testing.T) {
	lab := New(t)
	a := lab.Namespace("a")
	a.AddBridge("only-here")
	out, err := a.Command("cat", "/proc/self/net/dev").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "only-here:") {
		t.Errorf("the command does not see the namespace's interface:\n%s", out)
	}
	if out, err = a.Command("ls", "/sys/class/net").Output(); err != nil || !strings.Contains(string(out), "only-here") {
		t.Logf("/sys shows other interfaces (%v):\n%s", err, out)
	}
	here, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(here), "only-here:") {
		t.Error("the test process sees the namespace's interface")
	}
}

// TestRootCommandEnds: a program that nobody waits for ends with the test.
func TestRootCommandEnds(t *testing.T) {
	var cmd *Cmd
	t.Run("starts", func(t *testing.T) {
		cmd = New(t).Namespace("a").Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	})
	if cmd.ProcessState == nil {
		t.Error("it is still running")
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Errorf("Wait says %v", err)
	}
}

func TestRootSysctl(t *testing.T) {
	lab := New(t)
	a := lab.Namespace("a")
	a.Sysctl("ipv4/ip_forward", "1")
	var got []byte
	a.Must(func() (err error) {
		got, err = os.ReadFile("/proc/sys/net/ipv4/ip_forward")
		return err
	})
	if strings.TrimSpace(string(got)) != "1" {
		t.Errorf("ip_forward is %q", got)
	}
}
