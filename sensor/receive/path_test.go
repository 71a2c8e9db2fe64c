package receive

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// pathGrid is what has to follow from each event in each state: the next state (= is the same) and the effect.
const pathGrid = `
            unanswered      reserved        open            tentative          opened             doubted            agreed             validated       named
noise       =/foreign       =/foreign       =/foreign       =/foreign          =/foreign          =/foreign          =/foreign          =/foreign       =/foreign
unreadable  =/foreign       =/foreign       tentative/begin =/foreign          =/foreign          =/foreign          =/foreign          =/foreign       =/foreign
single      =/hold          =/hold          =/hold          =/hold             =/hold             =/hold             =/watch            =/watch         =/watch
opening     =/hold          =/hold          opened/begin    opened/displace    =/hold             opened/displace    =/watch            =/watch         =/watch
pair        =/hold          =/ask           tentative/begin =/displace         =/hold             tentative/displace =/watch            =/watch         =/watch
openingPair =/hold          =/ask           opened/begin    opened/displace    =/displace         opened/displace    =/watch            =/watch         =/watch
continues   =/watch         =/watch         =/watch         =/hold             =/hold             =/hold             =/hold             =/hold          =/ask
follows     =/watch         =/watch         =/watch         agreed/rebind      agreed/rebind      =/rebind           =/rebind           =/rebind        =/ask
refuted     =/watch         =/watch         =/watch         =/watch            =/watch            =/watch            =/watch            =/watch         =/watch
named       =/foreign       named/begin     named/begin     named/displace     named/displace     named/displace     named/displace     named/displace  =/foreign
namedNAT    =/foreign       validated/begin validated/begin validated/displace validated/displace validated/displace validated/displace =/foreign       =/foreign
second      =/none          =/none          =/none          agreed/none        agreed/none        =/none             =/none             =/none          =/none
held        =/none          =/none          tentative/begin =/none             =/none             tentative/displace =/none             =/none          =/none
end         =/none          =/none          tentative/begin agreed/rebind      agreed/rebind      =/rebind           =/rebind           =/rebind        =/none
unnamed     open/review     =/none          =/none          =/none             =/none             =/none             =/none             =/none          =/none
names       reserved/review =/none          =/none          =/none             =/none             =/none             =/none             =/none          =/none
namesNAT    open/review     =/none          =/none          =/none             =/none             =/none             =/none             =/none          =/none
statsAgree  =/none          =/none          =/none          =/none             =/none             agreed/none        validated/none     =/none          =/none
statsAhead  =/none          =/none          =/none          doubted/none       doubted/none       =/none             doubted/none       doubted/none    =/none
statsOther  =/none          agreed/begin    =/none          agreed/displace    agreed/displace    agreed/displace    =/displace         agreed/displace =/none
statsMoved  =/none          =/none          =/none          agreed/displace    agreed/displace    agreed/displace    =/rebind           agreed/rebind   =/rebind
`

// TestPaths has each event happen to a stream in each state, and looks at what becomes of state, stream, candidate and counters.
func TestPaths(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(pathGrid), "\n")
	states := strings.Fields(lines[0])
	if len(states) != int(pathStates) || len(lines)-1 != int(pathEvents) {
		t.Fatalf("%d states and %d events, want %d and %d", len(states), len(lines)-1, pathStates, pathEvents)
	}
	pairs := 0
	for ev, line := range lines[1:] {
		cells := strings.Fields(line)
		for st, state := range states {
			t.Run(state+"/"+cells[0], func(t *testing.T) {
				next, effect, _ := strings.Cut(cells[1+st], "/")
				want := pathState(st)
				if next != "=" {
					want = pathState(slices.Index(states, next))
				}
				got, did := happened(t, pathState(st), pathEvent(ev))
				if got != want || did != effect {
					t.Errorf("%s/%s, want %s/%s", states[got], did, states[want], effect)
				}
			})
			pairs++
		}
	}
	if pairs != int(pathStates)*int(pathEvents) {
		t.Errorf("%d pairs", pairs)
	}
}

// happened brings a stream into a state, has an event happen to it, and tells the state after it and the effect by what it has
// left behind. The active path is trueSource, the candidate falseSource.
func happened(t *testing.T, st pathState, ev pathEvent) (next pathState, effect string) {
	t.Helper()
	p, now := testPort(), time.Now()
	s, _ := testStream("10.0.0.2")
	p.add(s)
	d := packed(t, testFrames(60, 200), 512)
	if st.begun() {
		receive(p, trueSource, now, d[:3]...)
		s.path.state = st
		if len(s.path.sources) != 1 {
			t.Fatalf("sources %v", s.path.sources)
		}
	}
	s.path.state = st
	src := netip.MustParseAddrPort(falseSource)
	h, one := readHeader(d[5], 65535), readHeader(d[4], 65535)
	var c *candidate
	foreign := p.foreign
	switch {
	case ev == eventNoise || ev == eventUnreadable:
		h.credible = false
		fallthrough
	case ev <= eventNamedNAT:
		if ev > eventUnreadable && ev < eventNamed {
			c = p.candidates.note(src, &h, now)
		}
		_, held := p.datagram(s, ev, c, src, &h, d[5], now)
		if c != nil && held != (len(c.held) == 1) && !slices.Contains(s.path.sources, src) {
			t.Errorf("held %v, %d datagrams", held, len(c.held))
		}
		switch c := p.candidates.of[src]; {
		case slices.Contains(s.path.sources, src): // see below
		case held && len(s.path.ask) == 1:
			effect = "ask"
		case held:
			effect = "hold"
		case c != nil:
			effect = "watch"
		default:
			effect = "foreign" // batch counts it
		}
	default:
		c = p.candidates.note(src, &one, now)
		p.candidates.hold(c, s, d[4])
		if ev >= eventStatsAgree {
			c = p.candidates.note(src, &h, now)
			p.candidates.hold(c, s, d[5])
		}
		p.happens(s, ev, c, now)
		effect = "none"
		if pathTable[st][ev].effect == effectReview {
			effect = "review" // TestAnnouncedPort shows what it does
		}
	}
	if slices.Contains(s.path.sources, src) {
		switch {
		case s.path.rebound == 1 && len(s.path.sources) == 2:
			effect = "rebind"
		case len(s.path.sources) == 1 && st.begun() && p.foreign == foreign+3 && s.path.forged > 0:
			effect = "displace"
		case len(s.path.sources) == 1 && !st.begun() && p.foreign == foreign:
			effect = "begin"
		default:
			t.Errorf("sources %v, rebound %d, foreign %d, forged %d", s.path.sources, s.path.rebound, p.foreign-foreign, s.path.forged)
		}
		if p.bySrc[src] != s || p.candidates.of[src] != nil || p.pending[s.agent] != nil {
			t.Error("the new path is not the stream's alone")
		}
	}
	if p.candidates.bytes != heldBytes(p) {
		t.Errorf("%d bytes held, %d counted", heldBytes(p), p.candidates.bytes)
	}
	return s.path.state, effect
}

func heldBytes(p *dataPort) (n int) {
	for _, c := range p.candidates.of {
		for _, b := range c.held {
			n += len(b)
		}
	}
	return n
}
