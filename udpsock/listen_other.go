//go:build !windows

package udpsock

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// listenSocket is a socket of package net, which does the waiting.
type listenSocket struct{ conn *net.UDPConn }

func (r *Receiver) listen(addr netip.AddrPort, o ListenOptions) error {
	network := "udp6"
	switch {
	case addr.Addr().Is4():
		network = "udp4"
	case addr.Addr() == netip.IPv6Unspecified():
		network = "udp"
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return r.prepare(c, o) }}
	c, err := lc.ListenPacket(context.Background(), network, addr.String())
	if err != nil {
		return err
	}
	r.conn = c.(*net.UDPConn)
	r.local = r.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := r.start(o); err != nil {
		_ = r.conn.Close()
		return &net.OpError{Op: "listen", Net: network, Addr: net.UDPAddrFromAddrPort(addr), Err: err}
	}
	return nil
}

func (r *Receiver) setDeadline(t time.Time) error { return r.conn.SetReadDeadline(t) }

func (r *Receiver) closeSocket() error { return r.conn.Close() }
