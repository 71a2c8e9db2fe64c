//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestFallbackRunDir: a user without XDG_RUNTIME_DIR has a status all the same, but never in a folder of another's.
func TestFallbackRunDir(t *testing.T) {
	temp, users := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	before := runOfUsers
	runOfUsers = users
	t.Cleanup(func() { runOfUsers = before })
	uid := max(1, os.Geteuid()) // root has another directory
	mine := filepath.Join(temp, "rpcapd-"+strconv.Itoa(uid))
	want := func(what, dir string) {
		t.Helper()
		if got := fallbackRunDir(uid); got != dir {
			t.Errorf("%s: %q, want %q", what, got, dir)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want("nothing there", mine)
	must(os.Mkdir(mine, 0o755))
	must(os.Chown(mine, uid, -1))
	want("made by an agent before", mine)
	must(os.Chmod(mine, 0o777))
	want("others can write", "")
	must(os.Remove(mine))
	must(os.Symlink(users, mine))
	want("a link", "")
	must(os.Remove(mine))
	if os.Geteuid() == 0 {
		must(os.Mkdir(mine, 0o755))
		want("another's", "")
	}
	own := filepath.Join(users, strconv.Itoa(uid))
	must(os.Mkdir(own, 0o700))
	must(os.Chown(own, uid, -1))
	want("logged in", filepath.Join(own, "rpcapd"))
	if got := fallbackRunDir(0); got != "" {
		t.Errorf("root: %q", got)
	}
}
