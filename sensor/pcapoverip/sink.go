package pcapoverip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/repeat"
	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/tlsfiles"
)

const (
	// refusalEvery is how often refused clients are told of in the log, dialTold how many failures to reach a listener are in
	// an hour.
	refusalEvery = 10 * time.Second
	dialTold     = 4
)

// New opens the listener, or checks what Connect needs, and reads the files of TLS. It starts nothing: clients wait
// until Run. Close gives up a sink that is never run.
func New(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Sink{
		opts: o, log: o.Log.Named("pcapoverip").With(zap.String("output", o.Name)),
		clients: make(map[*client]struct{}), since: time.Now(), refusals: repeat.Memory{Every: refusalEvery},
	}
	s.backlog.limit, s.backlog.readers = o.Buffer, make(map[*reader]struct{})
	s.backlog.oneType, s.backlog.linkType = o.Format == savefile.Pcap, -1
	if o.LinkType != nil {
		s.backlog.linkType = int64(*o.LinkType)
	}
	if o.TLS != nil {
		var err error
		if s.tls, err = tlsfiles.Open(*o.TLS, s.renewed); err != nil {
			return nil, fmt.Errorf("start %s: %w", o.Name, err)
		}
	}
	if o.Connect != "" {
		if _, _, err := net.SplitHostPort(o.Connect); err != nil {
			return nil, fmt.Errorf("start %s: read address of the listener: %w; write host:port", o.Name, err)
		}
		return s, nil
	}
	l, err := net.Listen("tcp", listenText(o.Listen))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	s.listener = l
	return s, nil
}

// renewed tells of TLS files that were renewed.
func (s *Sink) renewed(err error) {
	if err != nil {
		s.log.Warn("renewed TLS files cannot be used; the old ones stay in use", zap.Error(err))
		return
	}
	s.log.Info("TLS files reloaded")
}

// listenText is the address as net.Listen takes it.
func listenText(a netip.AddrPort) string {
	if !a.Addr().IsValid() {
		return ":" + strconv.Itoa(int(a.Port()))
	}
	return a.String()
}

// Name implements sink.Sink.
func (s *Sink) Name() string { return s.opts.Name }

// Addr is where clients connect; nil for one that dials out.
func (s *Sink) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Close gives up the listener. It is for a sink that is not run; it may be called at any time, several times.
func (s *Sink) Close() error {
	if s.listener == nil {
		return nil
	}
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close %s: %w", s.opts.Name, err)
	}
	return nil
}

// sayMixed tells once of a second link type; backlog.mu is held.
func (s *Sink) sayMixed(src sink.Source) {
	b := &s.backlog
	if b.mixed || b.linkType < 0 || b.linkType == int64(savefile.FromDLT(src.LinkType)) {
		return
	}
	b.mixed = true
	what := "clients get a second link type: tcpdump stops there, Wireshark's programs read on; for one link type in each stream, write several sections with Agents or Rules"
	if b.oneType {
		what = "frames of another link type are left out of a classic stream; take Format = pcapng, or a section with another LinkType"
	}
	s.log.Warn(what, zap.Int64("first_link_type", b.linkType), zap.Uint32("link_type", savefile.FromDLT(src.LinkType)),
		zap.String("interface", printable.Name(src.Name())))
}

// probed counts a client that has left at once. The first one is logged, and the number of them once an hour.
func (s *Sink) probed(c *client) {
	s.mu.Lock()
	s.probes++
	n := s.probes
	s.mu.Unlock()
	if skipped, yes := s.looks.Due("", 1, time.Now()); yes {
		c.log.Info("a client connected and disconnected at once, as port checks do; further ones are counted",
			zap.Int("since_the_last_line", skipped), zap.Uint64("all", n))
	}
}
