//go:build !linux

package uplink

import (
	"errors"
	"syscall"
)

func dontFragment(string, string, syscall.RawConn) error { return nil }

func (s *probeSocket) pathMTU() int { return 0 }

func (s *probeSocket) sendSuper(int, int, uint32) error { return errors.ErrUnsupported }
