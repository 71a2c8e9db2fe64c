package agent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

// gsoRefused is the state of segmentation offload after FlagNoSegmentation.
const gsoRefused = "off: the sensor asked for single datagrams"

// udpStr packs frames into udpstr datagrams and sends them run by run.
type udpStr struct {
	log    *zap.Logger
	sock   *udpsock.Sender
	packer *udpstr.Packer
	limit  atomic.Int32
	wanted int       // the limit as it was before the path took less
	regrow time.Time // when to ask for the path MTU again, while limit is below wanted
	news   sendNews
	super  bool // segmentation offload is on, as far as has been logged
	single bool // the sensor asked for single datagrams
}

// openUDPStr: single is the sensor's wish for datagrams that leave one by one, which
// goes before --gso: something on the path loses super-packets.
func openUDPStr(to netip.AddrPort, o *Options, policy *config.Agent, single bool, log *zap.Logger, complain func(string, error)) (output, error) {
	gso := o.GSO
	if single {
		gso = udpsock.Off
		log.Info("the sensor asks for single datagrams: segmentation offload is off for this capture")
	}
	sock, err := udpsock.Dial(to, udpsock.Options{GSO: gso, SendBuffer: policy.SendBuffer, DontFragment: true})
	if err != nil {
		return nil, fmt.Errorf("open data socket: %w", err)
	}
	limit := datagramLimit(policy.Datagram, sock.MaxDatagram(), to.Addr().Is4())
	packer, err := udpstr.NewPacker(limit, make([]byte, runBuffer))
	if err != nil {
		sock.Close()
		return nil, err
	}
	u := &udpStr{log: log, sock: sock, packer: packer, wanted: limit, single: single, news: sendNews{complain: complain}}
	u.limit.Store(int32(limit))
	u.super, _ = sock.GSO()
	return u, nil
}

// datagramLimit turns -t into bytes of UDP payload. path is what the path takes
// unfragmented, 0 if unknown.
func datagramLimit(d config.Datagram, path int, ipv4 bool) int {
	limit := autoLimitIPv6
	if ipv4 {
		limit = autoLimitIPv4
	}
	switch {
	case d.Size > 0:
		limit = d.Size
	case d.Jumbo && path > 0:
		limit = path
	}
	if path > 0 {
		limit = min(limit, path)
	}
	return min(max(limit, udpstr.MinLimit), udpstr.MaxLimit)
}

func (u *udpStr) forward(frames []udpstr.Frame) error {
	for len(frames) > 0 {
		n, full := u.packer.Append(frames)
		frames = frames[n:]
		if full {
			if err := u.send(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *udpStr) flush() error {
	for u.packer.Pending() {
		if err := u.send(); err != nil {
			return err
		}
	}
	return nil
}

// send takes the open run and hands it to the kernel. What the socket could not
// send in time it has dropped and counted; that is no error here.
func (u *udpStr) send() error {
	run, ok := u.packer.Take()
	if !ok {
		return nil
	}
	if !u.regrow.IsZero() {
		u.grow(time.Now())
	}
	done, err := u.sock.Send(run.Bytes, run.Size, sendWait)
	if u.super {
		if on, why := u.sock.GSO(); !on {
			u.super = false
			u.log.Info("segmentation offload failed on this path, datagrams are sent one by one", zap.Error(why))
		}
	}
	u.news.look(u.sock)
	if err == nil {
		return nil
	}
	if tooLong := (*udpsock.TooLongError)(nil); errors.As(err, &tooLong) {
		return u.shrink(run.After(done), tooLong.Max)
	}
	return fatal(err)
}

// fatal returns the send errors that end the capture: only a closed socket is one.
// Anything else the socket has counted as dropped.
func fatal(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// shrink follows a path that takes only smaller datagrams now: what was refused is
// cut anew, so that nothing is lost and nothing fragmented. The datagrams come out
// of the packer again, before any further frame.
func (u *udpStr) shrink(rest udpstr.Run, path int) error {
	limit := min(path, rest.Size-1)
	if limit < udpstr.MinLimit {
		return fmt.Errorf("send datagrams: the path MTU allows only %d bytes, less than the %d that are needed", path, udpstr.MinLimit)
	}
	u.log.Info("path MTU has decreased, datagrams are smaller now", zap.Int("bytes", limit), zap.Int32("before", u.limit.Load()))
	if err := u.packer.SetLimit(limit); err != nil {
		return err
	}
	u.limit.Store(int32(limit))
	u.regrow = time.Now().Add(growAfter)
	return u.packer.Repack(rest)
}

// grow follows a path that takes larger datagrams again (in the spirit of RFC 8899): the kernel forgets what
// a router has said after some minutes, and then the path MTU that it tells is the larger one. If the path
// does not take it after all, a router says so again, and one run is lost.
func (u *udpStr) grow(now time.Time) {
	if now.Before(u.regrow) {
		return
	}
	u.regrow = now.Add(growAfter)
	limit := min(u.wanted, u.sock.MaxDatagram())
	before := int(u.limit.Load())
	if limit <= before || u.packer.SetLimit(limit) != nil {
		return
	}
	u.log.Info("path MTU has increased, datagrams are larger now", zap.Int("bytes", limit), zap.Int("before", before))
	u.limit.Store(int32(limit))
	if limit == u.wanted {
		u.regrow = time.Time{}
	}
}

// giveUp has nothing to do: no send waits longer than sendWait.
func (u *udpStr) giveUp() {}

func (u *udpStr) count(n *Counters) { countSocket(n, u.sock.Counters()) }

func (u *udpStr) describe(st *CaptureStatus) {
	st.Datagram = int(u.limit.Load())
	describeSocket(st, u.sock)
	if u.single {
		st.GSO = gsoRefused
	}
}

func (u *udpStr) format() string { return "udpstr" }
func (u *udpStr) near() near     { return near{local: u.sock.LocalAddr()} }
func (u *udpStr) close()         { u.sock.Close() }

func countSocket(n *Counters, c udpsock.Counters) {
	n.Datagrams += c.Datagrams
	n.SentBytes += c.Bytes
	n.Sends += c.Sends
	n.SendDropped += c.Dropped()
	n.ICMPErrors += c.ICMPErrors
	n.SendRefusals += c.Refusals
}

func describeSocket(st *CaptureStatus, s *udpsock.Sender) {
	st.GSO = "on"
	if on, why := s.GSO(); !on {
		st.GSO = "off"
		if why != nil {
			st.GSO = "off: " + why.Error()
		}
	}
	st.SendBuffer = s.SendBuffer()
	st.SendDrops = sendDrops(s.Drops())
	st.SendErrors = sendErrors(s.Errors())
	if errno := s.Refused(); errno != 0 {
		st.SendRefused = describeErrno(errno)
	}
}
