package health

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSendings: of the address with the most bytes the oldest answer gives way, and no other.
func TestSendings(t *testing.T) {
	s := newSendings(100)
	var gone []string
	begin := func(name, from string, bytes int) *sending {
		x := &sending{from: netip.MustParseAddr(from), bytes: bytes, stop: func() { gone = append(gone, name) }}
		s.begin(x)
		return x
	}
	check := func(when string, total int, want ...string) {
		t.Helper()
		if !slices.Equal(gone, want) || s.total != total {
			t.Errorf("%s: gave way %q, %d bytes are left", when, gone, s.total)
		}
		gone = nil
	}
	a := begin("a", "10.0.0.1", 40)
	begin("b", "10.0.0.2", 30)
	begin("c", "10.0.0.2", 30)
	check("there is room", 100)
	begin("d", "10.0.0.3", 20)
	check("one has two", 90, "b")
	begin("e", "10.0.0.4", 500)
	check("more than there may be of all", 500, "a", "c", "d")
	s.end(a)
	check("the end of one that gave way", 500)
	begin("f", "10.0.0.1", 10)
	check("the next one", 10, "e")
	if len(s.list) != 1 || len(s.of) != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSlowReaders: readers that do not read hold no more than the budget, whatever they ask for; one that reads gets all.
func TestSlowReaders(t *testing.T) {
	f := newFake()
	for i := range 3000 { // about 5 MB
		p := running(fmt.Sprint("web", i), 5, time.Now())
		p.LastError = strings.Repeat("x", 200)
		f.peers = append(f.peers, p)
	}
	s := serveFake(t, f, nil)
	held := func() (total, answers int) {
		s.sendings.mu.Lock()
		defer s.sendings.mu.Unlock()
		return s.sendings.total, len(s.sendings.list)
	}
	stubborn(t, s, 30, false, func(c net.Conn) {
		fmt.Fprint(c, "GET /api/v1/peers HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if total, _ := held(); total > maxSending {
			t.Errorf("%d bytes are held", total)
		}
	})
	limit := time.Now().Add(30 * time.Second)
	for total, n := held(); total < maxSending*3/4; total, n = held() {
		if time.Now().After(limit) {
			t.Fatalf("%d answers of %d bytes in all: there is no crowd", n, total)
		}
		time.Sleep(10 * time.Millisecond)
	}
	code, body, _ := get(t, s.URL()+"api/v1/peers", nil)
	if code != 200 || strings.Count(body, `"last_error"`) != 3000 {
		t.Errorf("%d, %d bytes", code, len(body))
	}
	if total, n := held(); total > maxSending { // on a slow machine those that do not read have been given up by now
		t.Errorf("%d answers of %d bytes are held", n, total)
	}
}
