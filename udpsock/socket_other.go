//go:build !linux && !windows

package udpsock

import "net"

// sendSocket sends with one write per datagram.
type sendSocket struct {
	conn *net.UDPConn
}

// receiveSocket receives one datagram at a time.
type receiveSocket struct{}

// strangers is nothing here.
type strangers struct{}

func (strangers) close() {}
