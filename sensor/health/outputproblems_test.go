package health

import (
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// TestDropCures: what helps against drops depends on the kind of the output, and names disk, client, listener or interface.
func TestDropCures(t *testing.T) {
	text := func(name, value string) sink.Detail { return sink.Detail{Name: name, Text: value} }
	number := func(name string, n uint64) sink.Detail {
		return sink.Detail{Name: name, Text: "n", Number: n, Numeric: true, Total: true}
	}
	start := time.Now()
	for title, tc := range map[string]struct {
		sink sink.Status
		want []string
		not  []string
	}{
		"file":            {sink.Status{Kind: "file", Details: []sink.Detail{text("path", "/data/%H.pcapng")}}, []string{"/data/%H.pcapng", "disk"}, []string{"reader", "client"}},
		"file, disk full": {sink.Status{Kind: "file", State: sink.Retrying, Error: "write /data/1.pcapng: no space left; make room on the disk of /data", Details: []sink.Detail{text("path", "/data/1.pcapng")}}, []string{"does not work: write /data/1.pcapng: no space left; make room", "has dropped 5 frames", "tries again automatically"}, []string{"slower"}},
		"file, was full":  {sink.Status{Kind: "file", Error: "write /data/1.pcapng: no space left", Details: []sink.Detail{number("frames lost when writing failed", 5)}}, []string{"no space left", "works again"}, []string{"slower", "link type"}},
		"file, taken":     {sink.Status{Kind: "file", Error: "file /data/1.pcapng.part is given up", Details: []sink.Detail{number("files taken away", 1)}}, []string{"is given up"}, []string{"slower"}},
		"file, link type": {sink.Status{Kind: "file", Details: []sink.Detail{number("frames of another link type", 5)}}, []string{"one link type", "{linktype}"}, []string{"slower", "disk"}},
		"standard output": {sink.Status{Name: "standard output", Kind: "stream", Details: []sink.Detail{text("target", "pipe")}}, []string{"reads standard output"}, []string{"disk", "link type"}},
		"its link type":   {sink.Status{Name: "standard output", Kind: "stream", Details: []sink.Detail{text("target", "pipe"), number("frames of another link type", 5)}}, []string{"another link type"}, []string{"disk", "slower"}},
		"one file":        {sink.Status{Name: "/data/x.pcapng", Kind: "stream", Details: []sink.Detail{text("target", "file")}}, []string{"disk of /data/x.pcapng"}, []string{"reader", "link type"}},
		"server":          {sink.Status{Kind: "pcap-over-ip", Details: []sink.Detail{text("address", "127.0.0.1:57012")}}, []string{"client"}, []string{"disk", "link type"}},
		"its link type 2": {sink.Status{Kind: "pcap-over-ip", Details: []sink.Detail{text("address", "127.0.0.1:57012"), number("frames of another link type", 5)}}, []string{"they have another"}, []string{"client"}},
		"dialed out":      {sink.Status{Kind: "pcap-over-ip", State: sink.Running, Details: []sink.Detail{text("listener", "analysis:57012")}}, []string{"analysis:57012 reads more slowly"}, []string{"disk"}},
		"not connected":   {sink.Status{Kind: "pcap-over-ip", State: sink.Degraded, Details: []sink.Detail{text("listener", "analysis:57012")}}, []string{"is not connected to analysis:57012", "Start the program", "has dropped 5 frames"}, []string{"disk"}},
		"tap":             {sink.Status{Kind: "tap", Details: []sink.Detail{text("interface", "rpcap0")}}, []string{"interface rpcap0", "CPU"}, []string{"disk"}},
		"tap, down":       {sink.Status{Kind: "tap", Error: "the interface is down; ip link set rpcap0 up", Details: []sink.Detail{text("interface", "rpcap0"), number("frames refused by the kernel", 5)}}, []string{"ip link set rpcap0 up"}, []string{"disk"}},
		"tap, link type":  {sink.Status{Kind: "tap", Details: []sink.Detail{text("interface", "rpcap0"), number("frames that cannot be ethernet", 5)}}, []string{"cannot carry"}, []string{"disk"}},
	} {
		f := newFake()
		f.peers = []status.Peer{running("web1", 400, start)}
		before := tc.sink
		before.State, before.Error, before.Details = sink.Running, "", nil
		f.sinks = []sink.Status{before}
		tr := newTracker(f, "", start)
		tr.look(start)
		after := tc.sink
		if after.State == "" {
			after.State = sink.Running
		}
		after.Dropped = 5
		f.sinks[0] = after
		var cure string
		for _, p := range tr.look(start.Add(20 * time.Second)).problems {
			if p.Kind == "output-drops" || p.Kind == "output-failed" || p.Kind == "output-degraded" {
				if cure != "" {
					t.Errorf("%s: said twice: %q and %q", title, cure, p.Text)
				}
				cure = p.Text + " " + p.Cure
				if p.Count != 5 {
					t.Errorf("%s: %d frames", title, p.Count)
				}
			}
		}
		for _, want := range tc.want {
			if !strings.Contains(cure, want) {
				t.Errorf("%s: %q lacks %q", title, cure, want)
			}
		}
		for _, not := range tc.not {
			if strings.Contains(cure, not) {
				t.Errorf("%s: %q has %q", title, cure, not)
			}
		}
	}
}

// TestUnguarded: a TAP interface without its guard is a problem with the cause.
func TestUnguarded(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.peers = []status.Peer{running("web1", 400, start)}
	f.sinks = []sink.Status{{Name: "tap", Kind: "tap", State: sink.Running, Details: []sink.Detail{
		{Name: "interface", Text: "rpcap0"}, {Name: "guard", Text: "off"}, {Name: "guard is off because", Text: "no CAP_NET_ADMIN"},
	}}}
	list := newTracker(f, "", start).look(start).problems
	if len(list) != 1 || list[0].Kind != "tap-unguarded" || !strings.Contains(list[0].Text, "rpcap0") || list[0].Cure != "no CAP_NET_ADMIN." {
		t.Errorf("%+v", list)
	}
	f.sinks[0].Details = f.sinks[0].Details[:2]
	f.sinks[0].Details[1].Text = "not wanted"
	if list := newTracker(f, "", start).look(start).problems; len(list) != 0 {
		t.Errorf("Guard = no: %+v", list)
	}
}

// TestSlowClients: clients that lose frames are named, the worst first, though the output itself drops none.
func TestSlowClients(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.peers = []status.Peer{running("web1", 400, start)}
	client := func(name string, dropped uint64) sink.Status {
		return sink.Status{Name: name, Kind: "client", State: sink.Running, Counters: sink.Counters{Dropped: dropped}}
	}
	f.sinks = []sink.Status{{Name: "live", Kind: "pcap-over-ip", State: sink.Running, Parts: []sink.Status{client("10.0.0.1:1", 7), client("10.0.0.2:2", 0)}}}
	tr := newTracker(f, "", start)
	if list := tr.look(start).problems; len(list) != 0 {
		t.Errorf("old drops: %+v", list)
	}
	f.sinks[0].Parts = []sink.Status{client("10.0.0.1:1", 7), client("10.0.0.2:2", 1)}
	list := tr.look(start.Add(20 * time.Second)).problems
	if len(list) != 1 || list[0].Kind != "slow-client" || list[0].Text != "Client of output live reads too slowly and loses frames: 10.0.0.2:2 (1 frame)." {
		t.Errorf("%+v", list)
	}
	f.sinks[0].Parts = []sink.Status{client("a", 1), client("b", 5), client("c", 3), client("d", 2)}
	list = tr.look(start.Add(40 * time.Second)).problems
	if len(list) != 1 || list[0].Count != 11 || !strings.HasSuffix(list[0].Text, "b (5 frames), c (3 frames), d (2 frames), and 1 more.") {
		t.Errorf("%+v", list)
	}
}

// TestWrittenNeverGoesBack: frames that turn out not to be written are taken back in the JSON, not in the metrics.
func TestWrittenNeverGoesBack(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.sinks = []sink.Status{{Name: "a", Kind: "file", State: sink.Running, Counters: sink.Counters{Written: 100, Bytes: 1000}}}
	tr := newTracker(f, "", start)
	tr.look(start)
	for i, written := range []uint64{60, 90, 130} {
		f.sinks[0].Counters = sink.Counters{Written: written, Bytes: 10 * written, Dropped: 40}
		s := tr.look(start.Add(time.Duration(i+1) * time.Minute)).sinks[0]
		if most := max(100, written); s.Written != written || s.most != [2]uint64{most, 10 * most} {
			t.Errorf("%d written: %+v", written, s)
		}
	}
}
