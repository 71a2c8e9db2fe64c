//go:build !linux

package agent

import "syscall"

// setUserTimeout does nothing where TCP_USER_TIMEOUT does not exist; keep-alive
// finds a dead peer all the same, later.
func setUserTimeout(_, _ string, _ syscall.RawConn) error { return nil }
