package agent

import (
	"fmt"
	"net/netip"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

// packetUDP sends one PACKET message per datagram (-t 0), for clients that know no
// udpstr. Datagrams beyond the path MTU are fragmented by the kernel.
type packetUDP struct {
	sock *udpsock.Sender
	news sendNews
	npkt uint32
	buf  []byte   // messages not sent yet
	msgs [][]byte // their places in buf
}

const (
	// plainBatch messages are sent with one sendmmsg.
	plainBatch = 64
	// plainBuffer holds a batch of full frames of an ordinary network.
	plainBuffer = 128 << 10
)

func openPacketUDP(to netip.AddrPort, o *Options, policy *config.Agent, complain func(string, error)) (output, error) {
	sock, err := udpsock.Dial(to, udpsock.Options{GSO: udpsock.Off, SendBuffer: policy.SendBuffer})
	if err != nil {
		return nil, fmt.Errorf("open data socket: %w", err)
	}
	return &packetUDP{
		sock: sock,
		news: sendNews{complain: complain},
		buf:  make([]byte, 0, plainBuffer),
		msgs: make([][]byte, 0, plainBatch),
	}, nil
}

func (o *packetUDP) forward(frames []udpstr.Frame) error {
	for i := range frames {
		f := &frames[i]
		data := f.Data[:min(len(f.Data), rpcap.MaxUDPCaplen)]
		if len(o.buf)+rpcap.PacketHeaderLen+len(data) > cap(o.buf) || len(o.msgs) == plainBatch {
			if err := o.flush(); err != nil {
				return err
			}
		}
		o.npkt++
		h := rpcap.PacketHeader{Sec: f.Sec, Usec: f.Usec, Caplen: uint32(len(data)), Len: f.Len, Number: o.npkt}
		start := len(o.buf)
		o.buf = append(h.Append(o.buf), data...)
		o.msgs = append(o.msgs, o.buf[start:])
	}
	return nil
}

func (o *packetUDP) flush() error {
	if len(o.msgs) == 0 {
		return nil
	}
	_, err := o.sock.SendMany(o.msgs, sendWait)
	o.msgs, o.buf = o.msgs[:0], o.buf[:0]
	o.news.look(o.sock)
	return fatal(err)
}

func (o *packetUDP) giveUp()                    {}
func (o *packetUDP) count(n *Counters)          { countSocket(n, o.sock.Counters()) }
func (o *packetUDP) describe(st *CaptureStatus) { describeSocket(st, o.sock) }
func (o *packetUDP) format() string             { return "packet/udp" }
func (o *packetUDP) near() near                 { return near{local: o.sock.LocalAddr()} }
func (o *packetUDP) close()                     { o.sock.Close() }
