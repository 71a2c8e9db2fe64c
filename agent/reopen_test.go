package agent

import (
	"errors"
	"net/netip"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
)

// TestComplaintNamesTheCapture: what a capture has to complain of is said of its own interface, whatever OPEN came after it.
func TestComplaintNamesTheCapture(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 1), nil)
	core, logs := observer.New(zap.WarnLevel)
	r.x.log = zap.New(core)
	c := &connection{session: r.x, log: r.x.log, peer: netip.MustParseAddrPort("127.0.0.1:2003"), opened: r.file}
	capt, err := c.newCapture(t.Context(), rpcap.StartCaptureRequest{DataPort: 2003, Flags: rpcap.FlagDatagram, Filter: rpcap.AcceptAll()})
	if err != nil {
		t.Fatal(err)
	}
	defer capt.abandon()
	c.opened = ""
	capt.complain("datagrams dropped", errors.New("why"))
	if got := logs.TakeAll(); len(got) != 1 || got[0].ContextMap()["interface"] != r.file {
		t.Errorf("%+v, want one of %s", got, r.file)
	}
}
