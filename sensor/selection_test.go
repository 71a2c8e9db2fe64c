package sensor

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/udpstr"
)

func needTcpdump(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed")
	}
}

// testHub runs the sinks by themselves.
func testHub(t testing.TB, sinks []Sink) *hub {
	t.Helper()
	o := Options{Rules: []Rule{{Name: "all"}}, Sinks: sinks}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	h, err := newHub(&o)
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
	needTcpdump(t)
	ip := make([]byte, 28)
	ip[0], ip[9], ip[23] = 0x45, 17, 53 // UDP to port 53
	ethernet := append(make([]byte, 12), 8, 0)
	ethernet = append(ethernet, ip...)
	under := &countingSink{}
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
	needTcpdump(t)
	sel, err := Selection{Filter: "ip"}.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ppp := &udpstr.Packet{Frame: udpstr.Frame{Data: append([]byte{0xff, 3, 0, 0x21, 0x45}, make([]byte, 40)...), Len: 45}}
	if !sel.Source(Source{LinkType: 9}) {
		t.Error("the source is refused before anything is known")
	}
	eventually(t, "the filter is compiled", func() bool { return sel.Frame(9, ppp) })
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
	needTcpdump(t)
	s, err := Selection{Filter: "tcp"}.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.1.2.3"), LinkType: linkEthernet}
	s.set(linkEthernet, &machine{state: machineRefused, until: time.Now().Add(time.Hour)})
	if s.Source(src) {
		t.Fatal("tried again at once")
	}
	s.set(linkEthernet, &machine{state: machineRefused, until: time.Now().Add(-time.Second)})
	if !s.Source(src) {
		t.Fatal("not tried again")
	}
	eventually(t, "the filter is compiled", func() bool { return (*s.machines.Load())[linkEthernet].state == machineReady })
}

// fakeTcpdump makes a compiler run a script instead.
func fakeTcpdump(t *testing.T, c *compiler, script string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tcpdump")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	c.tcpdump = name
}

// A stream that runs while the filter is refused gets its frames once it is not, without being attached anew.
func TestSelectionReachesARunningStream(t *testing.T) {
	needTcpdump(t)
	under := &countingSink{}
	k, err := Select(t.Context(), Selection{Filter: "ip"}, under)
	if err != nil {
		t.Fatal(err)
	}
	sel := k.(*selectedSink).selector
	defer sel.Close()
	src := Source{Host: "a", Agent: netip.MustParseAddr("10.1.2.3"), Interface: "eth0", LinkType: linkEthernet}
	sel.set(linkEthernet, &machine{state: machineRefused, until: time.Now().Add(time.Hour)})
	f := k.Attach(src)
	ip := &udpstr.Packet{Frame: udpstr.Frame{Data: append(make([]byte, 12), append([]byte{8, 0, 0x45}, make([]byte, 40)...)...), Len: 55}}
	f.Frame(ip)
	if c := f.Counters(); c.LeftOut != 1 {
		t.Fatalf("%+v", c)
	}
	sel.set(linkEthernet, &machine{state: machineRefused, until: time.Now().Add(-time.Second)})
	eventually(t, "a frame passes", func() bool { f.Frame(ip); return f.Counters().Written > 0 })
	f.Detach(Forwarded{})
	if _, told := under.sums["a/eth0"]; !told {
		t.Error("the sink does not know of the end")
	}
}

// The background compilation of a selection ends with its sink.
func TestSelectionEndsWithItsSink(t *testing.T) {
	needTcpdump(t)
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	k, err := Select(t.Context(), Selection{Filter: "ip"}, &countingSink{})
	if err != nil {
		t.Fatal(err)
	}
	sel := k.(*selectedSink).selector
	fakeTcpdump(t, sel.compiler, "exec sleep 9\n")
	k.Attach(Source{LinkType: 9})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if err := k.Run(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the sink ended after %v", took)
	}
	if k.Attach(Source{LinkType: 10}); sel.machine(10) != nil {
		t.Error("compiles after the end")
	}
}

// A tcpdump that takes long, for a name server that does not answer, holds up nobody who needs another filter, and those who
// need the same wait for one run.
func TestCompilerDoesNotBlockOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	c := newCompiler()
	runs := filepath.Join(t.TempDir(), "runs")
	fakeTcpdump(t, c, `case "$*" in *slow*) echo run >> `+runs+`; exec sleep 9;; esac; echo 1; echo 6 0 0 1`+"\n")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := c.compile(ctx, "slow", 1); err == nil {
				t.Error("compiled")
			}
		})
	}
	eventually(t, "the slow one runs", func() bool { _, err := os.Stat(runs); return err == nil })
	begin := time.Now()
	if _, err := c.compile(t.Context(), "quick", 1); err != nil {
		t.Error(err)
	}
	c.forgetRefusals()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("waited %v", took)
	}
	cancel()
	wg.Wait()
	if b, err := os.ReadFile(runs); err != nil || strings.Count(string(b), "run") != 1 {
		t.Errorf("%q %v", b, err)
	}
}
