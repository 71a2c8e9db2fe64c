package files

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A directory is often where a disk is mounted: then its parent is on another disk, with room enough.
func TestCureNamesTheDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "all.pcapng.part")} {
		for _, err := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EIO, syscall.EACCES} {
			text := failure("write", name, err).Error()
			_, what, _ := strings.Cut(text, "; ")
			what = strings.NewReplacer(",", " ", ";", " ").Replace(what)
			if !strings.Contains(what+" ", " "+dir+" ") {
				t.Errorf("%s: %v: the cure does not name %s: %s", name, err, dir, text)
			}
		}
	}
}
