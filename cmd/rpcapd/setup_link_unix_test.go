//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An own link stays one; a link in a folder that others can write leads nowhere.
func TestSetupThroughLink(t *testing.T) {
	target := writeFile(t, "real.ini", "# mine\n")
	for mode, refused := range map[os.FileMode]bool{0o755: false, 0o775: true, 0o777 | os.ModeSticky: true} {
		dir := t.TempDir()
		link := filepath.Join(dir, "rpcapd.ini")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		code, out, errs, _ := cli(t, "setup", "-f", link, "--no-dial", "--no-reload", "--sensor", "192.0.2.1", "--interface", mode.String())
		after, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%v: no link any more: %v", mode, err)
		}
		if refused != (code != 0) || refused != strings.Contains(errs, "symbolic link") || refused != (string(before) == string(after)) {
			t.Errorf("%v: exit %d\n%s%s", mode, code, out, errs)
		}
	}
}
