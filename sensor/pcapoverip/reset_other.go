//go:build !unix

package pcapoverip

import (
	"errors"
	"io"
	"net"
	"time"
)

// resetOf is the error that a connection has come to, nil if there is none. The other end has said all it has to say, so the read
// returns at once, but for the time that its request had.
func resetOf(conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Time{}) // a closed connection says so when it is read
	if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// waiting is not known here without reading.
func waiting(net.Conn) bool { return false }
