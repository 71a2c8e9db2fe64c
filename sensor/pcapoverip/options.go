package pcapoverip

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"rpcapd/savefile"
	"rpcapd/tlsfiles"
)

const (
	// DefaultPort is the port that Wireshark's manual and others use for PCAP-over-IP.
	DefaultPort = 57012
	// defaultClients bounds the clients of one listener.
	defaultClients = 64
	// defaultBuffer is the backlog that all clients of a sink share, in bytes: an eighth of a second at 1 Gbit/s.
	defaultBuffer = 16 << 20
	// minBuffer holds the largest frame several times.
	minBuffer = 1 << 20
	// defaultStalled lets a reader that is stopped for a minute live.
	defaultStalled = 2 * time.Minute
)

// Options configures New. Exactly one of Listen and Connect is given.
type Options struct {
	Name    string         // the sink's; empty: "pcap-over-ip"
	Listen  netip.AddrPort // the zero address is every address; port 0 lets the system choose (Sink.Addr tells)
	Connect string         // "host:port" of a listener to dial instead

	Format   savefile.Format
	LinkType *uint32 // LINKTYPE number of a classic stream; nil: that of the first source

	Clients      int            // at once; 0: 64
	AllowClients []netip.Prefix // addresses that may connect; none: every one
	Buffer       int            // bytes; 0: 16 MiB
	Stalled      time.Duration  // a connection that takes nothing for this long is closed; 0: 2 minutes

	TLS     *tlsfiles.Files // nil: none
	Own     *Own            // shared by the sinks of a sensor; nil: this one looks for its own connections only
	Filters *Filters        // shared likewise; nil: one of its own
	Log     *zap.Logger     // nil is silent

	begin, announce time.Duration // beginTimeout and announceAfter; tests take longer ones, so that a busy machine is in time
}

// check fills in defaults and refuses what cannot work.
func (o *Options) check() error {
	if o.Name == "" {
		o.Name = "pcap-over-ip"
	}
	fail := func(text string) error { return fmt.Errorf("check %s: %w", o.Name, errors.New(text)) }
	switch {
	case o.Connect != "" && o.Listen != (netip.AddrPort{}):
		return fail("it either listens or dials out; make two outputs of it")
	case o.Format != savefile.Pcapng && o.Format != savefile.Pcap:
		return fail("the format is neither pcapng nor pcap")
	case o.Clients < 0 || o.Buffer < 0 || o.Stalled < 0:
		return fail("a limit is negative")
	case o.TLS != nil && (o.TLS.Certificate == "") != (o.TLS.Key == ""):
		return fail("only one of certificate and key; TLS needs both")
	case o.TLS != nil && o.Connect == "" && o.TLS.Certificate == "":
		return fail("TLS on a listener needs a certificate and its key")
	case o.LinkType != nil && *o.LinkType > savefile.MaxLinkType:
		return fail("link type above 65535")
	}
	if o.Clients == 0 {
		o.Clients = defaultClients
	}
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	o.Buffer = max(o.Buffer, minBuffer)
	if o.Stalled == 0 {
		o.Stalled = defaultStalled
	}
	o.begin, o.announce = cmp.Or(o.begin, beginTimeout), cmp.Or(o.announce, announceAfter)
	if o.Own == nil {
		o.Own = &Own{}
	}
	if o.Filters == nil {
		o.Filters = NewFilters()
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return nil
}
