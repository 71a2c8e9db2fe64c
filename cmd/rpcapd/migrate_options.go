//go:build !windows

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// writeOptions puts options where the unit and the init scripts read them. What the operator has there stays, but for the
// same option with another value: the line is then kept as a comment.
func (s *setup) writeOptions(options []string) error {
	if len(options) == 0 {
		return nil
	}
	path := s.in("/etc/default/rpcapd")
	if !exists(filepath.Dir(path)) || exists(s.in("/etc/sysconfig")) && !exists(path) {
		path = s.in("/etc/sysconfig/rpcapd")
	}
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("write options: %w", err)
	}
	edited, set, kept := editOptions(string(text), options)
	return replaceOptions(path, string(text), edited, set, kept, s.out)
}
