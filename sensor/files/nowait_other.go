//go:build !linux

package files

import "syscall"

// promptWriter is for systems that can tell whether a write would wait.
type promptWriter struct{}

func (promptWriter) open(syscall.Conn) {}

func (promptWriter) prompt([]byte) int { return 0 }
