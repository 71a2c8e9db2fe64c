//go:build !linux

package udpsock

import (
	"errors"
	"fmt"
	"net/netip"
)

// Separate is for Linux; elsewhere everything is received.
func (r *Receiver) Separate([]netip.Addr) error {
	return fmt.Errorf("keep strangers out: %w", errors.ErrUnsupported)
}

// Strangers counts what Separate has kept out.
func (r *Receiver) Strangers() uint64 { return 0 }

// Stranger is an address that Separate has kept out lately.
func (r *Receiver) Stranger() netip.Addr { return netip.Addr{} }
