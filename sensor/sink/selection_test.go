package sink

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/tcpdump"
	"rpcapd/test/tool"
	"rpcapd/test/wait"
	"rpcapd/udpstr"
)

// testHub runs the sinks by themselves.
func testHub(t testing.TB, sinks []Sink) *Hub {
	t.Helper()
	h, err := NewHub(sinks, nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSelectionOfSources(t *testing.T) {
	src := Source{Host: "web1#2", Agent: netip.MustParseAddr("10.1.2.3"), Interface: "eth0", LinkType: 1, Rule: "front"}
	for _, tt := range []struct {
		s    Selection
		want bool
	}{
		{Selection{}, true},
		{Selection{Agents: []string{"web*"}}, true},
		{Selection{Agents: []string{"web1"}}, true},
		{Selection{Agents: []string{"web1#2"}}, true},
		{Selection{Agents: []string{"db*", "10.1.0.0/16"}}, true},
		{Selection{Agents: []string{"10.1.2.3"}}, true},
		{Selection{Agents: []string{"10.1.2.*"}}, true},
		{Selection{Agents: []string{"10.2.0.0/16", "db*"}}, false},
		{Selection{Rules: []string{"fr*"}}, true},
		{Selection{Rules: []string{"back"}}, false},
		{Selection{Agents: []string{"web*"}, Rules: []string{"back"}}, false},
	} {
		sel, err := tt.s.Compile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := sel.Source(src); got != tt.want {
			t.Errorf("%+v: %v", tt.s, got)
		}
	}
	for _, bad := range []Selection{{Agents: []string{"a["}}, {Agents: []string{""}}, {Rules: []string{"["}}, {Agents: make([]string, maxSelected+1)}} {
		if _, err := bad.Compile(t.Context()); err == nil {
			t.Errorf("%.40v is taken", bad)
		}
	}
}

// TestSelectionOfFrames: the filter is that of the source's link type; frames left out are counted as such.
func TestSelectionOfFrames(t *testing.T) {
	tool.Need(t, "tcpdump")
	ip := make([]byte, 28)
	ip[0], ip[9], ip[23] = 0x45, 17, 53 // UDP to port 53
	ethernet := append(make([]byte, 12), 8, 0)
	ethernet = append(ethernet, ip...)
	under := &testSink{}
	k, err := Select(t.Context(), Selection{Agents: []string{"10.0.0.0/8"}, Filter: "udp port 53"}, under)
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.0.0.1"), Interface: "eth0", LinkType: 1}
	raw := src
	raw.LinkType, raw.Interface = 12, "wg0"
	other := src
	other.Agent, other.Host = netip.MustParseAddr("192.0.2.1"), "b"
	for _, tt := range []struct {
		src           Source
		data          []byte
		written, left uint64
	}{{src, ethernet, 1, 0}, {src, ip, 0, 1}, {raw, ip, 1, 0}, {raw, ethernet, 0, 1}, {other, ethernet, 0, 1}} {
		f := k.Attach(tt.src)
		f.Frame(&udpstr.Packet{Frame: udpstr.Frame{Data: tt.data, Len: uint32(len(tt.data))}})
		if c := f.Counters(); c.Written != tt.written || c.LeftOut != tt.left {
			t.Errorf("%s: %+v", tt.src.Name(), c)
		}
		f.Detach(Forwarded{})
	}
	if _, there := under.sums["b/eth0"]; there {
		t.Error("a source that is not wanted reached the sink")
	}
}

// TestSelectionOfAnUnusualLinkType: its program is compiled in the background.
func TestSelectionOfAnUnusualLinkType(t *testing.T) {
	tool.Need(t, "tcpdump")
	sel, err := Selection{Filter: "ip"}.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ppp := &udpstr.Packet{Frame: udpstr.Frame{Data: append([]byte{0xff, 3, 0, 0x21, 0x45}, make([]byte, 40)...), Len: 45}}
	if !sel.Source(Source{LinkType: 9}) {
		t.Error("the source is refused before anything is known")
	}
	wait.Until(t, "the filter is compiled", func() bool { return sel.Frame(9, ppp) })
	wlan, err := Selection{Filter: "wlan type mgt"}.Compile(t.Context())
	if err != nil {
		t.Fatalf("a filter that has a meaning on 802.11 only: %v", err)
	}
	if wlan.Source(Source{LinkType: 1}) || !wlan.Source(Source{LinkType: 127}) {
		t.Error("the link type does not decide")
	}
	if _, err := (Selection{Filter: "tcp prot 80"}).Compile(t.Context()); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("bad filter: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Selection{Filter: "ip"}).Compile(ctx); err == nil {
		t.Error("compiled after the end")
	}
}

func BenchmarkSelectorFrame(b *testing.B) {
	sel, err := Selection{Filter: "tcp port 443"}.Compile(b.Context())
	if err != nil {
		b.Skip(err)
	}
	p := &udpstr.Packet{Frame: udpstr.Frame{Data: make([]byte, 100), Len: 100}}
	b.ReportAllocs()
	for b.Loop() {
		sel.Frame(1, p)
	}
}

// A tcpdump that fails once, as when a name server does not answer, must not silence a link type for good.
func TestSelectionTriesARefusedLinkTypeAgain(t *testing.T) {
	tool.Need(t, "tcpdump")
	s, err := Selection{Filter: "tcp"}.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.1.2.3"), LinkType: tcpdump.Ethernet}
	s.set(tcpdump.Ethernet, &machine{state: machineRefused, until: time.Now().Add(time.Hour)})
	if s.Source(src) {
		t.Fatal("tried again at once")
	}
	s.set(tcpdump.Ethernet, &machine{state: machineRefused, until: time.Now().Add(-time.Second)})
	if !s.Source(src) {
		t.Fatal("not tried again")
	}
	wait.Until(t, "the filter is compiled", func() bool { return (*s.machines.Load())[tcpdump.Ethernet].state == machineReady })
}

// A stream that runs while the filter is refused gets its frames once it is not, without being attached anew.
func TestSelectionReachesARunningStream(t *testing.T) {
	tool.Need(t, "tcpdump")
	under := &testSink{}
	k, err := Select(t.Context(), Selection{Filter: "ip"}, under)
	if err != nil {
		t.Fatal(err)
	}
	sel := k.(*selectedSink).selector
	defer sel.Close()
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.1.2.3"), Interface: "eth0", LinkType: tcpdump.Ethernet}
	sel.set(tcpdump.Ethernet, &machine{state: machineRefused, until: time.Now().Add(time.Hour)})
	f := k.Attach(src)
	ip := &udpstr.Packet{Frame: udpstr.Frame{Data: append(make([]byte, 12), append([]byte{8, 0, 0x45}, make([]byte, 40)...)...), Len: 55}}
	f.Frame(ip)
	if c := f.Counters(); c.LeftOut != 1 {
		t.Fatalf("%+v", c)
	}
	sel.set(tcpdump.Ethernet, &machine{state: machineRefused, until: time.Now().Add(-time.Second)})
	wait.Until(t, "a frame passes", func() bool { f.Frame(ip); return f.Counters().Written > 0 })
	f.Detach(Forwarded{})
	if _, told := under.sums["a/eth0"]; !told {
		t.Error("the sink does not know of the end")
	}
}

// The background compilation of a selection ends with its sink.
func TestSelectionEndsWithItsSink(t *testing.T) {
	tool.Need(t, "tcpdump")
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	k, err := Select(t.Context(), Selection{Filter: "ip"}, &testSink{})
	if err != nil {
		t.Fatal(err)
	}
	sel := k.(*selectedSink).selector
	tool.Fake(t, "tcpdump", "exec sleep 90")
	k.Attach(Source{LinkType: 9})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if err := k.Run(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 40*time.Second {
		t.Errorf("the sink ended after %v", took)
	}
	if k.Attach(Source{LinkType: 10}); sel.machine(10) != nil {
		t.Error("compiles after the end")
	}
}

// TestSelectionWithoutAFurtherLinkType: a filter that keeps tcpdump too long on a further link type does not make the ones before useless.
func TestSelectionWithoutAFurtherLinkType(t *testing.T) {
	c := tcpdump.NewLimited()
	tool.Fake(t, "tcpdump", `test "$(od -An -tu1 -j20 -N1 | tr -d " ")" = 1 && { echo 1; echo 6 0 0 1; exit; }; kill -9 $$`)
	s, err := Selection{Filter: "ip"}.CompileWith(t.Context(), c, []uint32{tcpdump.Ethernet, 12})
	if err != nil || s.machine(tcpdump.Ethernet) == nil || s.machine(101) != nil {
		t.Fatalf("%v", err)
	}
	if _, err := (Selection{Filter: "ip"}).CompileWith(t.Context(), c, []uint32{12}); !errors.As(err, new(*tcpdump.Error)) {
		t.Errorf("%v", err)
	}
}
