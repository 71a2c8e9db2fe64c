//go:build unix

package openflag

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFlags: a pipe without a writer opens at once, and a link is refused.
func TestFlags(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(pipe, os.O_RDONLY|NoWait|NoFollow, 0)
		if err == nil {
			err = f.Close()
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("opening a pipe without a writer waits")
	}
	if f, err := os.OpenFile(link, os.O_RDONLY|NoWait|NoFollow, 0); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link was opened: %v, %v", f, err)
	}
}
