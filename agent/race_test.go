package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func addresses(list ...string) (out []netip.Addr) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestDialOrder(t *testing.T) {
	for _, c := range []struct {
		resolved []string
		good     string
		want     []string
	}{
		{[]string{"10.0.0.1"}, "", []string{"10.0.0.1"}},
		{[]string{"::1", "::2", "::3", "10.0.0.1"}, "", []string{"::1", "10.0.0.1", "::2", "::3"}},
		{[]string{"10.0.0.1", "10.0.0.2", "::1"}, "", []string{"10.0.0.1", "::1", "10.0.0.2"}},
		{[]string{"::1", "::2", "::3", "10.0.0.1"}, "::3", []string{"::3", "::1", "10.0.0.1", "::2"}},
		{[]string{"::1", "10.0.0.1"}, "::9", []string{"::1", "10.0.0.1"}}, // the name has moved
	} {
		var good netip.Addr
		if c.good != "" {
			good = netip.MustParseAddr(c.good)
		}
		if got := dialOrder(addresses(c.resolved...), good); !slices.Equal(got, addresses(c.want...)) {
			t.Errorf("%v after %s: %v, want %v", c.resolved, c.good, got, c.want)
		}
	}
}

// TestRace scripts what each address does: dead ones (that never answer), ones that
// refuse, and ones that answer late.
func TestRace(t *testing.T) {
	const dead, refuses = -1, -2
	for _, c := range []struct {
		name    string
		answers []time.Duration // one per address
		want    int             // the winner; -1: none
		within  time.Duration
	}{
		{"at once", []time.Duration{0}, 0, 0},
		{"three dead, one good", []time.Duration{dead, dead, dead, 10 * time.Millisecond}, 3, 3*attemptDelay + 10*time.Millisecond},
		{"refused, so the next at once", []time.Duration{refuses, refuses, 0}, 2, 0},
		{"the slow first one wins all the same", []time.Duration{300 * time.Millisecond, dead}, 0, 300 * time.Millisecond},
		{"all refuse", []time.Duration{refuses, refuses}, -1, 0},
		{"one refuses, the others are dead", []time.Duration{refuses, dead, dead}, -1, attemptDelay + silentRest},
		{"all dead", []time.Duration{dead, dead}, -1, attemptDelay + dialTimeout},
		{"the second after the first has begun", []time.Duration{time.Second, 100 * time.Millisecond}, 1, attemptDelay + 100*time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				addrs := make([]netip.Addr, len(c.answers))
				for i := range addrs {
					addrs[i] = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
				}
				open := make(chan net.Conn, len(addrs)) // the far ends
				dial := func(ctx context.Context, a netip.Addr) (net.Conn, error) {
					ctx, cancel := context.WithTimeout(ctx, dialTimeout)
					defer cancel()
					after := c.answers[slices.Index(addrs, a)]
					if after == refuses {
						return nil, errors.New("refused")
					}
					if after == dead {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					time.Sleep(after) // also when another has won meanwhile
					conn, far := net.Pipe()
					open <- far
					return conn, nil
				}
				began := time.Now()
				conn, addr, err := race(t.Context(), addrs, dial)
				took := time.Since(began)
				if c.want < 0 {
					if err == nil || conn != nil {
						t.Fatalf("connected to %v", addr)
					}
				} else if err != nil || addr != addrs[c.want] {
					t.Fatalf("connected to %v, %v, want %v", addr, err, addrs[c.want])
				} else {
					conn.Close()
				}
				if c.name == "the second after the first has begun" { // the loser is waited for, and closed
					took -= time.Second - c.within
				}
				if took != c.within {
					t.Errorf("took %v, want %v", took, c.within)
				}
				for range len(open) {
					if _, err := (<-open).Read(make([]byte, 1)); err == nil {
						t.Error("a connection stays open")
					}
				}
			})
		})
	}
}
