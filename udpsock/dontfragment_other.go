//go:build !linux && !darwin && !freebsd && !windows

package udpsock

import "syscall"

// setDontFragment does nothing: these systems have no such option for every family. Datagrams that fit the usual path are
// not fragmented anyway.
func setDontFragment(_, _ string, _ syscall.RawConn) error { return nil }
