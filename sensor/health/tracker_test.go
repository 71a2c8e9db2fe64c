package health

import (
	"fmt"
	"testing"
	"time"

	"rpcapd/printable"
	"rpcapd/sensor/status"
)

// seen is what the tracker says of the one peer of a name.
func seen(t *testing.T, tr *tracker, now time.Time, name string) *Peer {
	t.Helper()
	v := tr.look(now)
	for i := range v.peers {
		if v.peers[i].Name == name {
			return &v.peers[i]
		}
	}
	return nil
}

// TestCountersGoOn: a peer's counters go on when its capture ends and another begins, and never backwards.
func TestCountersGoOn(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	first, second := running("web1", 1000, start), running("web1", 50, start.Add(time.Minute))
	second.Reconnects = 1
	sum := ended(running("web1", 1200, start), 1)
	again := ended(running("web1", 1300, start), 2)
	for i, step := range []struct {
		peers []status.Peer
		then  []status.Peer
		want  uint64
		state string
	}{
		{[]status.Peer{first}, nil, 1000, "running"},
		// The sensor shows the capture that ends twice, for a moment.
		{[]status.Peer{running("web1", 1200, start), sum}, []status.Peer{sum}, 1200, "ended"},
		{[]status.Peer{sum}, nil, 1200, "ended"},
		{[]status.Peer{second, sum}, nil, 1250, "running"},
		{[]status.Peer{running("web1", 100, start.Add(time.Minute)), again}, []status.Peer{again}, 1300, "ended"},
		// The sensor forgets the name: what it had counted stays counted.
		{nil, nil, 1300, "ended"},
		{[]status.Peer{running("web1", 10, start.Add(time.Hour))}, nil, 1310, "running"},
	} {
		f.peers, f.then = step.peers, step.then
		p := seen(t, tr, start.Add(time.Duration(i+1)*2*time.Second), "web1/eth0")
		if p == nil || p.Received.Frames != step.want || p.Forwarded.Captured != step.want || p.State != step.state {
			t.Fatalf("step %d: %+v, want %d frames, %s", i, p, step.want, step.state)
		}
		if (p.Ended != nil) != (step.state == "ended") || (p.Session != nil) != (step.state == "running") {
			t.Errorf("step %d: ended %v, session %v", i, p.Ended, p.Session)
		}
	}
	if p := seen(t, tr, start.Add(time.Hour), "web1/eth0"); p.Reconnects != 1 {
		t.Errorf("%d reconnects", p.Reconnects)
	}
}

// TestTotalsKeepTheForgotten: the sums of all peers hold what the sensor has folded into one name.
func TestTotalsKeepTheForgotten(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	f.peers = []status.Peer{running("a", 100, start), ended(running("b", 10, start), 1)}
	tr.look(start)
	folded := ended(running("a", 120, start), 1)
	folded.Name, folded.Interface = othersName, ""
	f.peers = []status.Peer{ended(running("b", 10, start), 1), folded}
	v := tr.look(start.Add(2 * time.Second))
	if v.status.Received.Frames != 130 {
		t.Errorf("%d frames in all", v.status.Received.Frames)
	}
	for _, p := range v.peers {
		if p.Name == othersName {
			t.Error("the sum of the forgotten ones is shown as a peer")
		}
	}
}

// TestEndedPeersGo: they are shown for an hour and at most so many of them; one that comes back goes on where it was.
func TestEndedPeersGo(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	for i := range maxEnded + 10 {
		f.peers = append(f.peers, running(fmt.Sprintf("a%d", i), 100, start))
	}
	tr.step(start.Add(stepTime))
	if tr.rings != historyPeers {
		t.Errorf("%d histories", tr.rings)
	}
	for i := range f.peers {
		f.peers[i] = ended(f.peers[i], 1)
	}
	if v := tr.look(start.Add(time.Minute)); len(v.peers) != maxEnded || v.status.Gone() != maxEnded {
		t.Errorf("%d peers, %d have left", len(v.peers), v.status.Gone())
	}
	if v := tr.look(start.Add(time.Minute + keepEnded)); len(v.peers) != 0 || tr.rings != 0 {
		t.Errorf("%d peers, %d histories after an hour", len(v.peers), tr.rings)
	}
	f.peers[3] = ended(running("a3", 100, start), 1)
	f.peers = append(f.peers, running("a3", 11, start.Add(2*time.Hour)))
	if p := seen(t, tr, start.Add(2*time.Hour), "a3/eth0"); p == nil || p.Received.Frames != 111 {
		t.Errorf("it came back as %+v", p)
	}
	f.peers = nil
	tr.look(start.Add(5 * time.Hour))
	tr.look(start.Add(6 * time.Hour))
	if tr.look(start.Add(7 * time.Hour)); len(tr.records) != 0 {
		t.Errorf("%d records of peers that the sensor has forgotten", len(tr.records))
	}
}

// TestNameWithInterface: a peer that is seen before it has an interface is not shown twice afterwards, and one that never
// gets one is, with the reason.
func TestNameWithInterface(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	early := status.Peer{Name: "web1", State: status.StateListing, Since: start, Sessions: 1}
	f.peers = []status.Peer{early}
	tr.step(start.Add(stepTime))
	f.peers = []status.Peer{running("web1", 5, start)}
	if v := tr.look(start.Add(2 * stepTime)); len(v.peers) != 1 || v.peers[0].Name != "web1/eth0" || tr.rings != 0 {
		t.Errorf("%+v, %d histories", v.peers, tr.rings)
	}
	early.State, early.Reason = status.StateEnded, "the agent refuses the credentials"
	f.peers = []status.Peer{early}
	if v := tr.look(start.Add(3 * stepTime)); len(v.peers) != 2 || v.peers[0].Name != "web1" || v.peers[0].Reason != early.Reason {
		t.Errorf("%+v", v.peers)
	}
}

// TestRates: frames a second, also for what the agent only says each 5 s, and nothing after the end.
func TestRates(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	f.peers = []status.Peer{running("a", 0, start)}
	tr.step(start.Add(stepTime))
	p := &f.peers[0]
	for i := range 12 {
		p.Received.Frames += 500
		p.Received.FrameBytes += 50000
		if i%2 == 1 { // the agent's answers come at their own pace
			p.Forwarded.Captured += 1000
			p.Forwarded.KernelDropped += 10
		}
		now := start.Add(time.Duration(i+2) * stepTime)
		tr.step(now)
		got := seen(t, tr, now, "a/eth0").Rates
		if got.Received != 100 || got.Bytes != 10000 {
			t.Errorf("step %d: %+v", i, got)
		}
		if i > 2 && (got.Forwarded != 100 || got.Dropped != 1) {
			t.Errorf("step %d: %+v", i, got)
		}
	}
	for i := range 4 {
		tr.step(start.Add(time.Duration(i+14) * stepTime))
	}
	if got := seen(t, tr, start.Add(17*stepTime), "a/eth0").Rates; got != (Rates{}) {
		t.Errorf("nothing comes any more, and the rates are %+v", got)
	}
}

// TestHistory: values are means, the newest last, null before the first; a machine that slept has seen nothing.
func TestHistory(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	f.peers = []status.Peer{running("big", 0, start), running("small", 0, start)}
	step := 0
	next := func() {
		step++
		f.peers[0].Received.Frames += 500
		f.peers[1].Received.Frames += 50
		tr.step(start.Add(time.Duration(step) * stepTime))
	}
	for range 24 {
		next()
	}
	a, err := tr.chart(&query{minutes: 5, points: 60, top: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a.Step != 5 || len(a.Peers) != 1 || a.Peers[0].Name != "big/eth0" || len(a.Total.Received) != 60 || a.Other == nil {
		t.Fatalf("%+v", a)
	}
	values := func(s []*float64) (text string) {
		for _, v := range s[len(s)-3:] {
			if v == nil {
				text += "null "
			} else {
				text += fmt.Sprint(*v, " ")
			}
		}
		return text
	}
	if a.Total.Received[0] != nil || values(a.Total.Received) != "110 110 110 " || values(a.Peers[0].Received) != "100 100 100 " ||
		values(a.Other.Received) != "10 10 10 " {
		t.Errorf("total %s, big %s, others %s", values(a.Total.Received), values(a.Peers[0].Received), values(a.Other.Received))
	}
	step += 100 // the machine sleeps
	next()
	if a, err = tr.chart(&query{minutes: 60, points: 72, peer: "big/eth0"}); err != nil || a.Step != 50 {
		t.Fatalf("%v, step %v s", err, a.Step)
	}
	if v := a.Total.Received[len(a.Total.Received)-4]; v == nil || *v != 0 {
		t.Error("while it slept it saw something")
	}
	if _, err := tr.chart(&query{minutes: 60, points: 72, peer: "nobody"}); err == nil {
		t.Error("no error for a peer that does not exist")
	}
	for range 2 * historyPoints {
		next()
	}
	if n := len(tr.history.points); n != historyPoints {
		t.Errorf("%d points are kept", n)
	}
	if a, _ = tr.chart(&query{minutes: 60, points: 720, top: 5}); a.Total.Received[0] == nil || a.Other != nil || *a.Total.Received[0] != 110 {
		t.Errorf("an hour ago: %v, others %v", a.Total.Received[0], a.Other)
	}
}

// TestHostileNames: what agents call their interfaces cannot break the metrics, and two names that look alike once they
// are cleaned are one peer.
func TestHostileNames(t *testing.T) {
	start := time.Now()
	f := newFake()
	tr := newTracker(f, "", start)
	for _, iface := range []string{"a\x00b", "a\x01b", "\xff\xfe", "x\n# HELP y", "\u202eevil", string(make([]byte, 70000)), `"} 1`} {
		p := running("web1", 7, start)
		p.Interface = iface
		p.Name = "web1/" + iface
		p.Reason = "bad \x1b[31m reason"
		f.peers = append(f.peers, p)
	}
	if _, err := tr.registry().Gather(); err != nil {
		t.Error(err)
	}
	p := seen(t, tr, start, "web1/a?b")
	if p == nil || p.Received.Frames != 14 || p.Reason != "bad ?[31m reason" {
		t.Errorf("%+v", p)
	}
	for _, p := range tr.look(start).peers {
		if len([]rune(p.Interface)) > printable.MaxName+1 {
			t.Errorf("a name of %d characters", len([]rune(p.Interface)))
		}
	}
}

func BenchmarkLookAtThousandPeers(b *testing.B) {
	f := newFake()
	start := time.Now()
	tr := newTracker(f, "", start)
	for i := range 1000 {
		f.peers = append(f.peers, running(fmt.Sprintf("web%d", i), 100, start))
	}
	b.ReportAllocs()
	for i := range b.N {
		tr.look(start.Add(time.Duration(i) * 2 * lookAgain))
	}
}
