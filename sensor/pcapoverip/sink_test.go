package pcapoverip

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/tlsfiles"
	"rpcapd/udpstr"
)

func TestClientGetsInterfacesAndFramesAndStatistics(t *testing.T) {
	s := start(t, Options{})
	a, b := s.attach("web", "eth0", 1), s.attach("web", "tun0", 12)
	a.Frame(ethernet(1, 80, 100)) // nobody is there
	ch := collect(dial(t, s.address()))
	s.streaming(1)
	var want []record
	put := func(f sink.Feed, name string, linkType uint32, p *udpstr.Packet) {
		f.Frame(p)
		want = append(want, recordOf(name, linkType, p))
	}
	put(a, "web/eth0", 1, ethernet(2, 80, 60))
	put(b, "web/tun0", 101, ethernet(3, 80, 61))
	late := s.attach("db", "eth0", 1)
	put(late, "db/eth0", 1, ethernet(4, 80, 62))
	put(a, "web/eth0", 1, ethernet(5, 80, 63))
	put(a, "web/eth0", 1, ethernet(6, 80, 262144)) // the largest
	s.stop()
	r := await(t, "client", ch)
	compare(t, "client", r.records, want)
	if r.ng == nil || r.ng.NInterfaces() != 3 {
		t.Fatalf("interfaces: %+v", r.ng)
	}
	for i, delivered := range []uint64{3, 1, 1} {
		n, err := r.ng.Interface(i)
		if err != nil || n.Statistics.LastUpdate.IsZero() {
			t.Errorf("interface %d has no statistics: %+v, %v", i, n, err)
		}
		known := i == 2 // the others were there before the client
		if (n.Statistics.PacketsReceived == 1000) != known {
			t.Errorf("interface %d: received %d of %d frames", i, n.Statistics.PacketsReceived, delivered)
		}
	}
	if c := a.Counters(); c.Written != 3 || c.LeftOut != 1 || c.Dropped != 0 || c.Bytes != 60+63+262144 {
		t.Errorf("counters %+v", c)
	}
	after := s.Attach(source("web", "eth0", 1))
	after.Frame(ethernet(7, 80, 60))
	if c := after.Counters(); c.Dropped != 1 {
		t.Errorf("counters after the end %+v", c)
	}
}

func TestTwoClientsWithSelections(t *testing.T) {
	needTool(t, "tcpdump")
	s := start(t, Options{begin: 3 * time.Second}) // one client is silent
	web, db, odd := s.attach("web1", "eth0", 1), s.attach("db", "eth0", 1), s.attach("web2", "tun0", 12)
	ask := func(line string) <-chan result {
		c := dial(t, s.address())
		if _, err := io.WriteString(c, line); err != nil {
			t.Fatal(err)
		}
		return collect(c)
	}
	all := ask("")
	ports := ask("filter=udp dst port 443\n")
	agents := ask("Agents = web*, 192.0.2.0/24 ; filter = udp[8:4] >= 10\r\n")
	everything := ask("\n")
	s.streaming(4)
	var wantAll, wantPorts, wantAgents []record
	for i := range uint32(200) {
		p := ethernet(i, 443+uint16(i%2), 60+int(i))
		for f, name := range map[sink.Feed]string{web: "web1/eth0", db: "db/eth0"} {
			f.Frame(p)
			r := recordOf(name, 1, p)
			wantAll = append(wantAll, r)
			if i%2 == 0 {
				wantPorts = append(wantPorts, r)
			}
			if i >= 10 && f == web {
				wantAgents = append(wantAgents, r)
			}
		}
	}
	raw := ethernet(500, 443, 80)
	raw.Data = raw.Data[14:]
	odd.Frame(raw)
	for _, list := range []*[]record{&wantAll, &wantPorts, &wantAgents} {
		*list = append(*list, recordOf("web2/tun0", 101, raw))
	}
	st := s.Status()
	if len(st.Parts) != 4 || st.Kind != "pcap-over-ip" || st.State != sink.Running {
		t.Errorf("status %+v", st)
	}
	s.stop()
	compare(t, "everything", await(t, "everything", all).records, wantAll)
	compare(t, "empty line", await(t, "empty line", everything).records, wantAll)
	r := await(t, "filter", ports)
	compare(t, "filter", r.records, wantPorts)
	r = await(t, "agents", agents)
	compare(t, "agents", r.records, wantAgents)
	if r.ng != nil && r.ng.NInterfaces() != 2 {
		t.Errorf("agents: %d interfaces; it needs two", r.ng.NInterfaces())
	}
}

func TestClassic(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		o := Options{Format: savefile.Pcap}
		if fixed {
			o.LinkType = new(uint32)
			*o.LinkType = 101
		}
		s := start(t, o)
		c := dial(t, s.address())
		s.streaming(1) // before the first source
		eth, raw := s.attach("web", "eth0", 1), s.attach("web", "tun0", 12)
		good, bad := eth, raw
		want := layers.LinkTypeEthernet
		if fixed {
			good, bad, want = raw, eth, layers.LinkTypeRaw
		}
		p, q := ethernet(1, 80, 60), ethernet(2, 80, 61)
		bad.Frame(p)
		good.Frame(p)
		good.Frame(q)
		s.stop()
		r, err := pcapgo.NewReader(c)
		if err != nil {
			t.Fatal(err)
		}
		if r.LinkType() != want {
			t.Errorf("link type %v instead of %v", r.LinkType(), want)
		}
		var got []record
		for {
			data, ci, err := r.ReadPacketData()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, record{"", 0, ci.Timestamp.Unix(), ci.Timestamp.Nanosecond() / 1000, ci.Length, string(data)})
		}
		compare(t, "classic", got, []record{recordOf("", 0, p), recordOf("", 0, q)})
		if n := bad.Counters(); n.Dropped != 1 || n.Written != 0 {
			t.Errorf("other link type: %+v", n)
		}
		if n := good.Counters(); n.Dropped != 0 || n.Written != 2 {
			t.Errorf("the link type: %+v", n)
		}
	}
}

func TestManyClients(t *testing.T) {
	s := start(t, Options{})
	f := s.attach("web", "eth0", 1)
	var all []<-chan result
	for range defaultClients {
		all = append(all, collect(dial(t, s.address())))
	}
	s.streaming(defaultClients)
	more := dial(t, s.address())
	answer, err := io.ReadAll(more)
	if err != nil || !strings.Contains(string(answer), "the limit of 64 clients is reached") {
		t.Errorf("one more got %q, %v", answer, err)
	}
	var want []record
	for i := range uint32(3000) {
		p := ethernet(i, 80, 60+int(i%1400))
		f.Frame(p)
		want = append(want, recordOf("web/eth0", 1, p))
	}
	eventually(t, "every client has all", func() bool { // at the end nobody is waited for long
		return !slices.ContainsFunc(s.Status().Parts, func(client sink.Status) bool { return client.Counters.Written < 3000 })
	})
	s.stop()
	for i, ch := range all {
		compare(t, fmt.Sprint("client ", i), await(t, "client", ch).records, want)
	}
	if c := f.Counters(); c.Written != 3000 || c.Dropped+c.LeftOut != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestClientThatNeverReads sends much more than fits beside one that reads all.
func TestClientThatNeverReads(t *testing.T) {
	s := start(t, Options{Buffer: 4 << 20})
	f := s.attach("web", "eth0", 1)
	stopped := dial(t, s.address())
	if err := stopped.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	s.streaming(1)
	ch := collect(dial(t, s.address()))
	s.streaming(2)
	const frames = 15000 // 22 MB
	for i := range uint32(frames) {
		f.Frame(ethernet(i, 80, 1500))
		for c := s.reading(1); i%500 == 499 && c.Written+1000 < uint64(i); c = s.reading(1) {
			time.Sleep(time.Millisecond) // a sender that outruns both proves nothing
		}
	}
	if c := f.Counters(); c.Written != frames || c.Dropped != 0 {
		t.Errorf("sink: %+v", c)
	}
	eventually(t, "the reader has got all", func() bool { return s.reading(1).Written == frames })
	slow, good := s.reading(0), s.reading(1)
	if slow.Dropped == 0 || good.Dropped != 0 {
		t.Errorf("the client that never reads: %+v; the one that does: %+v", slow, good)
	}
	st := s.Status()
	if st.Parts[0].State != sink.Degraded || !strings.Contains(st.Parts[0].Error, "too slowly") || st.Parts[1].State != sink.Running {
		t.Errorf("status %+v", st)
	}
	s.backlog.mu.Lock()
	if size := s.backlog.size; size > 4<<20 {
		t.Errorf("the backlog has %d bytes", size)
	}
	s.backlog.mu.Unlock()
	s.stop()
	if r := await(t, "the reader", ch); len(r.records) != frames {
		t.Errorf("the reader got %d frames", len(r.records))
	}
}

// reading is a client's counters, the oldest first.
func (r *running) reading(i int) sink.Counters { return r.Status().Parts[i].Counters }

// TestEquations holds the accounts against each other, with nobody who reads.
func TestEquations(t *testing.T) {
	s := start(t, Options{Buffer: minBuffer, Stalled: 300 * time.Millisecond})
	f := s.attach("web", "eth0", 1)
	c := dial(t, s.address())
	s.streaming(1)
	// Until it is disconnected: what one backlog holds may find room in the sockets' buffers, and then nobody is slow.
	frames := uint64(0)
	eventually(t, "a client that never reads is disconnected", func() bool {
		for range 2000 {
			f.Frame(ethernet(uint32(frames), 80, 1500))
			frames++
		}
		s.backlog.mu.Lock()
		defer s.backlog.mu.Unlock()
		return len(s.backlog.readers) == 0
	})
	n := f.Counters()
	if n.Written+n.Dropped+n.LeftOut != frames || n.Dropped == 0 { // left out: if it was disconnected before the end
		t.Errorf("one client that never reads: %+v", n)
	}
	eventually(t, "it has gone from the status", func() bool { return len(s.Status().Parts) == 0 })
	st := s.Status()
	var sent, lost uint64
	for _, d := range st.Details {
		switch d.Name {
		case "frames sent":
			sent = d.Number
		case "frames dropped by slow clients":
			lost = d.Number
		}
	}
	if sent+lost != n.Written+n.Dropped {
		t.Errorf("client: %d sent, %d lost of %d", sent, lost, n.Written+n.Dropped)
	}
	if len(st.Parts) != 0 {
		t.Errorf("clients: %+v", st.Parts)
	}
	f.Frame(ethernet(1, 80, 60))
	if after := f.Counters(); after.LeftOut != n.LeftOut+1 {
		t.Errorf("nobody is there: %+v", n)
	}
	_ = c.Close()
}

func TestRefusals(t *testing.T) {
	n := uint32(1 << 16)
	for what, o := range map[string]Options{
		"listens and dials":  {Listen: loopback, Connect: "a:1"},
		"half a certificate": {Listen: loopback, TLS: &tlsfiles.Files{Certificate: "x"}},
		"TLS without files":  {Listen: loopback, TLS: &tlsfiles.Files{}},
		"no such file":       {Listen: loopback, TLS: &tlsfiles.Files{Certificate: "/nowhere/x", Key: "/nowhere/y"}},
		"link type":          {Listen: loopback, LinkType: &n},
		"format":             {Listen: loopback, Format: 7},
		"negative":           {Listen: loopback, Clients: -1},
		"no port":            {Connect: "host"},
	} {
		if s, err := New(o); err == nil {
			t.Errorf("%s: accepted: %+v", what, s.opts)
			_ = s.Close()
		}
	}
	s := start(t, Options{AllowClients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	answer, _ := io.ReadAll(dial(t, s.address()))
	if !strings.Contains(string(answer), "AllowClients") {
		t.Errorf("a foreign client got %q", answer)
	}
	if _, err := New(Options{Listen: netip.MustParseAddrPort(s.address())}); err == nil {
		t.Error("a port was taken twice")
	}
}
