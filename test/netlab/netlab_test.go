package netlab

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// TestRootTalk: two hosts on a cable reach each other and nobody else.
func TestRootTalk(t *testing.T) {
	lab := New(t)
	a, b := lab.Namespace("a"), lab.Namespace("b")
	lab.Veth(a, "eth0", b, "eth0")
	a.AddAddr("eth0", "10.1.0.1/24")
	b.AddAddr("eth0", "10.1.0.2/24")
	a.AddAddr("eth0", "fd01::1/64")
	b.AddAddr("eth0", "fd01::2/64")
	for _, host := range []string{"10.1.0.2", "fd01::2"} {
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
			_, err = c.Write([]byte("hello"))
			return err
		})
		buf := make([]byte, 100)
		l.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := l.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "hello" {
			t.Fatalf("%s got %q, %v", host, buf[:n], err)
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
	here, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(here), "only-here:") {
		t.Error("the test process sees the namespace's interface")
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
