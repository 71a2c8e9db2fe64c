//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestRootRunDirIsGivenAway: an existing directory that holds nothing else is given to
// the user that the agent becomes; one with a file of somebody else's is left.
func TestRootRunDirIsGivenAway(t *testing.T) {
	u := becoming("nobody")
	if os.Geteuid() != 0 || u == nil {
		t.Skip("needs root, and a user to give to")
	}
	owner := func(dir string) uint32 {
		info, err := os.Lstat(dir)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Uid
	}
	for name, given := range map[string]bool{"status.json": true, "rpcapd.lock": true, "precious": false} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := prepareRunDir(dir, "nobody"); err != nil {
			t.Fatal(err)
		}
		if got := owner(dir) != 0; got != given {
			t.Errorf("a directory with %s: given away %v, want %v", name, got, given)
		}
	}
	world := filepath.Join(t.TempDir(), "world")
	if err := os.Mkdir(world, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(world, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := prepareRunDir(world, "nobody"); err != nil || owner(world) != 0 {
		t.Errorf("a directory for everybody was given away (%v)", err)
	}
}
