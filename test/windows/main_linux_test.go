package windows

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rpcapd/test/debian"
	"rpcapd/test/netlab"
)

// demanded says that nothing may be skipped.
func demanded() bool { return os.Getenv("TEST_WINDOWS") == "1" }

// systemVariable tells the tests in their namespaces where the system with wine is, or why there is none.
const systemVariable = "TEST_WINDOWS_SYSTEM"

const systemError = "error: "

// TestMain makes the system first: in the namespaces there is no network.
func TestMain(m *testing.M) {
	if demanded() && os.Getenv(systemVariable) == "" {
		system := debian.System{
			Name: "trixie-wine", Suite: "trixie", Finish: makePrefix,
			Packages: []string{"wine", "wine64", "msitools", "wixl", "osslsigncode"},
		}
		root, err := system.Make(func(what string) { fmt.Fprintln(os.Stderr, what) })
		if err != nil {
			root = systemError + err.Error()
		}
		os.Setenv(systemVariable, root)
	}
	netlab.Main(m)
}

// system is the folder of the system with wine.
func system(t testing.TB) string {
	t.Helper()
	if !demanded() {
		t.Skip("needs a Debian system with wine: make test-windows, as root")
	}
	root := os.Getenv(systemVariable)
	if why, bad := strings.CutPrefix(root, systemError); bad {
		t.Fatalf("no system with wine: %s", why)
	}
	return root
}
