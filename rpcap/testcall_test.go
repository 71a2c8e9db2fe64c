package rpcap

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestProbeOffer: what a sensor offers is read as it was written; what does not fit into a message is left out from the end.
func TestProbeOffer(t *testing.T) {
	offer := ProbeOffer{
		Ports: []uint16{2003, 2004, 2005, 2010, 65535}, Closed: []uint16{2006, 2008}, Token: 0xfedcba9876543210,
		Seen: netip.MustParseAddr("2001:db8::1"), Clock: time.UnixMilli(1795888546123),
	}
	e := offer.Error()
	if got, ok := ParseProbeOffer(e); !ok || !reflect.DeepEqual(got, offer) {
		t.Errorf("%q: %+v, %v", e.Text, got, ok)
	}
	if want := "rpcap-sensor answers probes: token fedcba9876543210, clock 1795888546123, seen 2001:db8::1, ports 2003-2005;2010;65535, closed 2006;2008"; e.Text != want {
		t.Errorf("%q", e.Text)
	}
	tcp := ProbeOffer{TCP: true, Seen: offer.Seen, Clock: offer.Clock}
	if got, ok := ParseProbeOffer(tcp.Error()); !ok || !reflect.DeepEqual(got, tcp) {
		t.Errorf("%+v, %v", got, ok)
	}
	var scattered []uint16
	for p := uint16(30000); len(scattered) < 64; p += 2 {
		scattered = append(scattered, p)
	}
	offer.Ports = scattered
	e = offer.Error()
	got, ok := ParseProbeOffer(e)
	if !ok || len(e.Text) > MaxErrorText || len(got.Ports) < 20 || !reflect.DeepEqual(got.Ports, scattered[:len(got.Ports)]) {
		t.Errorf("%d bytes, %v, %d ports", len(e.Text), ok, len(got.Ports))
	}
}

func TestProbeOfferRefused(t *testing.T) {
	good := ProbeOffer{Ports: []uint16{2003}, Seen: netip.MustParseAddr("10.0.0.1"), Clock: time.UnixMilli(1)}.Error()
	if _, ok := ParseProbeOffer(good); !ok {
		t.Fatal(good.Text)
	}
	for _, bad := range []*Error{
		{Code: CodeFindAll, Text: good.Text},
		{Code: CodeRemoteAccept, Text: "no rule matches"},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "2003-", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "1-65535", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "2004-2003", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "0", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "70000", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "2003", "2004;2003", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "10.0.0.1", "host", 1)},
		{Code: CodeRemoteAccept, Text: strings.Replace(good.Text, "token ", "token x", 1)},
	} {
		if o, ok := ParseProbeOffer(bad); ok {
			t.Errorf("%q: %+v", bad.Text, o)
		}
	}
	if (&Error{Code: CodeFindAll, Text: AsksToProbe + ": which?"}).AsksToProbe() == false || (&Error{Code: CodeRead, Text: AsksToProbe}).AsksToProbe() {
		t.Error("AsksToProbe")
	}
}

func FuzzParseProbeOffer(f *testing.F) {
	f.Add(ProbeOffer{Ports: []uint16{2003, 2004, 2009}, Closed: []uint16{7}, Seen: netip.MustParseAddr("::1"), Clock: time.UnixMilli(5)}.Error().Text)
	f.Fuzz(func(t *testing.T, text string) {
		o, ok := ParseProbeOffer(&Error{Code: CodeRemoteAccept, Text: text})
		if ok && (len(o.Ports) > maxProbePorts || len(o.Closed) > maxProbePorts) {
			t.Errorf("%d ports, %d closed", len(o.Ports), len(o.Closed))
		}
	})
}
