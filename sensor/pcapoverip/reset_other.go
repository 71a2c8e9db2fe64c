//go:build !unix

package pcapoverip

import (
	"errors"
	"io"
	"net"
)

// resetOf is the error that a connection has come to, nil if there is none.
func resetOf(conn net.Conn) error {
	if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// waiting is not known here without reading.
func waiting(net.Conn) bool { return false }
