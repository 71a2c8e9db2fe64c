//go:build unix

package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestHoldWhileAsked begins while somebody looks whether an agent runs there.
func TestHoldWhileAsked(t *testing.T) {
	dir := t.TempDir()
	asking, err := os.Create(filepath.Join(dir, lockName))
	if err != nil {
		t.Fatal(err)
	}
	if err := lockFile(asking); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(lockPause, func() { asking.Close() })
	run, err := OpenRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := run.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer files.close()

	other, err := OpenRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.hold(); err == nil {
		t.Fatal("two agents hold one directory")
	}
}
