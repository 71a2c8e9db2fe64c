//go:build unix

package main

import (
	"os"
	"os/user"
	"strings"
	"testing"
)

// TestServiceMayNotWrite: root, who may do everything, is told when the service may not.
func TestServiceMayNotWrite(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root checks for somebody else")
	}
	if _, err := user.Lookup("nobody"); err != nil {
		t.Skip("there is no user nobody")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	look := func() bool {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		return serviceMayWrite("nobody", dir, info)
	}
	if look() {
		t.Error("root's directory is said to be open to nobody")
	}
	// Those above it, made for this test alone, are closed too.
	parent := dir[:strings.LastIndexByte(dir, '/')]
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if !look() {
		t.Error("a directory of everybody's is said to be closed")
	}
	if err := os.Chmod(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	if look() {
		t.Error("a directory that cannot be reached is said to be open")
	}
}
