package sensor_test

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// dialAsAgent connects to a sensor, forwards n frames and stays until the sensor ends. The channel is closed then.
func dialAsAgent(sensor netip.AddrPort, n int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := asAgent(sensor, n); err != nil {
			fmt.Println("agent:", err)
		}
	}()
	return done
}

func asAgent(sensor netip.AddrPort, n int) error {
	conn, err := net.Dial("tcp", sensor.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	control := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
	for {
		h, payload, err := control.ReadMessage(time.Time{})
		if err != nil {
			return nil // the sensor has ended
		}
		reply := rpcap.AppendEmpty(nil, h.Type.Reply())
		var data uint16
		switch h.Type {
		case rpcap.TypeFindAllRequest:
			reply = rpcap.NewInterfaceList(rpcap.Interface{Name: "eth0", Flags: rpcap.InterfaceUp}).Append(nil)
		case rpcap.TypeOpenRequest:
			reply = rpcap.OpenReply{LinkType: 1}.Append(nil)
		case rpcap.TypeStartCaptureRequest:
			req, _, err := rpcap.ParseStartCaptureRequest(payload)
			if err != nil {
				return err
			}
			data = req.DataPort
			reply = rpcap.StartCaptureReply{}.Append(nil)
		case rpcap.TypeStatsRequest:
			reply = rpcap.StatsReply{IfRecv: uint32(n), Captured: uint32(n)}.Append(nil)
		}
		if err := control.WriteMessage(time.Time{}, reply); err != nil {
			return err
		}
		if data != 0 {
			if err := export(netip.AddrPortFrom(sensor.Addr(), data), n); err != nil {
				return err
			}
		}
	}
}

// export sends n frames in one datagram.
func export(to netip.AddrPort, n int) error {
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	packer, err := udpstr.NewPacker(1472, make([]byte, 1<<16))
	if err != nil {
		return err
	}
	now := time.Now()
	for i := range n {
		frame := make([]byte, 60+i)
		packer.Append([]udpstr.Frame{{Data: frame, Len: uint32(len(frame)), Sec: uint32(now.Unix()), Usec: uint32(now.Nanosecond() / 1000)}})
	}
	run, _ := packer.Take()
	_, err = conn.Write(run.Datagram(0))
	return err
}
