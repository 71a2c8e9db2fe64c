package main

import (
	"fmt"
	"net"
	"os"
)

// tellSystemd sends a state to systemd if it has started this process with
// Type=notify (sd_notify(3)). Nobody waits for an answer.
func tellSystemd(state string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // "@name" is an abstract socket
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer conn.Close() // a datagram is sent or not
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}
