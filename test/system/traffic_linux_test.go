package system

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// etherTest is the EtherType for local experiments.
const etherTest = 0x88b5

// Markers tell where in a capture a test begins and ends.
const (
	markBegin = "system test begins"
	markEnd   = "system test ends"
)

func isMarker(data []byte, text string) bool {
	return len(data) >= 14+len(text) && binary.BigEndian.Uint16(data[12:]) == etherTest && string(data[14:14+len(text)]) == text
}

// pinned runs f in a namespace, on one processor that all traffic shares: a frame is
// then sent, received and answered before the next, and every capture sees the same
// order.
func pinned(n *netlab.Namespace, f func() error) error {
	return n.Do(func() error {
		var allowed, first unix.CPUSet
		if err := unix.SchedGetaffinity(0, &allowed); err != nil {
			return err
		}
		for cpu := range 1024 {
			if allowed.IsSet(cpu) {
				first.Set(cpu)
				break
			}
		}
		if err := unix.SchedSetaffinity(0, &first); err != nil {
			return err
		}
		return f()
	})
}

// ether puts an Ethernet header in front of a payload; tags are pairs of a TPID and
// a VLAN, the outer one first.
func ether(dst, src net.HardwareAddr, etherType uint16, payload []byte, tags ...uint16) []byte {
	b := append(append([]byte{}, dst...), src...)
	for _, t := range tags {
		b = binary.BigEndian.AppendUint16(b, t)
	}
	b = binary.BigEndian.AppendUint16(b, etherType)
	return append(b, payload...)
}

// sendRaw sends frames as they are out of an interface.
func sendRaw(n *netlab.Namespace, name string, frames ...[]byte) error {
	index := n.Link(name).Attrs().Index
	return pinned(n, func() error { return netlab.SendRaw(index, frames...) })
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// mark sends a marker from the client to the host.
func (s *stage) mark(t *testing.T, text string) {
	t.Helper()
	mark(t, text, s.client, s.host.MAC("eth0"))
}

// mark sends a marker out of eth0 of a host.
func mark(t *testing.T, text string, from *netlab.Namespace, to net.HardwareAddr) {
	t.Helper()
	must(t, sendRaw(from, "eth0", ether(to, from.MAC("eth0"), etherTest, []byte(text))))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ping sends echo requests of a size and waits for each answer.
func ping(n *netlab.Namespace, from, to string, count, size int) error {
	network, protocol, request := "ip4:icmp", 1, icmp.Type(ipv4.ICMPTypeEcho)
	answer := icmp.Type(ipv4.ICMPTypeEchoReply)
	if net.ParseIP(to).To4() == nil {
		network, protocol, request, answer = "ip6:ipv6-icmp", 58, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply
	}
	return pinned(n, func() error {
		conn, err := icmp.ListenPacket(network, from)
		if err != nil {
			return fmt.Errorf("ping %s: %w", to, err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		buf := make([]byte, 1<<16)
		for seq := range count {
			echo := icmp.Message{Type: request, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: seq, Data: pattern(seq, size)}}
			b, err := echo.Marshal(nil)
			if err != nil {
				return fmt.Errorf("ping %s: %w", to, err)
			}
			if _, err := conn.WriteTo(b, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
				return fmt.Errorf("ping %s: %w", to, err)
			}
			for {
				k, _, err := conn.ReadFrom(buf)
				if err != nil {
					return fmt.Errorf("ping %s: answer %d: %w", to, seq, err)
				}
				m, err := icmp.ParseMessage(protocol, buf[:k])
				if err != nil {
					return fmt.Errorf("ping %s: answer %d: %w", to, seq, err)
				}
				if e, ok := m.Body.(*icmp.Echo); ok && m.Type == answer && e.Seq == seq {
					break
				}
			}
		}
		return nil
	})
}

// pattern is a payload that differs from those of other numbers.
func pattern(number, size int) []byte {
	b := make([]byte, size)
	x := uint32(number)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// exchangeUDP sends datagrams of the given sizes to an echo service and waits for
// each to come back.
func exchangeUDP(from, to *netlab.Namespace, addr string, sizes ...int) error {
	var service *net.UDPConn
	err := to.Do(func() (err error) {
		service, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(addr)})
		return err
	})
	if err != nil {
		return err
	}
	defer service.Close()
	served := make(chan error, 1)
	go func() {
		served <- pinned(to, func() error {
			buf := make([]byte, 1<<16)
			for range sizes {
				n, peer, err := service.ReadFromUDP(buf)
				if err != nil {
					return err
				}
				if _, err := service.WriteToUDP(buf[:n], peer); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	err = pinned(from, func() error {
		conn, err := net.DialUDP("udp", nil, service.LocalAddr().(*net.UDPAddr))
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		buf := make([]byte, 1<<16)
		for i, size := range sizes {
			want := pattern(i, size)
			if _, err := conn.Write(want); err != nil {
				return fmt.Errorf("UDP to %s, %d bytes: %w", addr, size, err)
			}
			n, err := conn.Read(buf)
			if err != nil {
				return fmt.Errorf("UDP from %s, %d bytes: %w", addr, size, err)
			}
			if !bytes.Equal(buf[:n], want) {
				return fmt.Errorf("UDP from %s: another payload", addr)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return <-served
}

// exchangeTCP sends bytes to a service that sends them back when it has them all.
func exchangeTCP(from, to *netlab.Namespace, addr string, size int) error {
	var listener net.Listener
	err := to.Do(func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(addr, "0"))
		return err
	})
	if err != nil {
		return err
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		served <- pinned(to, func() error {
			conn, err := listener.Accept()
			if err != nil {
				return err
			}
			defer conn.Close()
			b := make([]byte, size)
			if _, err := io.ReadFull(conn, b); err != nil {
				return err
			}
			if _, err := conn.Write(b); err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, conn) // until the client closes first
			return err
		})
	}()
	err = pinned(from, func() error {
		d := net.Dialer{Timeout: patience, FallbackDelay: -1}
		conn, err := d.Dial("tcp", listener.Addr().String())
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		want := pattern(size, size)
		if _, err := conn.Write(want); err != nil {
			return err
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(conn, got); err != nil {
			return fmt.Errorf("TCP from %s: %w", addr, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("TCP from %s: other bytes", addr)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return <-served
}
