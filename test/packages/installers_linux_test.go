package packages

import (
	"path/filepath"
	"testing"

	"rpcapd/test/harness"
)

// TestReproducibleWindows: so are the installers and the archives for Windows, of both programs and both architectures.
func TestReproducibleWindows(t *testing.T) {
	if !everything {
		t.Skip("builds six files, twice: make test-packages")
	}
	harness.Tool(t, "wixl")
	harness.Tool(t, "msibuild")
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "a folder elsewhere")
	for _, dir := range []string{first, second} {
		if err := build(dir, newVersion, "-formats", "msi,zip", "-arches", "amd64,arm64"); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"rpcapd-*-amd64.msi", "rpcapd-*-arm64.msi", "rpcapd-*-amd64.zip", "rpcapd-*-arm64.zip", "rpcap-sensor-*-amd64.zip", "rpcap-sensor-*-arm64.zip"} {
		if list, err := filepath.Glob(filepath.Join(first, name)); err != nil || len(list) != 1 {
			t.Errorf("%s: %q, %v", name, list, err)
		}
	}
	if compared := sameFiles(t, first, second); compared != 6 {
		t.Errorf("%d files compared, want 6", compared)
	}
}
