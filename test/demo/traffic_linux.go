package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	pings     = 5
	pingPause = 100 * time.Millisecond
	datagrams = 20      // UDP datagrams to the host, each echoed
	tcpBytes  = 1 << 20 // sent to the host and echoed, per address family
	echoPort  = "7"
	patience  = 5 * time.Second // for any single answer on these idle links
)

// pingHost sends echo requests over a raw socket; the host's kernel answers.
func (s *stage) pingHost(from, to string) error {
	network, protocol, request := "ip4:icmp", 1, icmp.Type(ipv4.ICMPTypeEcho)
	if net.ParseIP(to).To4() == nil {
		network, protocol, request = "ip6:ipv6-icmp", 58, ipv6.ICMPTypeEchoRequest
	}
	return s.client.Do(func() error {
		conn, err := icmp.ListenPacket(network, from)
		if err != nil {
			return fmt.Errorf("ping %s: %w", to, err)
		}
		defer conn.Close()
		for seq := range pings {
			time.Sleep(pingPause)
			echo := icmp.Message{Type: request, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: seq, Data: []byte("rpcapd demo ping")}}
			b, err := echo.Marshal(nil)
			if err != nil {
				return fmt.Errorf("ping %s: %w", to, err)
			}
			if _, err := conn.WriteTo(b, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
				return fmt.Errorf("ping %s: %w", to, err)
			}
			if err := awaitEcho(conn, protocol, seq); err != nil {
				return fmt.Errorf("ping %s, answer %d: %w", to, seq, err)
			}
		}
		return nil
	})
}

// awaitEcho reads until the answer to one request is there.
func awaitEcho(conn *icmp.PacketConn, protocol, seq int) error {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for b := make([]byte, 1500); ; {
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			return err
		}
		m, err := icmp.ParseMessage(protocol, b[:n])
		if err != nil || m.Type != ipv4.ICMPTypeEchoReply && m.Type != ipv6.ICMPTypeEchoReply {
			continue
		}
		if e, ok := m.Body.(*icmp.Echo); ok && e.Seq == seq {
			return nil
		}
	}
}

// serveEcho opens an echo service for UDP and TCP on the host. It ends with the demo.
func (s *stage) serveEcho(addr string) error {
	var udp net.PacketConn
	var tcp net.Listener
	err := s.host.Do(func() (err error) {
		if udp, err = net.ListenPacket("udp", net.JoinHostPort(addr, echoPort)); err != nil {
			return err
		}
		tcp, err = net.Listen("tcp", net.JoinHostPort(addr, echoPort))
		return err
	})
	if err != nil {
		return fmt.Errorf("open echo service: %w", err)
	}
	s.Cleanup(func() { udp.Close(); tcp.Close() })
	go func() {
		for b := make([]byte, 1500); ; {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(b[:n], from) // the other end misses what is not sent
		}
	}()
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return nil
}

func (s *stage) dial(network, addr string) (conn net.Conn, err error) {
	err = s.client.Do(func() error {
		conn, err = net.DialTimeout(network, net.JoinHostPort(addr, echoPort), patience)
		return err
	})
	return conn, err
}

// datagramText is the payload of a UDP datagram; the file must hold each of them twice.
func datagramText(to string, i int) string {
	return fmt.Sprintf("rpcapd demo datagram %d to %s", i, to)
}

func (s *stage) sendUDP(to string) error {
	conn, err := s.dial("udp", to)
	if err != nil {
		return fmt.Errorf("send UDP: %w", err)
	}
	defer conn.Close()
	b := make([]byte, 1500)
	for i := range datagrams {
		want := datagramText(to, i)
		err := conn.SetDeadline(time.Now().Add(patience))
		if err == nil {
			_, err = io.WriteString(conn, want)
		}
		if err != nil {
			return fmt.Errorf("send UDP: %w", err)
		}
		n, err := conn.Read(b)
		if err != nil {
			return fmt.Errorf("receive UDP: %w", err)
		}
		if string(b[:n]) != want {
			return fmt.Errorf("receive UDP: %q came back for %q", b[:n], want)
		}
	}
	return nil
}

func (s *stage) sendTCP(to string) error {
	conn, err := s.dial("tcp", to)
	if err != nil {
		return fmt.Errorf("send TCP: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	want := make([]byte, tcpBytes)
	for i := range want {
		want[i] = byte(i ^ i>>8)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(want)
		sent <- errors.Join(err, conn.(*net.TCPConn).CloseWrite())
	}()
	got, err := io.ReadAll(conn)
	if err := errors.Join(<-sent, err); err != nil {
		return fmt.Errorf("send TCP: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("receive TCP: %d bytes came back, not the %d that were sent", len(got), len(want))
	}
	return nil
}
