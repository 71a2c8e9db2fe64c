package udpsock

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestLateOwner: an owner that comes after its deadline gets what has come, and then that the deadline has passed.
func TestLateOwner(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	s := dial(t, r.LocalAddr(), Options{})
	past := time.Now().Add(-time.Second)
	for range 3 {
		if n, err := r.Receive(past); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%d datagrams, %v, want none", n, err)
		}
		if _, err := s.Send([]byte("in time"), 10, 0); err != nil {
			t.Fatal(err)
		}
		n, err := r.Receive(past)
		if n != 1 || err != nil {
			t.Fatalf("%d datagrams, %v, want one", n, err)
		}
		if _, b := r.Datagram(0); string(b) != "in time" {
			t.Errorf("%q", b)
		}
	}
}
