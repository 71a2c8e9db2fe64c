package consumers

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"rpcapd/test/debian"
	"rpcapd/test/netlab"
)

// demanded says that nothing may be skipped.
func demanded() bool { return os.Getenv("TEST_CONSUMERS") == "1" }

// preparedVariable tells the tests in their namespaces where the chroot is, or why there is none.
const preparedVariable = "TEST_CONSUMERS_CHROOT"

// TestMain makes the chroot first: in the namespaces there is no network.
func TestMain(m *testing.M) {
	if demanded() && os.Getenv(preparedVariable) == "" {
		system := debian.System{Name: "trixie-suricata", Suite: "trixie", Packages: []string{"suricata"}}
		root, err := system.Make(func(what string) { fmt.Fprintln(os.Stderr, what) })
		if err != nil {
			root = "error: " + err.Error()
		}
		os.Setenv(preparedVariable, root)
	}
	netlab.Main(m)
}

// tool is the path of a program; without it the test is skipped, or fails where nothing may be skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if demanded() {
		t.Fatal(err)
	}
	netlab.Missing(t, name+" is not installed (make deps installs it as root)")
	return ""
}
