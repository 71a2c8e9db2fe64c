//go:build unix

package filewatch

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestMounted swaps the link as Kubernetes does (atomic_writer.go): the new file has the same size and the same time.
func TestMounted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rpcapd.ini")
	if Mounted(file) {
		t.Fatal("an empty folder is a volume")
	}
	stamp := time.Now().Add(-time.Hour)
	publish := func(name, text string) {
		t.Helper()
		data := filepath.Join(dir, name)
		if err := os.Mkdir(data, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, "rpcapd.ini"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(data, "rpcapd.ini"), stamp, stamp); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, filepath.Join(dir, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	publish("..2026_1", "one")
	if err := os.Symlink("..data/rpcapd.ini", file); err != nil {
		t.Fatal(err)
	}
	if !Mounted(file) {
		t.Fatal("this is no volume")
	}
	synctest.Test(t, func(t *testing.T) {
		changes := 0
		end := Watch(file, func() { changes++ })
		time.Sleep(10*pause + pause/2)
		publish("..2026_2", "two")
		time.Sleep(10 * pause)
		synctest.Wait()
		if changes != 1 {
			t.Errorf("%d changes, want 1", changes)
		}
		end()
	})
}
