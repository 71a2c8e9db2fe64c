package ports

import (
	"fmt"
	"net"
	"testing"
)

// TestFree: no port is given to two at a time, and each can be bound.
func TestFree(t *testing.T) {
	given := make(map[int]bool)
	for range 300 {
		port := Free(t)
		if given[port] || port < first || port > last {
			t.Errorf("port %d", port)
		}
		given[port] = true
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	var port int
	t.Run("taken", func(t *testing.T) {
		port = Free(t)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1)); err == nil {
			l.Close()
			t.Errorf("port %d is not taken", port)
		}
	})
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
	if err != nil {
		t.Fatalf("after the test: %v", err)
	}
	l.Close()
}
