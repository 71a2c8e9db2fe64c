package health

import (
	"strings"
	"testing"
	"time"

	"rpcapd/sensor"
)

// TestDropCures: what helps against drops depends on the kind of the output, and names disk, client, listener or interface.
func TestDropCures(t *testing.T) {
	text := func(name, value string) sensor.Detail { return sensor.Detail{Name: name, Text: value} }
	number := func(name string, n uint64) sensor.Detail {
		return sensor.Detail{Name: name, Text: "n", Number: n, Numeric: true, Total: true}
	}
	start := time.Now()
	for title, tc := range map[string]struct {
		sink sensor.SinkStatus
		want []string
		not  []string
	}{
		"file":            {sensor.SinkStatus{Kind: "file", Details: []sensor.Detail{text("path", "/data/%H.pcapng")}}, []string{"/data/%H.pcapng", "disk"}, []string{"reader", "client"}},
		"file, disk full": {sensor.SinkStatus{Kind: "file", State: sensor.SinkRetrying, Error: "write /data/1.pcapng: no space left", Details: []sensor.Detail{text("path", "/data/1.pcapng")}}, []string{"no space left", "Make room"}, []string{"slower"}},
		"standard output": {sensor.SinkStatus{Name: "standard output", Kind: "stream"}, []string{"reads standard output"}, []string{"disk"}},
		"one file":        {sensor.SinkStatus{Name: "/data/x.pcapng", Kind: "stream"}, []string{"behind /data/x.pcapng"}, nil},
		"server":          {sensor.SinkStatus{Kind: "pcap-over-ip", Details: []sensor.Detail{text("address", "127.0.0.1:57012")}}, []string{"client"}, []string{"disk"}},
		"dialled out":     {sensor.SinkStatus{Kind: "pcap-over-ip", State: sensor.SinkRunning, Details: []sensor.Detail{text("listener", "analysis:57012")}}, []string{"analysis:57012 reads more slowly"}, []string{"disk"}},
		"not connected":   {sensor.SinkStatus{Kind: "pcap-over-ip", State: sensor.SinkDegraded, Details: []sensor.Detail{text("listener", "analysis:57012")}}, []string{"Nothing is connected at analysis:57012"}, []string{"disk"}},
		"tap":             {sensor.SinkStatus{Kind: "tap", Details: []sensor.Detail{text("interface", "rpcap0")}}, []string{"interface rpcap0", "CPU"}, []string{"disk"}},
		"tap, down":       {sensor.SinkStatus{Kind: "tap", Details: []sensor.Detail{text("interface", "rpcap0"), number("frames refused by the kernel", 5)}}, []string{"ip link set rpcap0 up"}, []string{"disk"}},
		"tap, link type":  {sensor.SinkStatus{Kind: "tap", Details: []sensor.Detail{text("interface", "rpcap0"), number("frames that cannot be ethernet", 5)}}, []string{"cannot carry"}, []string{"disk"}},
	} {
		f := newFake()
		f.peers = []sensor.PeerStatus{running("web1", 400, start)}
		before := tc.sink
		before.State, before.Error, before.Details = sensor.SinkRunning, "", nil
		f.sinks = []sensor.SinkStatus{before}
		tr := newTracker(f, "", start)
		tr.look(start)
		after := tc.sink
		if after.State == "" {
			after.State = sensor.SinkRunning
		}
		after.Dropped = 5
		f.sinks[0] = after
		var cure string
		for _, p := range tr.look(start.Add(20 * time.Second)).problems {
			if p.Kind == "output-drops" {
				cure = p.Cure
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

// TestSlowClients: clients that lose frames are named, the worst first, though the output itself drops none.
func TestSlowClients(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.peers = []sensor.PeerStatus{running("web1", 400, start)}
	client := func(name string, dropped uint64) sensor.SinkStatus {
		return sensor.SinkStatus{Name: name, Kind: "client", State: sensor.SinkRunning, FeedCounters: sensor.FeedCounters{Dropped: dropped}}
	}
	f.sinks = []sensor.SinkStatus{{Name: "live", Kind: "pcap-over-ip", State: sensor.SinkRunning, Parts: []sensor.SinkStatus{client("10.0.0.1:1", 7), client("10.0.0.2:2", 0)}}}
	tr := newTracker(f, "", start)
	if list := tr.look(start).problems; len(list) != 0 {
		t.Errorf("old drops: %+v", list)
	}
	f.sinks[0].Parts = []sensor.SinkStatus{client("10.0.0.1:1", 7), client("10.0.0.2:2", 1)}
	list := tr.look(start.Add(20 * time.Second)).problems
	if len(list) != 1 || list[0].Kind != "slow-client" || list[0].Text != "Client of output live reads too slowly and loses frames: 10.0.0.2:2 (1 frame)." {
		t.Errorf("%+v", list)
	}
	f.sinks[0].Parts = []sensor.SinkStatus{client("a", 1), client("b", 5), client("c", 3), client("d", 2)}
	list = tr.look(start.Add(40 * time.Second)).problems
	if len(list) != 1 || list[0].Count != 11 || !strings.HasSuffix(list[0].Text, "b (5 frames), c (3 frames), d (2 frames), and 1 more.") {
		t.Errorf("%+v", list)
	}
}

// TestWrittenNeverGoesBack: frames that turn out not to be written are taken back in the JSON, not in the metrics.
func TestWrittenNeverGoesBack(t *testing.T) {
	start := time.Now()
	f := newFake()
	f.sinks = []sensor.SinkStatus{{Name: "a", Kind: "file", State: sensor.SinkRunning, FeedCounters: sensor.FeedCounters{Written: 100, Bytes: 1000}}}
	tr := newTracker(f, "", start)
	tr.look(start)
	for i, written := range []uint64{60, 90, 130} {
		f.sinks[0].FeedCounters = sensor.FeedCounters{Written: written, Bytes: 10 * written, Dropped: 40}
		s := tr.look(start.Add(time.Duration(i+1) * time.Minute)).sinks[0]
		if most := max(100, written); s.Written != written || s.most != [2]uint64{most, 10 * most} {
			t.Errorf("%d written: %+v", written, s)
		}
	}
}
