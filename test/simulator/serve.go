package simulator

import (
	"errors"
	"fmt"
	"net/netip"

	"rpcapd/rpcap"
)

// linkTypeEthernet is DLT_EN10MB.
const linkTypeEthernet = 1

// answer is what the agent says to a request, nil for nothing. An error ends the
// connection.
func (a *agent) answer(h rpcap.Header, payload []byte) ([]byte, error) {
	switch h.Type {
	case rpcap.TypeAuthRequest:
		return rpcap.AuthReply{}.Append(nil), nil
	case rpcap.TypeFindAllRequest:
		return a.interfaces().Append(nil), nil
	case rpcap.TypeOpenRequest:
		a.opened = true
		return rpcap.OpenReply{LinkType: linkTypeEthernet}.Append(nil), nil
	case rpcap.TypeSamplingRequest, rpcap.TypeUpdateFilterRequest:
		return rpcap.AppendEmpty(nil, h.Type.Reply()), nil
	case rpcap.TypeStartCaptureRequest:
		return a.startCapture(payload)
	case rpcap.TypeStatsRequest:
		numbers := a.final
		if a.capture != nil {
			numbers = a.capture.stats()
		}
		return numbers.Append(nil), nil
	case rpcap.TypeEndCaptureRequest:
		a.endCapture()
		return rpcap.AppendEmpty(nil, h.Type.Reply()), nil
	case rpcap.TypeClose:
		return nil, errors.New("closed by the sensor")
	case rpcap.TypeError:
		e, err := rpcap.ParseError(h, payload)
		if err == nil {
			err = e
		}
		a.fleet.complained(err)
		return nil, nil
	}
	return nil, fmt.Errorf("unexpected %v", h.Type)
}

// interfaces is the list of a small host: one address that differs from agent to agent.
func (a *agent) interfaces() rpcap.InterfaceList {
	const up = rpcap.InterfaceUp | rpcap.InterfaceRunning
	b := a.addr.As4()
	b[0] = 10
	return rpcap.NewInterfaceList(
		rpcap.Interface{Name: "eth0", Flags: up | rpcap.InterfaceConnected, Addresses: []rpcap.Address{{
			Addr: rpcap.IPv4Block(netip.AddrFrom4(b)), Netmask: rpcap.IPv4Block(netip.AddrFrom4([4]byte{255, 0, 0, 0})),
		}}},
		rpcap.Interface{Name: "lo", Flags: up | rpcap.InterfaceLoopback, Addresses: []rpcap.Address{{
			Addr: rpcap.IPv4Block(netip.AddrFrom4([4]byte{127, 0, 0, 1})), Netmask: rpcap.IPv4Block(netip.AddrFrom4([4]byte{255, 0, 0, 0})),
		}}},
	)
}

func (a *agent) startCapture(payload []byte) ([]byte, error) {
	req, _, err := rpcap.ParseStartCaptureRequest(payload)
	if err != nil {
		return nil, fmt.Errorf("read STARTCAP_REQ: %w", err)
	}
	refuse := func(why string) ([]byte, error) {
		return (&rpcap.Error{Code: rpcap.CodeStartCapture, Text: why}).Append(nil), nil
	}
	switch {
	case !a.opened:
		return refuse("no interface opened")
	case a.capture != nil:
		return refuse("a capture is already running")
	case req.Flags&rpcap.FlagDatagram == 0:
		return refuse("this agent sends over UDP only")
	}
	if a.capture, err = newCapture(a, netip.AddrPortFrom(a.fleet.sensor.Addr(), req.DataPort)); err != nil {
		return refuse(err.Error())
	}
	a.fleet.capturing.Add(1)
	return rpcap.StartCaptureReply{}.Append(nil), nil
}
