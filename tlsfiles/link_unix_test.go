//go:build unix

package tlsfiles

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestReplaced: a link that leads to other files of the same size and time is a renewal.
func TestReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		at, link := time.Now(), filepath.Join(dir, "live")
		for n, name := range []string{"one", "two"} {
			sub := filepath.Join(dir, name)
			if err := os.Mkdir(sub, 0o700); err != nil {
				t.Fatal(err)
			}
			f := write(t, sub, int64(n+1))
			for _, f := range []string{f.Certificate, f.Key} {
				if err := errors.Join(os.Truncate(f, 1000), os.Chtimes(f, at, at)); err != nil { // zeros behind PEM are no part of it
					t.Fatal(err)
				}
			}
		}
		if err := os.Symlink("one", link); err != nil {
			t.Fatal(err)
		}
		c, err := Open(Files{Certificate: filepath.Join(link, "cert.pem"), Key: filepath.Join(link, "key.pem")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(link), os.Symlink("two", link)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(interval)
		if got := serial(t, c); got != 2 {
			t.Errorf("certificate %d", got)
		}
	})
}
